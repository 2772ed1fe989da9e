package pipeline_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/mlmax/mlmax/pipeline"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	d := &pipeline.Definition{Name: "census-training", Parameters: []pipeline.Parameter{
		{Key: "Data", Type: "string", Location: true, Default: "data/census.csv"},
		{Key: "MinROCAUC", Type: "float64", Default: 0.7, Min: new(0.0), Max: new(1.0)},
		{Key: "Rounds", Type: "int", Default: int64(3), Min: new(1.0)},
		{Key: "Mode", Type: "string", Default: "fast", Enum: []string{"fast", "slow"}},
		{Key: "Label", Type: "string", Pattern: "^[a-z]+$"},
		{Key: "Shuffle", Type: "bool", Default: true},
	}}
	tests := []struct {
		name  string
		input map[string]any
		want  string // lines, or empty for none
	}{
		{"defaults", map[string]any{"Label": "x"}, ""},
		{"all fit", map[string]any{"Label": "x", "Data": "a b/ü.csv", "MinROCAUC": 1.0, "Rounds": 4.0, "Mode": "slow", "Shuffle": false}, ""},
		{"an s3 location", map[string]any{"Label": "x", "Data": "s3://bucket/key"}, ""},
		{"missing", nil, `parameter "Label" has no default and no value was given`},
		{"unknown", map[string]any{"Label": "x", "b": 1, "a": 1}, "census-training has no parameter \"a\"\ncensus-training has no parameter \"b\""},
		{"below and above", map[string]any{"Label": "x", "MinROCAUC": 1.5, "Rounds": 0},
			"parameter \"MinROCAUC\" is 1.5, above its maximum 1\nparameter \"Rounds\" is 0, below its minimum 1"},
		{"not a number", map[string]any{"Label": "x", "MinROCAUC": math.NaN()}, `parameter "MinROCAUC" is NaN, which is not a number that JSON can hold`},
		{"not whole", map[string]any{"Label": "x", "Rounds": 2.5}, `parameter "Rounds" is 2.5, which is not a whole number`},
		{"not in the enum", map[string]any{"Label": "x", "Mode": "medium"}, `parameter "Mode" is "medium", not one of fast, slow`},
		{"not the pattern", map[string]any{"Label": "X"}, `parameter "Label" is "X", which does not match ^[a-z]+$`},
		{"wrong types", map[string]any{"Label": 1.0, "Rounds": "3", "Shuffle": nil},
			"parameter \"Rounds\" takes type int, not string\nparameter \"Label\" takes type string, not float64\nparameter \"Shuffle\" takes type bool, not <nil>"},
		{"control character", map[string]any{"Label": "a\nb"}, `parameter "Label" is "a\nb", which holds a control character`},
		{"no key", map[string]any{"Label": "x", "Data": "s3://bucket/"}, `parameter "Data" is "s3://bucket/", which is neither a path nor s3://bucket/key`},
		{"another scheme", map[string]any{"Label": "x", "Data": "http://x/y"}, `parameter "Data" is "http://x/y", which is neither a path nor s3://bucket/key`},
		{"a schedule's time, without a schedule", map[string]any{"Label": "x", "ScheduledTime": "2026-01-02T03:04:05Z"}, `census-training has no parameter "ScheduledTime"`},
		{"no location", map[string]any{"Label": "x", "Data": ""}, `parameter "Data" is empty: give a path or an s3:// URI`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if err := d.Check(tt.input); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, tt.want)
			}
		})
	}
}

func TestScheduledTime(t *testing.T) {
	t.Parallel()
	d := &pipeline.Definition{Name: "census-inference", Schedule: "rate(1 day)"}
	for _, tt := range []struct {
		value any
		want  string
	}{
		{"2026-01-02T03:04:05Z", ""},
		{"2026-01-02T03:04:05.678Z", ""},
		{"2026-01-02", "ScheduledTime is 2026-01-02, not a time such as 2026-01-02T03:04:05Z"},
		{7, "ScheduledTime is 7, not a time such as 2026-01-02T03:04:05Z"},
	} {
		got := ""
		if err := d.Check(map[string]any{pipeline.ScheduledTime: tt.value}); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%v: got %q, want %q", tt.value, got, tt.want)
		}
	}
}

func TestQuit(t *testing.T) {
	t.Parallel()
	if pipeline.Quit(context.Background()) != nil {
		t.Error("a context without quit has a channel")
	}
	stopped, stop := context.WithCancelCause(context.Background())
	ctx, quit := pipeline.WithQuit(stopped)
	stop(pipeline.ErrInterrupted)
	select {
	case <-pipeline.Quit(ctx):
		t.Error("the first interrupt quits")
	default:
	}
	quit()
	quit()
	<-pipeline.Quit(ctx)
	if got := context.Cause(ctx).Error(); !strings.Contains(got, "interrupted") {
		t.Errorf("cause = %q", got)
	}
}
