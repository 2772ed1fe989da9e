package record

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestQueriesOfLineageUseAnIndex wants every query of lineage to read what it asks
// for, and not the whole workspace. The one scan is that of the list that is given.
func TestQueriesOfLineageUseAnIndex(t *testing.T) {
	t.Parallel()
	db := open(t)
	for _, query := range []string{
		linksOfSteps, linksOfURIs, artifactsByURI, artifactsByDigest, objectsByDigest, stepsByID, stepsByIDBare, stepsCachedFrom,
		stepsByCode, "SELECT r.seq" + runsByID, jobsByRun, selectModels + whereRuns + byVersion,
		selectModels + whereARNs + byVersion, usesByRun, approvalsByARN, selectRuns + latestRun,
	} {
		rows, err := db.db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, make([]any, strings.Count(query, "?"))...)
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		defer rows.Close()
		found := 0
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(detail, "SEARCH") {
				found++
			}
			if strings.HasPrefix(detail, "SCAN") && !strings.HasPrefix(detail, "SCAN w VIRTUAL TABLE") {
				t.Errorf("%s: %s", query, detail)
			}
		}
		if err := rows.Err(); err != nil || found == 0 {
			t.Errorf("%s: no search, %v", query, err)
		}
	}
}

func TestLinksAreFoundByStepAndURI(t *testing.T) {
	t.Parallel()
	db := open(t)
	ctx := t.Context()
	start(t, db, "r1")
	folder := Artifact{Step: "A", Name: "A.Out", Kind: Output, URI: "s3://local/runs/out/", Digest: "sha256:2", Bytes: 3}
	a, err := db.StartStep(ctx, Step{Run: "r1", Name: "A", Kind: "processing", Status: "RUNNING", Request: json.RawMessage(`{"a":1}`), Started: noon}, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.EndStep(ctx, Step{ID: a, Run: "r1", Name: "A", Status: "SUCCEEDED", Ended: noon}, []Port{{Name: "Out", Artifact: folder}},
		[]Object{{Bucket: "local", Key: "runs/out/f", Digest: "22", Bytes: 3, Created: noon}})
	if err != nil {
		t.Fatal(err)
	}
	start(t, db, "r2")
	b, err := db.StartStep(ctx, Step{Run: "r2", Name: "B", Status: "RUNNING", CachedFrom: a}, []Port{{Name: "In", Artifact: folder}})
	if err != nil {
		t.Fatal(err)
	}
	show := func(links []Link, err error) (all []string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range links {
			all = append(all, fmt.Sprint(l.Step, " ", l.Direction, " ", l.Port, " ", l.Artifact.Name))
		}
		return all
	}
	want := func(got []string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	want(show(db.LinksOfSteps(ctx, []int64{a, b, 99}, "in")), fmt.Sprint(b, " in In A.Out"))
	want(show(db.LinksOfSteps(ctx, []int64{a, b}, "out")), fmt.Sprint(a, " out Out A.Out"))
	want(show(db.LinksOfURIs(ctx, []string{"s3://local/runs/out", "s3://local/runs/out/"}, "in")), fmt.Sprint(b, " in In A.Out"))
	want(show(db.LinksOfURIs(ctx, []string{"s3://local/runs/out/"}, "out")), fmt.Sprint(a, " out Out A.Out"))
	want(show(db.LinksOfURIs(ctx, nil, "out")))
	if found, err := db.ArtifactsByDigest(ctx, "sha256:2"); err != nil || len(found) != 1 || found[0].Name != "A.Out" {
		t.Errorf("by digest: %+v, %v", found, err)
	}
	if found, err := db.ObjectsByDigest(ctx, "22"); err != nil || len(found) != 1 || found[0].Key != "runs/out/f" {
		t.Errorf("objects by digest: %+v, %v", found, err)
	}
	if found, err := db.StepsCachedFrom(ctx, []int64{a}); err != nil || len(found) != 1 || found[0].ID != b {
		t.Errorf("cached from: %+v, %v", found, err)
	}
	for _, requests := range []bool{false, true} {
		found, err := db.StepsByID(ctx, []int64{b, a}, requests)
		if err != nil || len(found) != 2 || found[0].ID != a || (found[0].Request != nil) != requests {
			t.Errorf("by id: %+v, %v", found, err)
		}
	}
	if r, err := db.LatestRun(ctx, "p"); err != nil || r.ID != "r2" {
		t.Errorf("latest: %+v, %v", r, err)
	}
}

func TestUsesAreWhatTheMachineDescribed(t *testing.T) {
	t.Parallel()
	db := open(t)
	start(t, db, "r1")
	for _, s := range []Step{
		{Name: "Describe Model", Status: "FAILED", Request: json.RawMessage(`{"ModelPackageName":"arn:x/1"}`)},
		{Name: "Describe Model", Status: "SUCCEEDED", Request: json.RawMessage(`{"ModelPackageName":"arn:x/2"}`)},
		{Name: "Describe Model", Status: "SUCCEEDED", Request: json.RawMessage(`{"ModelPackageName":"arn:x/2"}`)},
		{Name: "List Model", Status: "SUCCEEDED", Request: json.RawMessage(`{"ModelPackageGroupName":"x"}`)},
		{Name: "Describe run", Status: "SUCCEEDED", Request: json.RawMessage(`{}`)},
	} {
		s.Run, s.Kind = "r1", "call"
		if err := db.AddCall(t.Context(), s, nil); err != nil {
			t.Fatal(err)
		}
	}
	uses, err := db.UsesOfRuns(t.Context(), []string{"r1", "none"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Use{{Run: "r1", Name: "Model", ARN: "arn:x/2"}}, uses); diff != "" {
		t.Error(diff)
	}
}
