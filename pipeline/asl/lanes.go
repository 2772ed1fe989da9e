package asl

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
)

// errSibling stops the branches beside one that failed.
var errSibling = errors.New("another branch failed")

// A lane is one branch of a Parallel or one iteration of a Map.
type lane struct {
	thread  *thread
	machine *Machine
	input   *value
	index   int

	output *value
	err    error
}

// lanes runs lanes, at most limit at once, and stops them all when one fails.
// before is called for each as it starts, with the lane whose end made room, and
// done as it ends; neither is called twice at once.
func lanes(ctx context.Context, all []*lane, limit int, before func(l, freed *lane), done func(*lane)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ended := make(chan *lane, len(all))
	var group sync.WaitGroup
	start := func(l *lane) {
		group.Go(func() {
			l.output, l.err = l.thread.run(ctx, l.machine, l.input)
			ended <- l
		})
	}
	next := min(limit, len(all))
	for _, l := range all[:next] {
		before(l, nil)
	}
	for _, l := range all[:next] {
		start(l)
	}
	var failed *lane
	for running := next; running > 0; running-- {
		l := <-ended
		if l.err != nil && failed == nil {
			failed = l
			cancel(errSibling)
		}
		done(l)
		if failed == nil && next < len(all) {
			before(all[next], l)
			start(all[next])
			next++
			running++
		}
	}
	group.Wait()
	if failed != nil {
		return failed.err
	}
	return nil
}

// aborted adds the event of a branch's Task that its own or another's failure
// ended. failing is the event that it follows, set by the first to fail.
func (t *thread) aborted(l *lane, failing *int64) {
	if l.err == nil {
		return
	}
	if *failing == 0 {
		*failing = l.thread.previous
	}
	if s := l.machine.State(stoppedAt(l.err)); s != nil && s.Type == TaskState && !t.quiet {
		t.x.history.add(*failing, "TaskStateAborted", s.Name, "", nil)
	}
}

// stoppedAt is the state in which a branch ended.
func stoppedAt(err error) string {
	var f *failure
	var s *stopped
	switch {
	case errors.As(err, &f):
		return f.state
	case errors.As(err, &s):
		return s.state
	}
	return ""
}

// succeededState adds the event of a Parallel or Map that succeeded. What comes
// next follows the same event as it does (recorded).
func (t *thread) succeededState(f *frame) {
	previous := t.previous
	t.event(f.state.Type+"StateSucceeded", f.state.Name, "", nil)
	t.previous = previous
}

func (t *thread) outputs(f *frame, all []*lane) (*value, error) {
	b := json.RawMessage("[")
	for i, l := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, l.output.raw...)
	}
	b = append(b, ']')
	if len(b) > maxPayload {
		return nil, f.tooLarge(f.state.Name)
	}
	return &value{raw: b}, nil
}
