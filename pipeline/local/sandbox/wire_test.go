package sandbox_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/mlmax/mlmax/pipeline/local/sandbox"
)

// TestWire: what the runner says is what the helper hears, and nothing that is cut
// off is taken for the whole.
func TestWire(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[^\x00]{0,8}`)
		words := rapid.SliceOfN(word, 0, 4)
		layers := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) [4]string {
			return [4]string{word.Draw(t, "target"), word.Draw(t, "lower"), word.Draw(t, "upper"), word.Draw(t, "work")}
		}), 0, 3)
		diff := sandbox.WireRoundTrip(
			words.Draw(t, "argv"), words.Draw(t, "env"), words.Draw(t, "keep"), word.Draw(t, "dir"), layers.Draw(t, "layers"),
			rapid.Bool().Draw(t, "check"), rapid.Bool().Draw(t, "root"), rapid.IntRange(0, 1<<20).Draw(t, "cut"),
			rapid.Int().Draw(t, "code"), rapid.Int().Draw(t, "signal"), rapid.Int64().Draw(t, "rss"), rapid.Bool().Draw(t, "spent"))
		if diff != "" {
			t.Error(diff)
		}
	})
}
