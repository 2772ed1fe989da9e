package censustest

import (
	"context"
	"time"
)

// Steady is a clock whose time is the system's, whose waits take next to none, and whose
// alarms never go off: for runs whose jobs are processes, of which nobody waits for minutes.
type Steady struct{}

// Now is the system's time.
func (Steady) Now() time.Time { return time.Now() }

// Wait waits for a moment.
func (Steady) Wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
	case <-time.After(min(d, 20*time.Millisecond)):
	}
	return ctx.Err()
}

// AfterFunc implements [asl.Alarm].
func (Steady) AfterFunc(time.Duration, func()) (stop func()) { return func() {} }
