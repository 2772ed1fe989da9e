package limits_test

import (
	"bytes"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mlmax/mlmax/gen/limits"
	"github.com/mlmax/mlmax/gen/limits/internal/model"
)

// TestTableIsFresh derives the table again from the wheel that
// MLMAX_BOTOCORE_WHEEL names.
func TestTableIsFresh(t *testing.T) {
	t.Parallel()
	wheel := os.Getenv("MLMAX_BOTOCORE_WHEEL")
	if wheel == "" {
		t.Skip("MLMAX_BOTOCORE_WHEEL names no wheel of botocore to compare the table with (pip download --no-deps botocore)")
	}
	b, err := os.ReadFile(wheel)
	if err != nil {
		t.Fatal(err)
	}
	want, err := model.Wheel(wheel, b)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("limits.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("limits.json is not what %s leads to; run make limits (-committed +derived):\n%s", wheel, cmp.Diff(string(got), string(want)))
	}
}

// TestKnownLimits compares single rows with what the AWS documents say.
func TestKnownLimits(t *testing.T) {
	t.Parallel()
	tests := []struct {
		shape    string
		min, max int // -1: not bounded
	}{
		{"ProcessingJobName", 1, 63},
		{"TrainingJobName", 1, 63},
		{"ProcessingInputs", -1, 10},
		{"ProcessingOutputs", -1, 10},
		{"ContainerArguments", 1, 100},
		{"ContainerArgument", -1, 256},
		{"HyperParameters", -1, 100},
		{"HyperParameterValue", -1, 2500},
		{"ProcessingEnvironmentValue", -1, 256},
		{"TrainingEnvironmentValue", -1, 512},
		{"ProcessingMaxRuntimeInSeconds", 1, 777600},
		{"ProcessingVolumeSizeInGB", 1, 16384},
		{"InputDataConfig", 1, 20},
		{"stepfunctions.Name", 1, 80},
		{"iam.roleNameType", 1, 64},
	}
	for _, tt := range tests {
		t.Run(tt.shape, func(t *testing.T) {
			t.Parallel()
			b := limits.Of(tt.shape)
			if got := value(b.Min); got != tt.min {
				t.Errorf("min = %d, want %d", got, tt.min)
			}
			if got := value(b.Max); got != tt.max {
				t.Errorf("max = %d, want %d", got, tt.max)
			}
			if tt.max > 0 && (!b.Allows(tt.max) || b.Allows(tt.max+1)) {
				t.Errorf("Allows disagrees with max %d", tt.max)
			}
		})
	}
}

func value(n *int64) int {
	if n == nil {
		return -1
	}
	return int(*n)
}

func TestEnums(t *testing.T) {
	t.Parallel()
	for _, shape := range []string{"ProcessingInstanceType", "TrainingInstanceType", "TransformInstanceType", "logs.Days"} {
		values := limits.Enum(shape)
		if len(values) < 20 || !slices.IsSorted(values) {
			t.Errorf("%s: %d values, sorted %v", shape, len(values), slices.IsSorted(values))
		}
	}
	if !limits.InEnum("ProcessingInstanceType", "ml.m5.xlarge") || limits.InEnum("ProcessingInstanceType", "ml.c5n.xlarge") ||
		!limits.InEnum("TrainingInstanceType", "ml.c5n.xlarge") {
		t.Error("ml.c5n.xlarge is for training only, ml.m5.xlarge for processing, too")
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	name := limits.Of("TrainingJobName")
	for s, want := range map[string]bool{"dev-census-train": true, "-dev": false, "dev_census": false, "a\nb": false} {
		if name.Matches(s) != want {
			t.Errorf("Matches(%q) = %v, want %v", s, !want, want)
		}
	}
	if limits.Of("HyperParameterValue").Matches("two\nlines") {
		t.Error("a hyperparameter's value may not hold a new line")
	}
}
