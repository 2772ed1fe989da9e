package record

import (
	"context"
	"encoding/json"
	"path/filepath"
	"testing"
	"time"
)

func TestPutModelsLaysARegistryIn(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db, err := Open(ctx, filepath.Join(t.TempDir(), "mlmax.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	version := func(n int, status string) ModelPackage {
		return ModelPackage{Group: "dev-census", Version: n, ARN: "arn:" + string(rune('0'+n)), Status: status, Run: "r", Request: json.RawMessage(`{}`), Created: at}
	}
	// Numbers have gaps where versions were deleted.
	if err := db.PutModels(ctx, []ModelPackage{version(2, "PendingManualApproval"), version(5, "Approved")}, []Approval{{"dev-census", 5, "Approved", "Ada L.", "good", at}}); err != nil {
		t.Fatal(err)
	}
	if err := db.PutModels(ctx, []ModelPackage{version(5, "Rejected")}, []Approval{{"dev-census", 5, "Rejected", "Grace H.", "stale", at}}); err != nil {
		t.Fatal(err)
	}
	all, err := db.Models(ctx, ModelQuery{Group: "dev-census"})
	if err != nil || len(all) != 2 || all[0].Version != 2 || all[1].Version != 5 || all[1].Status != "Rejected" || all[1].ARN != "arn:5" {
		t.Errorf("versions are %+v, error %v", all, err)
	}
	decisions, err := db.Approvals(ctx, "dev-census", 5)
	if err != nil || len(decisions) != 1 || decisions[0].Person != "Grace H." {
		t.Errorf("decisions are %+v, error %v", decisions, err)
	}
	groups, err := db.Groups(ctx)
	if err != nil || len(groups) != 1 {
		t.Errorf("groups are %v, error %v", groups, err)
	}
}
