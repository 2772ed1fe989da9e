package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/mlmax/mlmax/internal/awsfake"
	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/cloud"
)

// account is an account with a bucket, and a way to open the environment dev of a pipeline
// in it. Faults may hit its calls.
func account(t *testing.T, rules ...awsfake.Rule) (*awsfake.World, func(*pipeline.Definition) *cloud.Place) {
	t.Helper()
	w := awsfake.New(awsfake.Options{Clock: asl.NewVirtualClock(start)}, "data")
	return w, through(t, w, rules...)
}

// through is a way into an account, with faults of its own.
func through(t *testing.T, w *awsfake.World, rules ...awsfake.Rule) func(*pipeline.Definition) *cloud.Place {
	t.Helper()
	proxy := awsfake.NewProxy(w)
	proxy.Inject(rules...)
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	return func(d *pipeline.Definition) *cloud.Place {
		t.Helper()
		copied := *d
		copied.Environments = map[string][]byte{"dev": []byte(fmt.Sprintf(
			`[{"ParameterKey":"Env","ParameterValue":"dev"},{"ParameterKey":"Region","ParameterValue":%q},{"ParameterKey":"Bucket","ParameterValue":"data"},{"ParameterKey":"Prefix","ParameterValue":"team/"}]`, w.Region))}
		p, err := cloud.Open(context.Background(), cloud.Target{Definition: &copied, Environment: "dev", Command: "training"}, cloud.Options{
			Clock: asl.NewVirtualClock(start), MaxBackoff: time.Millisecond, Load: awsfake.Config(server.URL),
		})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
}

// count is how often an operation was called so far.
func count(w *awsfake.World, action string) int {
	n := 0
	for _, c := range w.Calls() {
		if c.Action == action {
			n++
		}
	}
	return n
}

// member is one of a manifest's members in the bucket.
func member(t *testing.T, w *awsfake.World, key, name string) string {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal(w.GetObject("data", key), &all); err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	text, _ := all[name].(string)
	return text
}
