package progress

import (
	"fmt"
	"io"
	"time"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/terminal"
)

// A Display shows a run. Event and Say may be called by several goroutines.
type Display interface {
	Event(pipeline.Event)
	// Say shows a line that is not the run's own.
	Say(line string)
	// Close draws what is left and returns when nothing more will be written.
	Close()
}

// said is the kind of the event that carries a line to say.
const said pipeline.EventKind = "said"

// LiveOptions say how a live display draws.
type LiveOptions struct {
	// Width is asked for the number of columns before each drawing.
	Width func() int
	// Tick says when to draw, about ten times a second at most.
	Tick <-chan time.Time
	// Color paints statuses, Quiet leaves the steps' own output out.
	Color, Quiet bool
}

// maxPending is how many lines of output one drawing shows at most.
const maxPending = 200

// Live draws a run in place on a terminal, and what its steps write above that.
// One goroutine owns the terminal. It redraws at ticks alone, however many events
// there are, moves the cursor up and never clears what stays: nothing flickers.
func Live(w io.Writer, s State, o LiveOptions) Display {
	l := &live{
		w: w, state: s, options: o,
		events: make(chan pipeline.Event), stop: make(chan struct{}), stopped: make(chan struct{}),
	}
	go l.run()
	return l
}

// A line above the drawing. What the command itself says is shown whole: it holds links
// and commands to be copied. What steps write is cut, for it is in their logs.
type above struct {
	text  string
	whole bool
}

type live struct {
	w       io.Writer
	state   State
	options LiveOptions

	events        chan pipeline.Event
	stop, stopped chan struct{}

	changed bool
	pending []above // to be printed above the drawing
	dropped int     // of them, for there were too many
	drawing Drawing
}

func (l *live) Event(e pipeline.Event) {
	select {
	case l.events <- e:
	case <-l.stopped:
	}
}

func (l *live) Say(line string) { l.Event(pipeline.Event{Kind: said, Message: line}) }

func (l *live) Close() {
	close(l.stop)
	<-l.stopped
}

// run is the goroutine that owns the terminal.
func (l *live) run() {
	defer close(l.stopped)
	for {
		select {
		case e := <-l.events:
			l.take(e)
		case now := <-l.options.Tick:
			l.state = l.state.At(now)
			if l.changed || l.state.Status == pipeline.Running {
				l.draw()
			}
		case <-l.stop:
			l.draw()
			return
		}
	}
}

func (l *live) take(e pipeline.Event) {
	l.changed = true
	l.state = Reduce(l.state, e)
	switch {
	case e.Kind == said:
		l.say(terminal.Clean(e.Message))
	case e.Kind == pipeline.Warned:
		l.say("warning: " + terminal.Clean(e.Message))
	case e.Kind == pipeline.StepExplained:
		l.pending = append(l.pending, above{text: fmt.Sprintf("%s: runs, %s", terminal.Clean(e.Step), terminal.Clean(e.Message))})
	case e.Kind == pipeline.StepLog && !l.options.Quiet:
		if len(l.pending) >= maxPending {
			l.pending = l.pending[1:]
			l.dropped++
		}
		l.pending = append(l.pending, above{text: logLine(e)})
	}
}

// say shows a line as a whole, however many rows that takes.
func (l *live) say(line string) { l.pending = append(l.pending, above{line, true}) }

// logLine is a line of a step's output as it is shown.
func logLine(e pipeline.Event) string {
	return "  " + terminal.Clean(e.Step) + " | " + terminal.Clean(e.Message)
}

// draw writes the pending lines and the state over the last drawing.
func (l *live) draw() {
	width := max(20, l.options.Width()) - 1 // a full line would wrap on some terminals
	var lines []string
	if l.dropped > 0 {
		lines = append(lines, Cut(fmt.Sprintf("  … %d lines not shown; they are in the log", l.dropped), width))
	}
	for _, one := range l.pending {
		if !one.whole {
			one.text = Cut(one.text, width)
		}
		lines = append(lines, one.text)
	}
	l.drawing.Draw(l.w, lines, Render(l.state, width, l.options.Color))
	l.pending, l.dropped, l.changed = nil, 0, false
}
