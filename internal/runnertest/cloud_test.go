package runnertest

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/mlmax/mlmax/internal/awsfake"
	"github.com/mlmax/mlmax/internal/censustest"
	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/cloud"
	"github.com/mlmax/mlmax/pipeline/cloud/execution"
)

func TestCloud(t *testing.T) {
	t.Parallel()
	Run(t, func(t *testing.T, m *censustest.Module) Runner {
		p := deployed(t, m)
		return Runner{Runner: &execution.Runner{Place: p}, Tail: func(log string, lines int) []string {
			return execution.Tail(context.Background(), p, log, lines)
		}}
	})
}

// deployed is an account of its own in which a module's pipeline is deployed, and its
// sample data is in place.
func deployed(t *testing.T, m *censustest.Module) *cloud.Place {
	t.Helper()
	_, p := account(t, m)
	return p
}

// account is that of a pipeline that is deployed, and the place that it is deployed in.
func account(t *testing.T, m *censustest.Module) (*awsfake.World, *cloud.Place) {
	t.Helper()
	w := awsfake.New(awsfake.Options{Clock: censustest.Steady{}}, "acme-ml-dev")
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	p := place(t, w, m)
	Deploy(t, w, p, m)
	return w, p
}

// place is the place of a module's pipeline in an account that a handler answers for.
func place(t *testing.T, h http.Handler, m *censustest.Module) *cloud.Place {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	p, err := cloud.Open(t.Context(), cloud.Target{Definition: m.Definition, Environment: "dev", Command: "training"}, cloud.Options{
		Clock: censustest.Steady{},
		Load: []func(*config.LoadOptions) error{
			config.WithBaseEndpoint(server.URL), config.WithSharedConfigFiles([]string{}), config.WithSharedCredentialsFiles([]string{}),
			config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("AKIAFAKEFAKEFAKEFAKE", "fake", "")),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestCloudThroughFaults has every kind of call of a run meet every kind of fault that
// passes: each run ends as it would have, and was started once.
func TestCloudThroughFaults(t *testing.T) {
	t.Parallel()
	m := censustest.From(t, steps)
	w, whole := account(t, m)
	run := func(t *testing.T, h http.Handler) {
		o, err := (&execution.Runner{Place: place(t, h, m)}).Run(t.Context(), m.Definition, json.RawMessage(`{}`), nil)
		if err != nil || o.Status != pipeline.Succeeded || o.Model == nil || len(o.Artifacts) != 6 {
			t.Errorf("outcome is %+v, error %v", o, err)
		}
	}
	quiet := awsfake.NewProxy(w)
	run(t, quiet)
	calls := quiet.Counts()
	runs := 1
	t.Run("faults", func(t *testing.T) {
		for _, on := range slices.Sorted(maps.Keys(calls)) {
			if on == "sts.GetCallerIdentity" {
				continue // before there is a place
			}
			for _, f := range []awsfake.Fault{awsfake.Throttle, awsfake.Unavailable, awsfake.LostAnswer, awsfake.Truncated} {
				runs++
				t.Run(on+" "+string(f), func(t *testing.T) {
					t.Parallel()
					proxy := awsfake.NewProxy(w)
					proxy.Inject(awsfake.Rule{On: on, Nth: 1, Fault: f})
					run(t, proxy)
					if len(proxy.Struck()) != 1 {
						t.Errorf("struck %v", proxy.Struck())
					}
				})
			}
		}
	})
	started, err := execution.List(t.Context(), whole, 0)
	if err != nil || len(started) != runs {
		t.Errorf("%d runs left %d executions (%v)", runs, len(started), err)
	}
	t.Logf("%d faults", runs-1)
}
