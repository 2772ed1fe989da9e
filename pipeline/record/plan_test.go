package record

import (
	"strconv"
	"strings"
	"testing"
)

// TestQueriesOfAStepUseAnIndex wants no query of every step to read a whole table,
// which would make each run slower than the one before.
func TestQueriesOfAStepUseAnIndex(t *testing.T) {
	t.Parallel()
	db := open(t)
	for _, query := range []string{
		countJobs, updateStep, findOwn, findNewest, findObject, listObjects,
		selectModels + whereToken + byVersion, selectModels + whereARN + byVersion, selectModels + whereVersion + byVersion,
		selectModels + whereAfter + upTo, selectModels + whereBefore + downTo, nextVersion, findGroup,
		findStatus, setStatus, listApprovals,
		findResult, findEarlier, findOutputs,
	} {
		rows, err := db.db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, values(query)...)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(detail, "SCAN") {
				t.Errorf("%s: %s", query, detail)
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// values are as many as a query has, each of any kind: numbered ones count once.
func values(query string) []any {
	n := strings.Count(query, "?")
	for i := 1; i <= 4; i++ {
		n -= max(0, strings.Count(query, "?"+strconv.Itoa(i))-1)
	}
	return make([]any, n)
}
