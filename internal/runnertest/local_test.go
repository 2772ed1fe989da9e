package runnertest

import (
	"os"
	"strings"
	"testing"

	"github.com/mlmax/mlmax/internal/censustest"
	"github.com/mlmax/mlmax/pipeline/local"
)

func TestLocal(t *testing.T) {
	t.Parallel()
	Run(t, func(t *testing.T, m *censustest.Module) Runner {
		r, err := local.New(local.Options{Module: m.Dir, Isolation: "direct", Clock: censustest.Steady{}})
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
