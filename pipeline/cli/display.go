package cli

import (
	"io"
	"os"
	"time"

	"github.com/mlmax/mlmax/pipeline/progress"
	"golang.org/x/term"
)

// newDisplay draws in place on a terminal, and appends lines elsewhere; on a CI
// machine it says less often how long work goes on.
func newDisplay(w io.Writer, s progress.State, quiet bool) (progress.Display, func()) {
	f, ok := terminal(w)
	if !ok {
		every := 2 * time.Second
		if os.Getenv("CI") != "" {
			every = 30 * time.Second
		}
		d := progress.Plain(w, s, progress.PlainOptions{Every: every, Quiet: quiet})
		return d, d.Close
	}
	ticker := time.NewTicker(100 * time.Millisecond)
	d := progress.Live(w, s, progress.LiveOptions{
		Width: func() int {
			width, _, err := term.GetSize(int(f.Fd()))
			if err != nil || width <= 0 {
				return 80 // a terminal that does not know
			}
			return width
		},
		Tick:  ticker.C,
		Color: colored(w),
		Quiet: quiet,
	})
	return d, func() {
		ticker.Stop()
		d.Close()
	}
}

// terminal reports whether what is written goes to a terminal that can move its
// cursor.
func terminal(w io.Writer) (*os.File, bool) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb" {
		return nil, false
	}
	return f, true
}

// colored reports whether what is written may hold colours: on a terminal, unless
// the user wants none (no-color.org).
func colored(w io.Writer) bool {
	_, ok := terminal(w)
	return ok && os.Getenv("NO_COLOR") == ""
}
