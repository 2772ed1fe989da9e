package joblog

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"github.com/mlmax/mlmax/pipeline/cloud"
)

// How often a log is looked at: soon again after something came, and less and less often
// while nothing does or the service is busy.
const (
	soonest = time.Second
	latest  = 8 * time.Second
	busiest = 30 * time.Second
)

// settled is how long after a job's end the last of its lines are waited for: CloudWatch
// gets them a few seconds after they were written.
const settled = 4 * time.Second

// Follow calls on for every line of a job, from its first, as they come, each once, until
// until says that the job has ended and no more lines come; until is asked once a look.
// A job that has not written yet is waited for, and a service that is busy. Of several
// hosts each line has its host's name.
//
// An error is one that looking again would not mend, or that of ctx.
func Follow(ctx context.Context, p *cloud.Place, kind, job string, until func() bool, on func(line string)) error {
	f := &follower{place: p, kind: kind, job: job, on: on}
	interval := soonest
	for over := false; ; {
		// Asked before the look: what was written before the end is then seen by it.
		ended := over || until()
		came, err := f.look(ctx)
		switch {
		case err != nil && ctx.Err() != nil:
			return ctx.Err()
		case err != nil && !Passes(err):
			return p.Explain(err, "reading the log of job "+job)
		case err != nil:
			interval = min(2*interval, busiest)
		case came:
			interval = soonest
		default:
			interval = min(interval*3/2, latest)
		}
		if err == nil && over {
			return nil
		}
		if ended && err == nil {
			over, interval = true, settled
		}
		if err := p.Wait(ctx, interval); err != nil {
			return err
		}
	}
}

// Passes says whether an error is one that goes away by itself: it was tried again a few
// times already, and a person who looks on would do so as well.
func Passes(err error) bool {
	again := retry.IsErrorRetryables(retry.DefaultRetryables)
	throttled := retry.IsErrorThrottles(retry.DefaultThrottles)
	var last *retry.MaxAttemptsError
	return errors.As(err, &last) || errors.Is(err, io.ErrUnexpectedEOF) || again.IsErrorRetryable(err) == aws.TrueTernary || throttled.IsErrorThrottle(err) == aws.TrueTernary
}

// A follower is how far a job's streams have been read.
type follower struct {
	place   *cloud.Place
	kind    string
	job     string
	on      func(string)
	cursors []*cursor
	looks   int
}

// rescan is after how many looks a host that came late is looked for.
const rescan = 10

// look gives what came since the last look, and says whether anything did.
func (f *follower) look(ctx context.Context) (came bool, err error) {
	if len(f.cursors) == 0 || f.looks%rescan == 0 {
		if err := f.scan(ctx); err != nil {
			return false, err
		}
	}
	f.looks++
	for _, c := range f.cursors {
		some, err := c.next(ctx, f.place, f.kind)
		for _, l := range some {
			f.on(shown(l, c.stream, len(f.cursors)))
			came = true
		}
		if err != nil {
			return came, err
		}
	}
	return came, nil
}

// scan finds the streams that there are now.
func (f *follower) scan(ctx context.Context) error {
	names, err := streams(ctx, f.place, f.kind, f.job)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, c := range f.cursors {
		known[c.stream] = true
	}
	for _, name := range names {
		if !known[name] {
			f.cursors = append(f.cursors, &cursor{stream: name})
		}
	}
	return nil
}
