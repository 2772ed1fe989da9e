package local

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// What of a step's output is kept.
const (
	logLimit  = 10 << 20 // bytes in the file
	lineLimit = 4 << 10  // bytes of a line that is shown
	tailLines = 20       // lines for the reason of a failure
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
	tail    []string
	err     error // of writing the file
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

// flush ends the current line.
func (w *logWriter) flush(show bool) {
	line := printable(w.partial)
	if w.long {
		line += "…"
	}
	w.partial, w.long = w.partial[:0], false
	if w.watch != nil {
		w.watch(line)
	}
	if strings.TrimSpace(line) != "" {
		if len(w.tail) == tailLines {
			w.tail = append(w.tail[:0], w.tail[1:]...)
		}
		w.tail = append(w.tail, line)
	}
	if show {
		w.line(line)
	}
}

// close ends the last line and the file, with a notice of what it does not hold.
func (w *logWriter) close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.partial) > 0 || w.long {
		w.flush(w.dropped == 0)
	}
	if w.dropped > 0 {
		notice := fmt.Sprintf("log capped at %d MB: %d more bytes were dropped", logLimit>>20, w.dropped)
		w.line(notice)
		if w.err == nil {
			_, w.err = w.file.WriteString("\n" + notice + "\n")
		}
	}
	if err := w.file.Close(); w.err == nil {
		w.err = err
	}
	return w.err
}

// last is the last line that is not empty.
func (w *logWriter) last() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.tail) == 0 {
		return ""
	}
	return w.tail[len(w.tail)-1]
}

// printable is a line without what could steer a terminal: escape sequences and
// control characters go, a tab becomes spaces, bytes that are not UTF-8 the
// replacement character. Of a line that was overwritten with carriage returns, as
// progress bars do, the last state stays.
func printable(line []byte) string {
	text := strings.TrimRight(string(line), "\r")
	text = text[strings.LastIndexByte(text, '\r')+1:]
	var b strings.Builder
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == 0x1b:
			i += escape(text[i:])
			continue
		case r == '\t':
			b.WriteString("    ")
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029':
			// dropped; Cf has the marks that reorder text
		default:
			b.WriteRune(r)
		}
		i += size
	}
	return b.String()
}

// escape is the length of the escape sequence at the start of s: a CSI sequence to
// its final byte, an OSC or other string to its terminator, or ESC and one byte.
func escape(s string) int {
	if len(s) < 2 {
		return len(s)
	}
	switch s[1] {
	case '[':
		for i := 2; i < len(s); i++ {
			if s[i] >= 0x40 && s[i] <= 0x7e {
				return i + 1
			}
		}
		return len(s)
	case ']', 'P', 'X', '^', '_':
		if i := strings.IndexByte(s, 0x07); i >= 0 {
			return i + 1
		}
		if i := strings.Index(s[2:], "\x1b\\"); i >= 0 {
			return i + 4
		}
		return len(s)
	}
	_, size := utf8.DecodeRuneInString(s[1:])
	return 1 + size
}
