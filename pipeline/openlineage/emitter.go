package openlineage

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/mlmax/mlmax/pipeline"
)

// givenUp is after how many failures in a row no event is sent any more: an endpoint
// that is not there is not waited for again and again.
const givenUp = 3

// An Emitter sends the events of one run. It has a goroutine of its own, which reads
// the record and waits for the sink, so that the run does neither.
type Emitter struct {
	sink  Sink
	facts func(context.Context) (Facts, error)

	mu     sync.Mutex
	queue  []pipeline.Event
	closed bool
	wake   chan struct{}

	stop context.CancelFunc
	done chan struct{}
	// What the goroutine knows; after done, anyone.
	all, lost int
	why       error
}

// Start makes an emitter for a run of a pipeline. Facts gives what is known of the
// run; it is asked once, when the run has been recorded.
func Start(d *pipeline.Definition, sink Sink, facts func(context.Context) (Facts, error)) *Emitter {
	ctx, stop := context.WithCancel(context.Background())
	e := &Emitter{sink: sink, facts: facts, wake: make(chan struct{}, 1), stop: stop, done: make(chan struct{})}
	go e.work(ctx, &translator{definition: d, open: map[string]int{}})
	return e
}

// Event takes an event of the run. It never waits.
func (e *Emitter) Event(event pipeline.Event) {
	if !told(event.Kind) {
		return
	}
	e.mu.Lock()
	e.queue = append(e.queue, event)
	e.mu.Unlock()
	select {
	case e.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// Close waits until what the run said has been sent, at most for the given time, and
// says what was not.
func (e *Emitter) Close(wait time.Duration) error {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	select {
	case e.wake <- struct{}{}:
	default:
	}
	late := time.AfterFunc(wait, e.stop)
	<-e.done
	late.Stop()
	e.stop()
	closed := e.sink.Close()
	if e.lost > 0 {
		return lost(e.lost, e.all, e.sink.String(), e.why)
	}
	if e.why != nil {
		return fmt.Errorf("OpenLineage events lack what the record knows: %w", e.why)
	}
	return closed
}

// next takes what is queued, and says whether that was all.
func (e *Emitter) next() (events []pipeline.Event, last bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	events, e.queue = e.queue, nil
	return events, e.closed
}

// work sends until the emitter is closed and nothing is left. When its context ends,
// it counts what is left, which is then lost.
func (e *Emitter) work(ctx context.Context, t *translator) {
	defer close(e.done)
	var facts Facts
	failures := 0
	for {
		events, last := e.next()
		for _, event := range events {
			if facts == nil && event.Kind != pipeline.RunStarted {
				var err error
				if facts, err = e.facts(ctx); err != nil {
					facts = nil
					e.blame(err)
				}
			}
			told, err := t.translate(ctx, event, facts)
			if err != nil {
				e.blame(err)
			}
			for i := range told {
				e.all++
				if failures >= givenUp || ctx.Err() != nil {
					e.lost++
					continue
				}
				if err := e.send(ctx, &told[i]); err != nil {
					failures++
					e.lost++
					e.blame(err)
					continue
				}
				failures = 0
			}
		}
		if last && len(events) == 0 {
			return
		}
		if !last && len(events) == 0 {
			<-e.wake
		}
	}
}

// blame keeps the first reason.
func (e *Emitter) blame(err error) {
	if e.why == nil {
		if errors.Is(err, context.Canceled) {
			err = errors.New("it took too long")
		}
		e.why = err
	}
}

func (e *Emitter) send(ctx context.Context, event *RunEvent) error {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(event); err != nil {
		return err
	}
	return e.sink.Send(ctx, bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}
