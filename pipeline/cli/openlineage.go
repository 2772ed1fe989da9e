package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/openlineage"
	"github.com/mlmax/mlmax/pipeline/terminal"
)

// flushTime is how long the command waits, after the run, for its events to be sent.
const flushTime = 10 * time.Second

// openLineageKey is the variable that holds the key of an endpoint: a secret does not
// belong on a command line, where every process can read it.
const openLineageKey = "OPENLINEAGE_API_KEY"

// A listening runner tells someone else of its runs, too.
type listening struct {
	runner
	hear func(pipeline.Event)
}

// Run implements [pipeline.Runner].
func (l listening) Run(ctx context.Context, d *pipeline.Definition, in json.RawMessage, on func(pipeline.Event)) (*pipeline.Outcome, error) {
	return l.runner.Run(ctx, d, in, func(e pipeline.Event) {
		l.hear(e)
		on(e)
	})
}

// tellOpenLineage makes a runner send OpenLineage events to a file or endpoint, if one
// is named. The function that it returns, to be called after the run, waits for them
// and warns of those that were lost.
func (a *app) tellOpenLineage(r runner, target string) (runner, func(), error) {
	if target == "" {
		return r, func() {}, nil
	}
	sink, err := openlineage.Open(target, os.Getenv(openLineageKey))
	if err != nil {
		return nil, nil, fmt.Errorf("--openlineage: %w", err)
	}
	var record history
	emitter := openlineage.Start(a.definition, sink, func(context.Context) (openlineage.Facts, error) {
		h, _, err := a.open(a.definition, place{workspace: a.workspace})
		if none := (*noRecordError)(nil); errors.As(err, &none) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		record = h
		return h, nil
	})
	return listening{r, emitter.Event}, func() {
		if err := emitter.Close(flushTime); err != nil {
			fmt.Fprintf(a.stderr, "warning: %s\n", terminal.Clean(err.Error()))
		}
		if record != nil {
			record.Close()
		}
	}, nil
}
