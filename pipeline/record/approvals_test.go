package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// register adds versions to a group, each of a run of its own: r1, r2, …
func register(t *testing.T, db *DB, group string, n int) {
	t.Helper()
	for i := range n {
		_, err := db.AddModel(t.Context(), ModelPackage{
			Group: group, Status: "PendingManualApproval", Run: fmt.Sprintf("r%d", i+1), Request: json.RawMessage(`{}`), Created: noon,
		}, func(v int) string { return fmt.Sprintf("arn:%s/%d", group, v) })
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestDecisionsAreKept(t *testing.T) {
	t.Parallel()
	db := open(t)
	register(t, db, "g", 2)
	decisions := []Approval{
		{Group: "g", Version: 1, Status: "Approved", Person: "Ada", Note: "metrics are fine", At: noon},
		{Group: "g", Version: 1, Status: "Rejected", Person: "Bo", Note: "the data was stale", At: noon.Add(time.Hour)},
	}
	before := "PendingManualApproval"
	for _, a := range decisions {
		for _, want := range []string{before, a.Status} { // the second time changes nothing
			got, err := db.Decide(t.Context(), a)
			if err != nil || got != want {
				t.Errorf("%s: was %q, want %q; %v", a.Status, got, want, err)
			}
		}
		before = a.Status
	}
	kept, err := db.Approvals(t.Context(), "g", 1)
	if diff := cmp.Diff(decisions, kept); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if m, err := db.Model(t.Context(), "arn:g/1"); err != nil || m.Status != "Rejected" {
		t.Errorf("version 1: %+v, %v", m, err)
	}
	if m, err := db.Model(t.Context(), "arn:g/2"); err != nil || m.Status != "PendingManualApproval" {
		t.Errorf("version 2: %+v, %v", m, err)
	}
	_, err = db.Decide(t.Context(), Approval{Group: "g", Version: 3, Status: "Approved"})
	if !errors.Is(err, ErrNotFound) {
		t.Errorf("a version that is not there: %v", err)
	}
}

func TestModelsByQuery(t *testing.T) {
	t.Parallel()
	db := open(t)
	register(t, db, "g", 5)
	register(t, db, "h", 1)
	for _, v := range []int{2, 4} {
		if _, err := db.Decide(t.Context(), Approval{Group: "g", Version: v, Status: "Approved", At: noon}); err != nil {
			t.Fatal(err)
		}
	}
	cases := []struct {
		query ModelQuery
		want  []int
	}{
		{ModelQuery{Group: "g"}, []int{1, 2, 3, 4, 5}},
		{ModelQuery{Group: "g", NewestFirst: true}, []int{5, 4, 3, 2, 1}},
		{ModelQuery{Group: "g", NewestFirst: true, Beyond: 4, Limit: 2}, []int{3, 2}},
		{ModelQuery{Group: "g", Beyond: 4}, []int{5}},
		{ModelQuery{Group: "g", Status: "Approved", NewestFirst: true, Limit: 1}, []int{4}},
		{ModelQuery{Group: "g", Status: "Approved", NewestFirst: true, Beyond: 4}, []int{2}},
		{ModelQuery{Group: "g", Status: "Rejected"}, nil},
		{ModelQuery{Group: "none"}, nil},
	}
	for _, c := range cases {
		found, err := db.Models(t.Context(), c.query)
		var got []int
		for _, m := range found {
			got = append(got, m.Version)
		}
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("%+v: %s%v", c.query, diff, err)
		}
	}
	if m, err := db.NewestModel(t.Context(), "g", "Approved"); err != nil || m.Version != 4 {
		t.Errorf("newest: %+v, %v", m, err)
	}
	if m, err := db.ModelVersion(t.Context(), "g", 3); err != nil || m.ARN != "arn:g/3" {
		t.Errorf("version 3: %+v, %v", m, err)
	}
	if _, err := db.ModelVersion(t.Context(), "g", 6); !errors.Is(err, ErrNotFound) {
		t.Errorf("version 6: %v", err)
	}
	if _, err := db.NewestModel(t.Context(), "g", "Rejected"); !errors.Is(err, ErrNotFound) {
		t.Errorf("none: %v", err)
	}
	for group, want := range map[string]bool{"g": true, "none": false} {
		if has, err := db.HasGroup(t.Context(), group); err != nil || has != want {
			t.Errorf("group %s: %v, %v", group, has, err)
		}
	}
}

// TestDecisionsWhileOthersWrite wants each of many decisions, made beside a run that
// writes, to be there in the end.
func TestDecisionsWhileOthersWrite(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/mlmax.db"
	var dbs []*DB
	for range 2 {
		db, err := Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		dbs = append(dbs, db)
	}
	register(t, dbs[0], "g", 20)
	var done sync.WaitGroup
	done.Go(func() {
		for i := range 20 {
			err := dbs[0].PutObjects(t.Context(), []Object{{Bucket: "local", Key: fmt.Sprint(i), Digest: "d"}})
			if err != nil {
				t.Error(err)
			}
		}
	})
	done.Go(func() {
		for v := range 20 {
			if _, err := dbs[1].Decide(t.Context(), Approval{Group: "g", Version: v + 1, Status: "Approved", At: noon}); err != nil {
				t.Error(err)
			}
		}
	})
	done.Wait()
	found, err := dbs[0].Models(t.Context(), ModelQuery{Group: "g", Status: "Approved"})
	if err != nil || len(found) != 20 {
		t.Errorf("%d are approved, %v", len(found), err)
	}
}
