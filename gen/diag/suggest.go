package diag

import (
	"fmt"
	"strings"
)

// Nearest returns the one of the words that is close enough to what was written
// to be what was meant, or an empty string. Case does not count; of equally near
// words the first is taken.
func Nearest(written string, words []string) string {
	best, bestAt := "", len(written)/3+2
	for _, w := range words {
		if apart := len(w) - len(written); apart >= 4*bestAt || -apart >= 4*bestAt {
			continue // too far, of however many bytes a letter is
		}
		if d := distance(strings.ToLower(written), strings.ToLower(w)); d < bestAt {
			best, bestAt = w, d
		}
	}
	return best
}

// DidYouMean is the hint that goes with an unknown word: the nearest known one,
// or the list of those there are. It is empty when there are none.
func DidYouMean(written string, words []string) string {
	if w := Nearest(written, words); w != "" {
		return fmt.Sprintf("did you mean %q?", w)
	}
	switch len(words) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("the only one there is here is %q", words[0])
	}
	return "use one of " + strings.Join(words, ", ")
}

// distance is the number of insertions, deletions, substitutions and swaps of
// neighbours that lead from a to b (optimal string alignment).
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	var before []int
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(x); i++ {
		next := make([]int, len(y)+1)
		next[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(y)]
}
