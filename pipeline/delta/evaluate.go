package delta

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/mlmax/mlmax/pipeline/asl"
)

// evaluate computes an expression of the machine that needs nothing of a run: its value,
// with placeholders for the run's id and times. False if it needs more, or is none. It is
// computed as a run would: in a machine of its own.
func evaluate(expression string, input string) (any, bool) {
	if !strings.HasPrefix(expression, "{%") {
		return nil, false
	}
	m := &asl.Machine{QueryLanguage: "JSONata", StartAt: "Assume", States: []*asl.State{
		{Name: "Assume", Type: asl.PassState, Next: "Compute", Assign: asl.Object{{Key: "run", Value: "RUN"}, {Key: "request", Value: asl.Object{}}}},
		{Name: "Compute", Type: asl.PassState, Output: expression, End: true},
	}}
	r, err := asl.Run(context.Background(), m, json.RawMessage(input), asl.Options{
		Clock: asl.NewVirtualClock(time.Unix(0, 0).UTC()),
	})
	if err != nil || r.Status != asl.Succeeded {
		return nil, false
	}
	var result asl.Object
	if json.Unmarshal([]byte(`{"v":`+string(r.Output)+`}`), &result) != nil {
		return nil, false
	}
	return result[0].Value, true
}

// computed is an object that is written out, or computed by an expression.
func computed(v any) asl.Object {
	if s, ok := v.(string); ok {
		v, _ = evaluate(s, "{}")
	}
	o, _ := v.(asl.Object)
	return o
}
