package sandbox

import "sync"

// A Spare keeps one helper ahead: the next job's is started while a job runs, so
// that no job waits for it. Jobs that run at the same time may share a Spare. The
// helper ends with Close, and by itself if this program is gone. A nil Spare keeps
// none.
//
// In namespace mode a helper has the host's mounts as they were when it started: its
// job does not see what was mounted on the host after that.
type Spare struct {
	root string
	mu   sync.Mutex
	next chan *helper // gives the spare helper, or nil if it could not be started
	left int          // how many are to be started still
}

// NewSpare starts the first of so many helpers. In namespace mode it needs an empty
// folder, as an absolute path, which jobs leave empty.
func NewSpare(mode Mode, folder string, jobs int) *Spare {
	s := &Spare{left: jobs}
	if mode == Namespace {
		s.root = folder
	}
	s.fill()
	return s
}

// fill starts a helper if there is none, and does not wait for it.
func (s *Spare) fill() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next != nil || s.left <= 0 {
		return
	}
	s.left--
	next := make(chan *helper, 1)
	s.next = next
	go func() {
		// Without a spare helper a job starts its own, and says why it cannot.
		h, err := startHelper(s.root)
		if err != nil {
			h = nil
		}
		next <- h
	}()
}

// take gives the spare helper away, or nil.
func (s *Spare) take() *helper {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	next := s.next
	s.next = nil
	s.mu.Unlock()
	if next == nil {
		return nil
	}
	return <-next
}

// Close ends the spare helper. Jobs that still run are not concerned.
func (s *Spare) Close() {
	if s == nil {
		return
	}
	s.mu.Lock()
	s.left = 0
	s.mu.Unlock()
	if h := s.take(); h != nil {
		_ = h.end() // it was killed
	}
}
