package sandbox

import "sync"

// Helpers are processes that run jobs, each of them one job after another, so that
// a job does not pay for the start of this whole program. A job takes an idle helper
// or starts one, and gives it back: there are as many as jobs ran at the same time.
// They end with Close, and by themselves if this program is gone. With nil Helpers, a
// job has one for itself.
//
// In namespace mode a helper prepares the next job's root while it is idle: the job
// does not see what was mounted on the host after that.
type Helpers struct {
	root   string
	mu     sync.Mutex
	ahead  chan *helper // gives the first helper, or nil if it could not be started
	idle   []*helper
	closed bool
}

// NewHelpers starts the first helper, and does not wait for it. In namespace mode
// they need an empty folder, as an absolute path, which jobs leave empty.
func NewHelpers(mode Mode, folder string) *Helpers {
	s := &Helpers{ahead: make(chan *helper, 1)}
	if mode == Namespace {
		s.root = folder
	}
	go func(ahead chan<- *helper) {
		// Without this helper a job starts its own, and says why it cannot.
		h, err := startHelper(s.root)
		if err != nil {
			h = nil
		}
		ahead <- h
	}(s.ahead)
	return s
}

// take gives an idle helper away, or nil.
func (s *Helpers) take() *helper {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	if last := len(s.idle) - 1; last >= 0 {
		defer s.mu.Unlock()
		h := s.idle[last]
		s.idle = s.idle[:last]
		return h
	}
	ahead := s.ahead
	s.ahead = nil
	s.mu.Unlock()
	if ahead == nil {
		return nil
	}
	return <-ahead
}

// give takes back a helper that waits for its next job.
func (s *Helpers) give(h *helper) {
	if s != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.closed {
			s.idle = append(s.idle, h)
			return
		}
	}
	_ = h.end() // it was killed
}

// Close ends the helpers: the idle ones now, any other after its job.
func (s *Helpers) Close() {
	if s == nil {
		return
	}
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	for h := s.take(); h != nil; h = s.take() {
		_ = h.end() // it was killed
	}
}
