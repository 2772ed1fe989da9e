package asl

import (
	"context"
	"sync"
	"time"
)

// A heartbeat goes off when no beat came for its interval.
type heartbeat struct {
	mu     sync.Mutex
	set    func() (stop func())
	cancel func()
	over   bool
}

func newHeartbeat(ctx context.Context, c Clock, interval time.Duration, missed func()) *heartbeat {
	h := &heartbeat{set: func() func() { return afterFunc(ctx, c, interval, missed) }}
	h.cancel = h.set()
	return h
}

// beat starts the interval anew.
func (h *heartbeat) beat() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.over {
		h.cancel()
		h.cancel = h.set()
	}
}

func (h *heartbeat) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.over = true
	h.cancel()
}
