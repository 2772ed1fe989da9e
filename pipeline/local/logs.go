package local

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/mlmax/mlmax/pipeline/terminal"
)

// What of a step's output is kept.
const (
	logLimit  = 10 << 20 // bytes in the file
	lineLimit = 4 << 10  // bytes of a line that is shown
)

// logWriter takes what a step prints: the bytes go to a file, up to a limit, and
// each line, made safe for a terminal, to a function.
type logWriter struct {
	mu      sync.Mutex
	file    *os.File
	line    func(string)
	watch   func(string) // sees every line, also past the limit; may be nil
	partial []byte
	long    bool // the line goes on beyond lineLimit
	written int64
	dropped int64
	final   []byte // the last line that is not blank, as it was written
	err     error  // of writing the file
}

// newLog makes the log's file. The caller closes the log.
func newLog(path string, line func(string)) (*logWriter, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	return &logWriter{file: file, line: line}, nil
}

// Write never fails: a step must not die of SIGPIPE because its log cannot be
// kept. The trouble is told by close.
func (w *logWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	keep := min(int64(len(p)), logLimit-w.written)
	if keep > 0 && w.err == nil {
		n, err := w.file.Write(p[:keep])
		w.written += int64(n)
		w.err = err
	}
	show := w.dropped == 0
	w.dropped += int64(len(p)) - keep
	w.split(p, show)
	return len(p), nil
}

// split hands out the lines of what was written.
func (w *logWriter) split(p []byte, show bool) {
	for len(p) > 0 {
		text := p
		end := bytes.IndexByte(p, '\n')
		if end >= 0 {
			text, p = p[:end], p[end+1:]
		} else {
			p = nil
		}
		if room := lineLimit - len(w.partial); len(text) > room {
			text, w.long = text[:room], true
		}
		w.partial = append(w.partial, text...)
		if end >= 0 {
			w.flush(show)
		}
	}
}

// flush ends the current line. A line that nobody sees is not made safe for a
// terminal: a step may flood its log.
func (w *logWriter) flush(show bool) {
	if show || w.watch != nil {
		line := terminal.Line(string(w.partial))
		if w.long {
			line += "…"
		}
		if w.watch != nil {
			w.watch(line)
		}
		if show {
			w.line(line)
		}
	}
	if !blank(w.partial) {
		w.partial, w.final = w.final, w.partial
	}
	w.partial, w.long = w.partial[:0], false
}

// blank reports whether nothing of a line would be seen.
func blank(line []byte) bool {
	if len(line) > 0 && line[0] > ' ' && line[0] < 0x7f && bytes.IndexByte(line, '\r') < 0 {
		return false // as most lines are
	}
	return strings.TrimSpace(terminal.Line(string(line))) == ""
}

// notice says what the file does not hold, or nothing.
func (w *logWriter) notice() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dropped == 0 {
		return ""
	}
	return fmt.Sprintf("log capped at %d MB: %d more bytes were dropped", logLimit>>20, w.dropped)
}

// close ends the last line and the file, with the notice of what it does not hold.
func (w *logWriter) close() error {
	notice := w.notice()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.partial) > 0 || w.long {
		w.flush(w.dropped == 0)
	}
	if notice != "" && w.err == nil {
		_, w.err = w.file.WriteString("\n" + notice + "\n")
	}
	if err := w.file.Close(); w.err == nil {
		w.err = err
	}
	return w.err
}

// last is the last line that is not blank.
func (w *logWriter) last() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return terminal.Line(string(w.final))
}
