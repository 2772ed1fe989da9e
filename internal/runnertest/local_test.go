package runnertest

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/mlmax/mlmax/internal/censustest"
	"github.com/mlmax/mlmax/pipeline/local"
)

// steady is a clock whose time is the system's, whose waits take next to none, and whose
// alarms never go off.
type steady struct{}

func (steady) Now() time.Time { return time.Now() }

func (steady) Wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
	case <-time.After(min(d, 20*time.Millisecond)):
	}
	return ctx.Err()
}

func (steady) AfterFunc(time.Duration, func()) (stop func()) { return func() {} }

func TestLocal(t *testing.T) {
	t.Parallel()
	Run(t, func(t *testing.T, m *censustest.Module) Runner {
		r, err := local.New(local.Options{Module: m.Dir, Isolation: "direct", Clock: steady{}})
		if err != nil {
			t.Fatal(err)
		}
		return Runner{Runner: r, Tail: func(log string, lines int) []string {
			text, err := os.ReadFile(log)
			if err != nil {
				t.Error(err)
			}
			return strings.Split(string(text), "\n")
		}}
	})
}
