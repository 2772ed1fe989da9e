package progress

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/terminal"
)

// PlainOptions say what a plain display writes.
type PlainOptions struct {
	// Every is the least time between two lines on the same long work; a CI
	// machine's is longer than a person's.
	Every time.Duration
	// Lines is how many lines of one step's output are shown; 0 is 1,000.
	Lines int
	// Quiet leaves the steps' own output out.
	Quiet bool
	// Tick says when to look whether nothing has been written for as long as
	// Silence; what goes on is then said again. Nil never looks.
	Tick    <-chan time.Time
	Silence time.Duration
}

// Plain appends one line for each change, and nothing that would steer a terminal.
func Plain(w io.Writer, s State, o PlainOptions) Display {
	if o.Lines == 0 {
		o.Lines = 1000
	}
	p := &plain{w: w, state: s, options: o, shown: map[string]int{}, stop: make(chan struct{}), stopped: make(chan struct{})}
	go p.watch()
	return p
}

type plain struct {
	mu      sync.Mutex
	w       io.Writer
	state   State
	options PlainOptions
	shown   map[string]int // lines of output, by step
	said    string         // the last message on long work
	saidAt  time.Time      // when it was said
	begun   time.Time      // when that work began
	wroteAt time.Time      // the time of the last line

	stop, stopped chan struct{}
}

func (p *plain) Close() {
	close(p.stop)
	<-p.stopped
}

// watch says now and then that something is going on.
func (p *plain) watch() {
	defer close(p.stopped)
	for {
		select {
		case now := <-p.options.Tick:
			p.alive(now)
		case <-p.stop:
			return
		}
	}
}

// alive says what goes on, if nothing has been written for long.
func (p *plain) alive(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state.Status != pipeline.Running || now.Sub(p.wroteAt) < p.options.Silence {
		return
	}
	p.state = p.state.At(now)
	if p.state.Preparing != "" {
		p.line("%s: still busy after %s", preparing(p.state), Span(now.Sub(p.begun).Seconds()))
		return
	}
	for _, step := range p.state.Steps {
		if step.Status == pipeline.Running && step.RetryAt.IsZero() {
			p.line("%s: still running after %s", terminal.Clean(step.Name), Span(now.Sub(step.Started).Seconds()))
		}
	}
}

func (p *plain) Say(line string) { p.Event(pipeline.Event{Kind: said, Message: line}) }

func (p *plain) Event(e pipeline.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = Reduce(p.state, e)
	step := terminal.Clean(e.Step)
	switch e.Kind {
	case pipeline.RunStarted:
		p.line("%s: run %s started", terminal.Clean(p.state.Pipeline), terminal.Clean(e.Run))
	case pipeline.Preparing:
		p.preparing(e)
	case pipeline.StepStarted:
		if e.Attempt > 0 {
			p.line("%s: started, try %d", step, e.Attempt+1)
		} else {
			p.line("%s: started", step)
		}
	case pipeline.StepRetried:
		p.line("%s: try %d failed, the next one starts in %s: %s", step, e.Attempt, Span(e.Wait.Seconds()), terminal.Clean(e.Message))
	case pipeline.StepSucceeded:
		from := ""
		if e.Cached && e.Message != "" {
			from = " (" + terminal.Clean(e.Message) + ")"
		}
		p.line("%s: %s in %s%s", step, word(pipeline.Succeeded, e.Cached), Span(e.Seconds), from)
	case pipeline.StepExplained:
		p.line("%s: runs, %s", step, terminal.Clean(e.Message))
	case pipeline.StepFailed:
		status := e.Status
		if status == "" {
			status = pipeline.Failed
		}
		p.line("%s: %s after %s%s", step, word(status, false), Span(e.Seconds), colon(e.Message))
	case pipeline.StepSkipped:
		p.line("%s: skipped%s", step, colon(e.Message))
	case pipeline.StepLog:
		p.log(e)
	case said:
		p.line("%s", terminal.Clean(e.Message))
	case pipeline.Warned:
		p.line("warning: %s", terminal.Clean(e.Message))
	case pipeline.RunEnded:
		p.line("%s: %s after %s", terminal.Clean(p.state.Pipeline), word(e.Status, false), Span(e.Seconds))
	}
}

func colon(message string) string {
	if message == "" {
		return ""
	}
	return ": " + terminal.Clean(message)
}

// preparing tells of long work: each new kind of it, and how far it is now and then.
func (p *plain) preparing(e pipeline.Event) {
	if e.Message == p.said && e.Time.Sub(p.saidAt) < p.options.Every {
		return
	}
	if e.Message != p.said {
		p.begun = e.Time
	}
	p.said, p.saidAt = e.Message, e.Time
	p.line("%s", preparing(p.state))
}

// log shows a line of output while there are few enough.
func (p *plain) log(e pipeline.Event) {
	if p.options.Quiet {
		return
	}
	p.shown[e.Step]++
	switch n := p.shown[e.Step]; {
	case n <= p.options.Lines:
		p.line("%s", logLine(e))
	case n == p.options.Lines+1:
		p.line("  %s | … more than %d lines; the rest is in the log", terminal.Clean(e.Step), p.options.Lines)
	}
}

// line writes one line. A reader that is gone must not end the run.
func (p *plain) line(format string, args ...any) {
	_, _ = fmt.Fprintf(p.w, format+"\n", args...)
	p.wroteAt = p.state.Now
}
