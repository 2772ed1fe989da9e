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
	r := NewReader(p, kind, job)
	interval := soonest
	for over := false; ; {
		// Asked before the look: what was written before the end is then seen by it.
		ended := over || until()
		came, err := r.Next(ctx, on)
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
