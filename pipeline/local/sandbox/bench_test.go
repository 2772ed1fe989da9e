package sandbox

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"
)

// BenchmarkRun measures what a job costs beside its process: compare with Bare.
// The machine's other work shows in the mean; the quickest run and the median
// tell more.
func BenchmarkRun(b *testing.B) {
	b.Run("Bare", func(b *testing.B) {
		measure(b, func(int) error { return exec.Command("/bin/true").Run() })
	})
	for _, mode := range []Mode{Direct, Namespace} {
		b.Run(string(mode), func(b *testing.B) {
			if mode == Namespace {
				if err := Probe(b.Context()); err != nil {
					b.Skip(err)
				}
			}
			source, dir := b.TempDir(), b.TempDir()
			helpers := NewHelpers(mode, b.TempDir())
			defer helpers.Close()
			measure(b, func(n int) error {
				_, err := Run(b.Context(), Job{
					Helpers: helpers,
					Dir:     filepath.Join(dir, strconv.Itoa(n)), Mode: mode, Argv: []string{"/bin/true"},
					Mounts: []Mount{
						{Target: "/opt/ml/processing/input/code", Source: source},
						{Target: "/opt/ml/processing/input/Raw", Source: source},
						{Target: "/opt/ml/processing/output/Out", Kind: Output},
					},
				})
				return err
			})
		})
	}
}

func measure(b *testing.B, once func(n int) error) {
	var all []time.Duration
	for b.Loop() {
		begin := time.Now()
		if err := once(len(all)); err != nil {
			b.Fatal(err)
		}
		all = append(all, time.Since(begin))
	}
	slices.Sort(all)
	b.ReportMetric(float64(all[0].Microseconds()), "µs-min")
	b.ReportMetric(float64(all[len(all)/2].Microseconds()), "µs-median")
}
