package execution

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/cloud"
)

// once makes a call that is not repeated: whoever polls looks again later anyway, and
// waits for that by the injected clock.
func once(o *sfn.Options) { o.Retryer = aws.NopRetryer{} }

// trouble is what stands between a watch and the execution, for as long as it does.
type trouble struct {
	said  string // the kind that was told of
	since time.Time
}

// bear says whether an error of a look will pass, and makes the next look later. What a
// person can do about it is told once.
func (w *watch) bear(ctx context.Context, err error) bool {
	now := w.p.Clock.Now()
	if w.trouble.since.IsZero() {
		w.trouble.since = now
	}
	var missing *types.ExecutionDoesNotExist
	switch {
	case cloud.IsThrottled(err):
		w.pause.back(throttled)
		return true // the run is none the worse for it, and nobody can do anything
	case cloud.IsExpired(err):
		w.tell("expired", w.p.Explain(err, "watching run "+w.name), "; the run goes on, and is watched again after that")
		w.pause.back(longest)
		_ = w.p.Reload(ctx) // for the next look to be made with what there is then
		return true
	case errors.As(err, &missing):
		if !w.options.Started.IsZero() && now.Sub(w.options.Started) < invisible {
			w.pause.back(longest)
			return true
		}
		return false
	case cloud.Passes(err):
		w.pause.back(longest)
		if now.Sub(w.trouble.since) >= invisible {
			w.tell("unreachable", w.p.Explain(err, "watching run "+w.name), "; the run goes on, and is looked for again")
		}
		return true
	}
	return false
}

// tell warns of a kind of trouble, once while it lasts.
func (w *watch) tell(kind string, err error, more string) {
	if w.trouble.said == kind {
		return
	}
	w.trouble.said = kind
	w.emit(pipeline.Event{Kind: pipeline.Warned, Message: inLine(err) + more})
}

// over notes that the execution is seen again.
func (w *watch) over() {
	if w.trouble.said != "" {
		w.emit(pipeline.Event{Kind: pipeline.Warned, Message: "run " + w.name + " is watched again"})
	}
	w.trouble = trouble{}
}

// unseen is the error of an execution that cannot be watched.
func (w *watch) unseen(err error) error {
	var missing *types.ExecutionDoesNotExist
	switch {
	case !errors.As(err, &missing):
		return w.p.Explain(err, "watching run "+w.name+", which goes on")
	case len(w.events) > 0:
		return fmt.Errorf("run %s is gone: its state machine was deleted\n\thint: what it wrote is kept below s3://%s/%sruns/%s/%s/",
			w.name, w.p.Bucket, w.p.Prefix, w.p.Definition.Name, w.run)
	}
	return notFound(w.p, w.name, err)
}
