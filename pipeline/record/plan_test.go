package record

import (
	"strings"
	"testing"
)

// TestQueriesOfAStepUseAnIndex wants no query of every step to read a whole table,
// which would make each run slower than the one before.
func TestQueriesOfAStepUseAnIndex(t *testing.T) {
	t.Parallel()
	db := open(t)
	for _, query := range []string{countJobs, updateStep, findOwn, findNewest, findObject, listObjects} {
		rows, err := db.db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, make([]any, strings.Count(query, "?"))...)
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
