package code

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// large makes a code folder of 1,000 files of 6 kB in 20 folders, some 6 MB of
// text that packs like source does.
func large(tb testing.TB) string {
	tb.Helper()
	dir := tb.TempDir()
	words := strings.Fields("def return import numpy as np for row in table if value is None else self model fit x y train = + ( ) : score")
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 1000 {
		name := filepath.Join(dir, fmt.Sprintf("pkg%02d", i%20), fmt.Sprintf("module_%04d.py", i))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			tb.Fatal(err)
		}
		var text strings.Builder
		for text.Len() < 6000 {
			fmt.Fprintf(&text, "%s%d ", words[rng.IntN(len(words))], rng.IntN(50))
			if rng.IntN(8) == 0 {
				text.WriteByte('\n')
			}
		}
		if err := os.WriteFile(name, []byte(text.String()), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

// BenchmarkArchive lists, digests and packs 1,000 files, as a first upload does.
func BenchmarkArchive(b *testing.B) {
	fsys := os.DirFS(large(b))
	for b.Loop() {
		_, files, err := Digest(fsys)
		if err != nil {
			b.Fatal(err)
		}
		var n counter
		if err := Archive(&n, fsys, files); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(n), "bytes")
	}
}

// A counter counts what is written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

var _ io.Writer = (*counter)(nil)
