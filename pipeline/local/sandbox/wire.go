package sandbox

import (
	"errors"
	"strconv"
	"strings"
)

// Texts of messages are lists of strings that hold no NUL: it ends each of
// them. The encoding is this plain because encoding/json would cost the helper a
// tenth of the time that it needs to start.

// marshal writes a command.
func (c *command) marshal() []byte {
	var w wireWriter
	w.list(c.Argv)
	w.list(c.Env)
	w.text(c.WorkDir)
	w.number(btoi(c.Check))
	w.number(btoi(c.Root != nil))
	if r := c.Root; r != nil {
		w.text(r.Temp)
		w.text(r.Base)
		w.list(r.Keep)
		w.number(int64(len(r.Layers)))
		for _, l := range r.Layers {
			w.list([]string{l.Target, l.Lower, l.Upper, l.Work})
		}
	}
	return w.out
}

// unmarshalCommand is the inverse of marshal.
func unmarshalCommand(text []byte) (*command, error) {
	r := wireReader{rest: string(text)}
	c := &command{Argv: r.list(), Env: r.list(), WorkDir: r.text(), Check: r.number() == 1}
	if r.number() == 1 {
		c.Root = &root{Temp: r.text(), Base: r.text(), Keep: r.list()}
		for n := r.number(); n > 0 && !r.bad; n-- {
			l := r.list()
			if len(l) != 4 {
				return nil, errWire
			}
			c.Root.Layers = append(c.Root.Layers, layer{l[0], l[1], l[2], l[3]})
		}
	}
	return c, r.end()
}

// A report is what the helper says at the end of a job.
type report struct {
	// Trouble is why the job could not be started, and Stage whether that was in
	// building its root ("mounts") or in executing its program.
	Trouble, Stage string
	Code           int
	Signal         int
	MaxRSS         int64
	// Spent says that the helper ends, too.
	Spent bool
}

func (r report) marshal() []byte {
	var w wireWriter
	w.text(strings.ReplaceAll(r.Trouble, "\x00", ""))
	w.text(r.Stage)
	w.number(int64(r.Code))
	w.number(int64(r.Signal))
	w.number(r.MaxRSS)
	w.number(btoi(r.Spent))
	return w.out
}

func unmarshalReport(text []byte) (report, error) {
	r := wireReader{rest: string(text)}
	out := report{Trouble: r.text(), Stage: r.text(), Code: int(r.number()), Signal: int(r.number()), MaxRSS: r.number(), Spent: r.number() == 1}
	return out, r.end()
}

var errWire = errors.New("the message is cut off")

type wireWriter struct{ out []byte }

func (w *wireWriter) text(s string) { w.out = append(append(w.out, s...), 0) }

func (w *wireWriter) number(n int64) { w.out = append(strconv.AppendInt(w.out, n, 10), 0) }

func (w *wireWriter) list(l []string) {
	w.number(int64(len(l)))
	for _, s := range l {
		w.text(s)
	}
}

type wireReader struct {
	rest string
	bad  bool
}

func (r *wireReader) text() string {
	s, rest, ok := strings.Cut(r.rest, "\x00")
	if !ok {
		r.bad = true
		return ""
	}
	r.rest = rest
	return s
}

func (r *wireReader) number() int64 {
	n, err := strconv.ParseInt(r.text(), 10, 64)
	if err != nil {
		r.bad = true
	}
	return n
}

func (r *wireReader) list() (l []string) {
	for n := r.number(); n > 0 && !r.bad; n-- {
		l = append(l, r.text())
	}
	return l
}

func (r *wireReader) end() error {
	if r.bad || r.rest != "" {
		return errWire
	}
	return nil
}

func btoi(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
