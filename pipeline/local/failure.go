package local

import (
	"errors"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/local/objects"
	"github.com/mlmax/mlmax/pipeline/track"
)

// reasonLimit is how much of a job's failure SageMaker keeps (botocore shape
// FailureReason).
const reasonLimit = 1024

// endOf is how the process of a job ended: the reason that AWS would give, and the
// one for the person at this machine. Both are empty if it ended well.
type endOf struct {
	service string
	person  string
}

// reasons are what people are told of the last try of each state, and the commands
// that mend it.
type reasons struct {
	mu   sync.Mutex
	all  map[string]string
	next map[string][]pipeline.Suggestion
}

func (r *reasons) set(state, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all == nil {
		r.all, r.next = map[string]string{}, map[string][]pipeline.Suggestion{}
	}
	r.all[state] = text
	delete(r.next, state)
}

// explain sets what is told of a state's try with the commands that mend it.
func (r *reasons) explain(state, text string, next ...pipeline.Suggestion) {
	r.set(state, text)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next[state] = next
}

func (r *reasons) suggested(state string) []pipeline.Suggestion {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.next[state]
}

func (r *reasons) get(state string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all[state]
}

// errorName is the language's name of an error, or "" for the world's trouble.
func errorName(err error) string {
	var e *asl.Error
	if errors.As(err, &e) {
		return e.Name
	}
	return ""
}

// reasonOf is an error for a person.
func reasonOf(err error) string {
	var e *asl.Error
	if errors.As(err, &e) {
		return track.Decoded(e.Cause)
	}
	return err.Error()
}

// trouble is an error of the world with what is kept and what to do; next is the
// command that goes on, or "" where there is nothing to go on with.
func trouble(err error, next string) error {
	var told *nextError
	var absent *NotCachedError
	var full *objects.NoSpaceError
	switch {
	case errors.As(err, &told):
		return told // without the state that it came through
	case errors.As(err, &absent):
		return absent
	case !errors.As(err, &full):
		return err
	}
	if next == "" {
		return &nextError{full.Error() + "; earlier steps are kept. Free space, then run again", err}
	}
	return &nextError{full.Error() + "; earlier steps are kept. Free space, then: " + next, err}
}

// resume is the command that goes on with this run, or "" if it is not recorded.
func (r *run) resume() string {
	if !r.recorded {
		return ""
	}
	return r.own() + " resume " + r.id
}

// nextError is an error told in other words.
type nextError struct {
	text string
	err  error
}

func (e *nextError) Error() string { return e.text }
func (e *nextError) Unwrap() error { return e.err }

// clip shortens text to n characters.
func clip(text string, n int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	return string([]rune(text)[:n])
}

// millis is a time as SageMaker's events write it.
func millis(t time.Time) int64 { return t.UnixMilli() }
