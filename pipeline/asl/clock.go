package asl

import (
	"context"
	"slices"
	"sync"
	"time"
)

// An Alarm is a clock that can call a function at a time to come. The
// interpreter uses it for time-outs where the clock has it, and a goroutine with
// Wait where it has not.
type Alarm interface {
	// AfterFunc calls f in d, on a goroutine of its own or of a Wait, unless stop
	// is called before.
	AfterFunc(d time.Duration, f func()) (stop func())
}

// SystemClock is the machine's own clock.
var SystemClock Clock = systemClock{}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) Wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (systemClock) AfterFunc(d time.Duration, f func()) func() {
	timer := time.AfterFunc(d, f)
	return func() { timer.Stop() }
}

// A VirtualClock is a clock for tests: waiting takes no time, it moves the clock.
// Alarms that lie before the end of a wait go off in its course, and may end it.
// Concurrent waits move it one after the other.
type VirtualClock struct {
	mu     sync.Mutex
	now    time.Time
	alarms []*alarm
}

type alarm struct {
	at time.Time
	f  func()
}

// NewVirtualClock returns a virtual clock that shows start.
func NewVirtualClock(start time.Time) *VirtualClock { return &VirtualClock{now: start} }

// Now is the virtual time.
func (c *VirtualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Wait moves the clock by d, or to the alarm that ends ctx.
func (c *VirtualClock) Wait(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	end := c.now.Add(d)
	c.mu.Unlock()
	for ctx.Err() == nil {
		f, more := c.advance(end)
		if f != nil {
			f()
		}
		if !more {
			break
		}
	}
	return ctx.Err()
}

// advance moves the clock to the next alarm up to end, or to end.
func (c *VirtualClock) advance(end time.Time) (f func(), more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.alarms) == 0 || c.alarms[0].at.After(end) {
		if end.After(c.now) {
			c.now = end
		}
		return nil, false
	}
	next := c.alarms[0]
	c.alarms = c.alarms[1:]
	if next.at.After(c.now) {
		c.now = next.at
	}
	return next.f, true
}

// AfterFunc sets an alarm.
func (c *VirtualClock) AfterFunc(d time.Duration, f func()) func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := &alarm{c.now.Add(d), f}
	i, _ := slices.BinarySearchFunc(c.alarms, a, func(x, y *alarm) int {
		if x.at.After(y.at) {
			return 1
		}
		return -1 // after those of the same time
	})
	c.alarms = slices.Insert(c.alarms, i, a)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.alarms = slices.DeleteFunc(c.alarms, func(x *alarm) bool { return x == a })
	}
}

// afterFunc sets an alarm on any clock.
func afterFunc(ctx context.Context, c Clock, d time.Duration, f func()) (stop func()) {
	if a, ok := c.(Alarm); ok {
		return a.AfterFunc(d, f)
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if c.Wait(ctx, d) == nil {
			f()
		}
	}()
	return func() {
		cancel()
		<-done
	}
}
