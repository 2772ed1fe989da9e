package asl

import "context"

// parallel is the action of a Parallel state: its result lists the outputs of
// its branches.
func (t *thread) parallel(ctx context.Context, f *frame) (*value, error) {
	input := f.input.raw
	if f.state.Arguments != nil {
		var err error
		if input, err = t.payload(ctx, f, "Arguments", f.state.Arguments); err != nil {
			return nil, err
		}
	}
	t.event("ParallelStateStarted", f.state.Name, "", nil)
	all := make([]*lane, 0, len(f.state.Branches))
	for i, b := range f.state.Branches {
		all = append(all, &lane{thread: t.x.thread(t), machine: b, input: &value{raw: input}, index: i})
	}
	var failing int64
	last := t.previous
	err := lanes(ctx, all, len(all), func(*lane, *lane) {}, func(l *lane) {
		t.aborted(l, &failing)
		last = l.thread.previous
	})
	if err != nil {
		t.previous = failing
		return nil, err
	}
	t.previous = last
	t.succeededState(f)
	return t.outputs(f, all)
}
