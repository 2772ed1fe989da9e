package progress

import (
	"fmt"
	"io"
	"strings"
)

// A Drawing is text on a terminal that is drawn anew in its place. The zero value has
// not been drawn.
type Drawing struct{ lines int }

// Draw writes lines that stay, cut to the width, over the last drawing, and the new
// drawing below them, at once: nothing is cleared that stays, so that nothing flickers.
func (d *Drawing) Draw(w io.Writer, above []string, text string, width int) {
	var b strings.Builder
	if d.lines > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\r", d.lines)
	}
	for _, line := range above {
		b.WriteString(Cut(line, width) + "\x1b[K\n")
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
