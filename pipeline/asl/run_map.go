package asl

import (
	"context"
	"errors"
	"fmt"
)

// maxConcurrency is how many iterations of a Map run at once where the machine
// sets no bound (Step Functions quota for inline Maps).
const maxConcurrency = 40

// mapState is the action of a Map state: its result lists the outputs of its
// iterations. A distributed Map runs its children here, too, each without a
// history and without the variables around it, as on Step Functions.
func (t *thread) mapState(ctx context.Context, f *frame) (*value, error) {
	s := f.state
	if s.ItemReader != nil || s.ItemBatcher != nil || s.ResultWriter != nil ||
		s.ProcessorMode == "DISTRIBUTED" && (s.ToleratedFailureCount != nil || s.ToleratedFailurePercentage != nil) {
		return nil, errors.New("a distributed Map with ItemReader, ItemBatcher, ResultWriter or tolerated failures cannot be run here: run it on AWS")
	}
	items, err := t.items(ctx, f)
	if err != nil {
		return nil, err
	}
	limit, err := t.limits(ctx, f)
	if err != nil {
		return nil, err
	}
	t.event("MapStateStarted", s.Name, "mapStateStartedEventDetails", Object{{"length", len(items)}})
	all, err := t.iterations(ctx, f, items)
	if err != nil {
		return nil, err
	}
	if s.ProcessorMode == "DISTRIBUTED" {
		return t.distributed(ctx, f, all, limit)
	}
	var failing int64
	started, last := t.previous, t.previous
	err = lanes(ctx, all, limit, func(l, freed *lane) {
		t.previous = started
		if freed != nil {
			t.previous = freed.thread.previous
		}
		l.thread.previous = t.iteration("Started", s, l.index)
	}, func(l *lane) {
		if l.err == nil {
			t.previous = l.thread.previous
			last = t.iteration("Succeeded", s, l.index)
			return
		}
		first := failing == 0
		if first {
			failing = l.thread.previous
		}
		event := "Failed"
		if !first {
			t.aborted(l, &failing)
			event = "Aborted"
		}
		t.previous = failing
		t.iteration(event, s, l.index)
	})
	if err != nil {
		t.previous = failing
		return nil, err
	}
	t.previous = last
	t.succeededState(f)
	return t.outputs(f, all)
}

// iteration adds an event of an iteration.
func (t *thread) iteration(event string, s *State, index int) int64 {
	return t.event("MapIteration"+event, s.Name, "mapIteration"+event+"EventDetails", Object{{"name", s.Name}, {"index", index}})
}

// distributed runs the items as children of a Map run.
func (t *thread) distributed(ctx context.Context, f *frame, all []*lane, limit int) (*value, error) {
	machine := t.x.context.MachineID
	run := fmt.Sprintf("arn:%s:states:%s:%s:mapRun:%s/%s:%s", arnPart(machine, 1), arnPart(machine, 3), arnPart(machine, 4),
		t.x.context.MachineName, f.state.Name, uuid(t.x.rand))
	t.event("MapRunStarted", f.state.Name, "mapRunStartedEventDetails", Object{{"mapRunArn", run}})
	for _, l := range all {
		alone := t.x.thread(nil)
		alone.item, alone.quiet = l.thread.item, true
		l.thread = alone
	}
	if err := lanes(ctx, all, limit, func(*lane, *lane) {}, func(*lane) {}); err != nil {
		var e *failure
		if errors.As(err, &e) {
			t.event("MapRunFailed", f.state.Name, "mapRunFailedEventDetails", errorDetails(e.err))
		}
		return nil, err
	}
	t.event("MapRunSucceeded", f.state.Name, "", nil)
	t.succeededState(f)
	return t.outputs(f, all)
}

// limits evaluates MaxConcurrency and the tolerated failures, of which an inline
// Map has none.
func (t *thread) limits(ctx context.Context, f *frame) (int, error) {
	limit, err := t.whole(ctx, f, "MaxConcurrency", f.state.MaxConcurrency, 0)
	if err != nil {
		return 0, err
	}
	if _, err := t.whole(ctx, f, "ToleratedFailureCount", f.state.ToleratedFailureCount, 0); err != nil {
		return 0, err
	}
	if _, err := t.whole(ctx, f, "ToleratedFailurePercentage", f.state.ToleratedFailurePercentage, 0); err != nil {
		return 0, err
	}
	if limit == 0 {
		limit = maxConcurrency
	}
	return limit, nil
}

// iterations makes the lanes of a Map, their inputs by ItemSelector.
func (t *thread) iterations(ctx context.Context, f *frame, items []item) ([]*lane, error) {
	outer := t.item
	defer func() { t.item = outer }()
	all := make([]*lane, 0, len(items))
	for i, item := range items {
		t.item = item.context(i)
		f.show(nil, nil)
		input := item.input()
		if f.state.ItemSelector != nil {
			var err error
			if input, err = t.payload(ctx, f, "ItemSelector", f.state.ItemSelector); err != nil {
				return nil, err
			}
		}
		all = append(all, &lane{thread: t.x.thread(t), machine: f.state.ItemProcessor, input: &value{raw: input}, index: i})
	}
	return all, nil
}
