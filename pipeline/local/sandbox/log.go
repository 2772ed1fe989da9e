package sandbox

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// A log passes a job's output on, up to a limit, and always takes all of it, so
// that a job never waits for its log or dies of it.
type log struct {
	to      io.Writer
	left    int64
	limit   int64
	dropped int64
	err     error
	// mentions is set once the output names a path below /opt/ml that is not the
	// job's own; tail is the end of the last write, which may be its beginning.
	mentions bool
	tail     []byte
}

func newLog(to io.Writer, limit int64) *log {
	if to == nil {
		to = io.Discard
	}
	if limit <= 0 {
		limit = DefaultLogLimit
	}
	return &log{to: to, left: limit, limit: limit}
}

// Write never fails.
func (l *log) Write(p []byte) (int, error) {
	l.look(p)
	keep := p
	if int64(len(keep)) > l.left {
		keep = keep[:l.left]
	}
	l.write(keep)
	l.left -= int64(len(keep))
	if rest := len(p) - len(keep); rest > 0 {
		if l.dropped == 0 {
			l.write(fmt.Appendf(nil, "\n[the log ends here: it reached its limit of %s; the step went on]\n", size(l.limit)))
		}
		l.dropped += int64(rest)
	}
	return len(p), nil
}

func (l *log) write(p []byte) {
	if l.err != nil || len(p) == 0 {
		return
	}
	_, l.err = l.to.Write(p)
}

// look searches for /opt/ml/ at the beginning of a path: in the job's own host
// paths it comes after other letters.
func (l *log) look(p []byte) {
	if l.mentions {
		return
	}
	const path = base + "/"
	window := append(l.tail, p[:min(len(p), len(path))]...)
	l.mentions = mentions(window) || mentions(p)
	l.tail = bytes.Clone(p[max(0, len(p)-len(path)):])
}

func mentions(text []byte) bool {
	for {
		at := bytes.Index(text, []byte(base+"/"))
		if at < 0 {
			return false
		}
		if at > 0 && strings.IndexByte(" \t\n\r'\"`=(,:[{<", text[at-1]) >= 0 {
			return true
		}
		text = text[at+len(base):]
	}
}
