package local

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/mlmax/mlmax/pipeline/asl"
)

// clock is the run's clock: the injected one, whose waits are told.
type clock struct {
	asl.Clock
	waits func(time.Duration)
	// refused says that the last call was refused, for a reason that is not the
	// moment's. The machine tries again as on AWS, where the same error may be
	// throttling; here nothing is, and nobody need wait for it.
	refused atomic.Bool
}

// Wait tells of the wait, and waits.
func (c *clock) Wait(ctx context.Context, d time.Duration) error {
	if c.refused.Swap(false) {
		d = 0
	}
	c.waits(d)
	return c.Clock.Wait(ctx, d)
}

// AfterFunc implements [asl.Alarm], on any clock.
func (c *clock) AfterFunc(d time.Duration, f func()) (stop func()) {
	if alarm, ok := c.Clock.(asl.Alarm); ok {
		return alarm.AfterFunc(d, f)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		if c.Clock.Wait(ctx, d) == nil {
			f()
		}
	}()
	return cancel
}
