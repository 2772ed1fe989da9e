package local

import (
	"context"
	"time"

	"github.com/mlmax/mlmax/pipeline/asl"
)

// clock is the run's clock: the injected one, whose waits are told.
type clock struct {
	asl.Clock
	waits func(time.Duration)
}

// Wait tells of the wait, and waits.
func (c *clock) Wait(ctx context.Context, d time.Duration) error {
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
