package pipeline

import (
	"context"
	"errors"
)

// Why a run's context ended, as context.Cause tells it, when a person ended it.
var (
	// ErrInterrupted: asked to stop; steps get their grace to end by themselves.
	ErrInterrupted = errors.New("interrupted")
	// ErrQuitNow: asked twice; steps are killed without grace.
	ErrQuitNow = errors.New("interrupted twice")
)

type quitKey struct{}

// WithQuit returns a context by which a runner can be told to hurry: once quit is
// called, the channel that [Quit] finds in the context is closed, even when the
// context has ended before. The first interrupt ends the context with the cause
// ErrInterrupted, the second calls quit. Quit may be called more than once, by one
// goroutine at a time.
func WithQuit(parent context.Context) (ctx context.Context, quit func()) {
	hard, cancel := context.WithCancelCause(context.WithoutCancel(parent))
	return context.WithValue(parent, quitKey{}, hard.Done()), func() { cancel(ErrQuitNow) }
}

// Quit returns the channel that is closed when what is still running is to be
// killed without grace; nil, which blocks forever, if nobody can ask for that.
func Quit(ctx context.Context) <-chan struct{} {
	done, _ := ctx.Value(quitKey{}).(<-chan struct{})
	return done
}
