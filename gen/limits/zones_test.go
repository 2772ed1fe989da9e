package limits_test

import (
	"testing"
	"time"
	_ "time/tzdata" // for machines that have no database

	"github.com/mlmax/mlmax/gen/limits"
)

// maxZone is how long ScheduleExpressionTimezone may be (EventBridge Scheduler API).
const maxZone = 50

// TestZones wants every name to be one that Go knows, and no other to count.
func TestZones(t *testing.T) {
	t.Parallel()
	all := limits.Zones()
	if len(all) < 400 {
		t.Fatalf("%d zones", len(all))
	}
	for _, name := range all {
		if _, err := time.LoadLocation(name); err != nil || len(name) > maxZone || !limits.IsZone(name) {
			t.Errorf("%q: %v, %d characters", name, err, len(name))
		}
	}
	for _, name := range []string{"", "Local", "Factory", "Europe", "Europe/Berlino", "europe/berlin", "Mars/Olympus"} {
		if limits.IsZone(name) {
			t.Errorf("%q counts as a zone", name)
		}
	}
}
