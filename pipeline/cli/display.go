package cli

import (
	"io"
	"os"
	"time"

	"github.com/mlmax/mlmax/pipeline/progress"
	"golang.org/x/term"
)

// newDisplay draws in place on a terminal, and appends lines elsewhere; on a CI
// machine it says less often that long work goes on.
func newDisplay(w io.Writer, s progress.State, quiet bool) (progress.Display, func()) {
	f, ok := screen(w)
	if !ok {
		every, silence := 2*time.Second, 30*time.Second
		if os.Getenv("CI") != "" {
			every, silence = 30*time.Second, 2*time.Minute
		}
		ticker := time.NewTicker(time.Second)
		d := progress.Plain(w, s, progress.PlainOptions{Every: every, Quiet: quiet, Tick: ticker.C, Silence: silence})
		return d, func() {
			ticker.Stop()
			d.Close()
		}
	}
	ticker := time.NewTicker(100 * time.Millisecond)
	d := progress.Live(w, s, progress.LiveOptions{
		Width: widthOf(f),
		Tick:  ticker.C,
		Color: colored(w),
		Quiet: quiet,
	})
	return d, func() {
		ticker.Stop()
		d.Close()
	}
}

// screen reports whether what is written goes to a terminal that can move its
// cursor.
func screen(w io.Writer) (*os.File, bool) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb" {
		return nil, false
	}
	return f, true
}

// colored reports whether what is written may hold colours: on a terminal, unless
// the user wants none (no-color.org).
func colored(w io.Writer) bool {
	_, ok := screen(w)
	return ok && os.Getenv("NO_COLOR") == ""
}

// widthOf asks a terminal for its columns.
func widthOf(f *os.File) func() int {
	return func() int {
		width, _, err := term.GetSize(int(f.Fd()))
		if err != nil || width <= 0 {
			return 80 // a terminal that does not know
		}
		return width
	}
}
