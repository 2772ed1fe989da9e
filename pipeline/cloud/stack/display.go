package stack

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/mlmax/mlmax/pipeline/progress"
	"github.com/mlmax/mlmax/pipeline/terminal"
)

// A Display shows the work on a stack. Its methods may be called by several
// goroutines.
type Display interface {
	// Begin starts to show a piece of work, End ends that: what was shown stays.
	Begin(Tree)
	Event(Event)
	End()
	// Say shows a line that is not the stack's own.
	Say(line string)
	// Close draws what is left and returns when nothing more will be written.
	Close()
}

// LiveOptions say how a live display draws.
type LiveOptions struct {
	// Width is asked for the number of columns before each drawing.
	Width func() int
	// Tick says when to draw, with the time.
	Tick <-chan time.Time
	// Color paints phases.
	Color bool
}

// Live draws the work on a stack in place on a terminal. It redraws at ticks alone.
func Live(w io.Writer, o LiveOptions) Display {
	l := &live{w: w, options: o, stop: make(chan struct{}), stopped: make(chan struct{})}
	go l.run()
	return l
}

type live struct {
	options       LiveOptions
	stop, stopped chan struct{}

	mu      sync.Mutex
	w       io.Writer
	tree    Tree
	pending []string
	drawing progress.Drawing
}

func (l *live) Begin(t Tree) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.finish()
	l.tree = t
}

func (l *live) End() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.finish()
}

func (l *live) Event(e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tree = Reduce(l.tree, e)
}

func (l *live) Say(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending = append(l.pending, terminal.Clean(line))
	if l.tree.Stack == "" {
		l.draw(l.tree.Now) // nothing is being drawn that it would have to stand above
	}
}

func (l *live) Close() {
	close(l.stop)
	<-l.stopped
	l.mu.Lock()
	defer l.mu.Unlock()
	l.finish()
}

// run draws at ticks.
func (l *live) run() {
	defer close(l.stopped)
	for {
		select {
		case now := <-l.options.Tick:
			l.mu.Lock()
			l.draw(now)
			l.mu.Unlock()
		case <-l.stop:
			return
		}
	}
}

// finish draws what was going on for the last time: it stays.
func (l *live) finish() {
	l.draw(l.tree.Now)
	l.tree, l.drawing = Tree{}, progress.Drawing{}
}

func (l *live) draw(now time.Time) {
	width := max(20, l.options.Width()) - 1 // a full line would wrap on some terminals
	if l.tree.Stack == "" && len(l.pending) == 0 {
		return
	}
	text := ""
	if l.tree.Stack != "" {
		if !l.tree.Over() {
			l.tree = l.tree.At(now)
		}
		text = Render(l.tree, width, l.options.Color)
	}
	l.drawing.Draw(l.w, l.pending, text)
	l.pending = nil
}

// Plain appends one line for each change, and nothing that would steer a terminal.
func Plain(w io.Writer) Display { return &plain{w: w} }

type plain struct {
	mu   sync.Mutex
	w    io.Writer
	tree Tree
}

func (p *plain) Close() {}

func (p *plain) End() {}

func (p *plain) Say(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.line("%s", terminal.Clean(line))
}

func (p *plain) Begin(t Tree) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tree = t
	p.line("%s", terminal.Clean(t.Doing+" stack "+t.Stack+" in "+t.Region))
}

func (p *plain) Event(e Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.tree
	p.tree = Reduce(before, e)
	if e.Own {
		p.own(before)
		return
	}
	b := branch(p.tree, e.Logical)
	if old := branch(before, e.Logical); old.Phase == b.Phase && old.Reason == b.Reason {
		return
	}
	text := fmt.Sprintf("  %s (%s): %s", terminal.Clean(b.Name), terminal.Clean(b.Logical), b.Phase)
	if !b.Ended.IsZero() && b.Ended.After(b.Started) {
		text += " after " + progress.Span(b.Ended.Sub(b.Started).Seconds())
	}
	if b.Phase == Failed && b.Reason != "" {
		text += ": " + terminal.Clean(b.Reason)
	}
	p.line("%s", text)
}

// own says what became of the stack as a whole.
func (p *plain) own(before Tree) {
	t := p.tree
	switch {
	case t.Over():
		p.line("stack %s: %s after %s", terminal.Clean(t.Stack), t.Phase, progress.Span(t.Ended.Sub(t.Started).Seconds()))
	case before.Phase != t.Phase:
		p.line("stack %s: %s", terminal.Clean(t.Stack), t.Phase)
	}
}

// branch finds a resource in a tree.
func branch(t Tree, logical string) Branch {
	for _, b := range t.Branches {
		if b.Logical == logical {
			return b
		}
	}
	return Branch{}
}

// line writes one line. A reader that is gone must not end the work.
func (p *plain) line(format string, args ...any) { _, _ = fmt.Fprintf(p.w, format+"\n", args...) }
