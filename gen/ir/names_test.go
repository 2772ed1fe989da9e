package ir_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/mlmax/mlmax/gen/ir"
)

func TestStateName(t *testing.T) {
	t.Parallel()
	short, long := "Read A.B", "Read "+strings.Repeat("ü", 60)
	if got := ir.StateName(short); got != short {
		t.Errorf("%q becomes %q", short, got)
	}
	a, b := ir.StateName(long), ir.StateName(long+"x")
	if len(a) > ir.MaxStateName || len(b) > ir.MaxStateName || a == b || !strings.HasPrefix(a, "Read ü") {
		t.Errorf("%q and %q", a, b)
	}
}

func TestJobName(t *testing.T) {
	t.Parallel()
	// SageMaker API, shape ProcessingJobName.
	valid := regexp.MustCompile(`^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$`)
	long := strings.Repeat("a", 30)
	seen := map[string]bool{}
	for _, c := range []struct {
		pipeline, step string
		shortened      bool
	}{
		{"census-training", "Preprocess", false}, {"p", "S", false}, {long, "Train", true}, {long, "Train2", true},
		{long, "Trainx_y", true}, {strings.Repeat("ab-", 20), "S", true}, {"p", "A_B", false},
	} {
		name, shortened := ir.JobName(c.pipeline, c.step)
		full := strings.Repeat("e", ir.MaxEnvironment) + "-" + name + "-" + strings.Repeat("0", ir.RunLength) + "-99-99"
		if !valid.MatchString(full) || shortened != c.shortened || seen[name] {
			t.Errorf("%s, %s: %q (%d characters), shortened %t", c.pipeline, c.step, full, len(full), shortened)
		}
		seen[name] = true
	}
}
