package censustest

import (
	"bytes"
	"strings"
	"sync"
)

// An Until keeps what is written to it, and says when a text was.
type Until struct {
	// Seen is closed once the text has been written.
	Seen chan struct{}

	text string
	mu   sync.Mutex
	all  bytes.Buffer
	once sync.Once
}

// NewUntil waits for a text.
func NewUntil(text string) *Until { return &Until{Seen: make(chan struct{}), text: text} }

// Write implements [io.Writer].
func (u *Until) Write(p []byte) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.all.Write(p)
	if strings.Contains(u.all.String(), u.text) {
		u.once.Do(func() { close(u.Seen) })
	}
	return len(p), nil
}

// String is all that was written.
func (u *Until) String() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.all.String()
}
