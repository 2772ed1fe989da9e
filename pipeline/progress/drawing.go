package progress

import (
	"fmt"
	"io"
	"strings"
)

// A Drawing is text on a terminal that is drawn anew in its place. The zero value has
// not been drawn.
type Drawing struct{ lines int }

// Draw writes lines that stay over the last drawing, and the new drawing below them, at
// once: nothing is cleared that stays, so that nothing flickers. A line that stays may be
// longer than a row; one of the drawing may not, since its rows are counted.
func (d *Drawing) Draw(w io.Writer, above []string, text string) {
	var b strings.Builder
	if d.lines > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\r", d.lines)
	}
	for _, line := range above {
		b.WriteString(line + "\x1b[K\n")
	}
	b.WriteString(strings.ReplaceAll(text, "\n", "\x1b[K\n"))
	lines := strings.Count(text, "\n")
	if lines+len(above) < d.lines {
		b.WriteString("\x1b[J")
	}
	d.lines = lines
	// A terminal that is gone must not end what is shown.
	_, _ = io.WriteString(w, b.String())
}
