package runnertest

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/mlmax/mlmax/internal/awsfake"
	"github.com/mlmax/mlmax/internal/censustest"
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
	w := awsfake.New(awsfake.Options{Clock: steady{}}, "acme-ml-dev")
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	server := w.Serve()
	t.Cleanup(server.Close)
	p, err := cloud.Open(t.Context(), cloud.Target{Definition: m.Definition, Environment: "dev", Command: "training"}, cloud.Options{
		Clock: steady{},
		Load: []func(*config.LoadOptions) error{
			config.WithBaseEndpoint(server.URL), config.WithSharedConfigFiles([]string{}), config.WithSharedCredentialsFiles([]string{}),
			config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("AKIAFAKEFAKEFAKEFAKE", "fake", "")),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	Deploy(t, w, p, m)
	return p
}
