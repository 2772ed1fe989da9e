package storytest

import (
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/mlmax/mlmax/internal/awsfake"
	"github.com/mlmax/mlmax/pipeline/local"
)

// TestStory tells the story in this project's own account, with every policy enforced.
func TestStory(t *testing.T) {
	t.Parallel()
	interpreter := python(t)
	w := awsfake.New(awsfake.Options{Enforce: true, Jobs: local.JobsOptions{Python: interpreter, Packages: "installed"}}, "story-bucket")
	server := w.Serve()
	t.Cleanup(func() {
		server.Close()
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	g := &gate{}
	w.Interfere(func(awsfake.TaskCall) error {
		g.pass()
		return nil
	})
	s := newStory(t, &account{
		env: w.Env(server.URL), bucket: "story-bucket", flags: []string{"--bucket", "story-bucket"}, s3: client(server.URL),
		runs: true, same: true, hold: g.hold, patience: 3 * time.Minute,
	}, interpreter)
	s.tell()
	if denied := w.Denied(); len(denied) > 0 {
		t.Errorf("refused: %v", denied)
	}
}

// client is one of S3 at an endpoint of loopback.
func client(url string) *s3.Client {
	return s3.New(s3.Options{
		Region: "eu-west-1", BaseEndpoint: aws.String(url), UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider("AKIAFAKEFAKEFAKEFAKE", "fake", ""),
	})
}

// A gate lets jobs wait while it is held.
type gate struct{ mu sync.RWMutex }

func (g *gate) hold(held bool) {
	if held {
		g.mu.Lock()
	} else {
		g.mu.Unlock()
	}
}

func (g *gate) pass() {
	g.mu.RLock()
	defer g.mu.RUnlock()
}
