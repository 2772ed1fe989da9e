//go:build unix

package sandbox

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
)

// helperName is the helper's argv[0].
const helperName = "mlmax-sandbox"

// A helper is a started helper process, and this side of its socket.
type helper struct {
	process *exec.Cmd
	socket  *os.File
	// trace is what the helper itself said: nothing, unless it has a bug.
	trace bytes.Buffer
}

// begin gives the command to an idle helper, or to a new one, and returns the
// other end of the job's log.
func (j *Job) begin(c *command) (*helper, *os.File, error) {
	fds, err := private(func(p *[2]int) error { return unix.Pipe(p[:]) })
	if err != nil {
		return nil, nil, err
	}
	defer unix.Close(fds[1])
	log, err := pollable(fds[0], "log")
	if err != nil {
		return nil, nil, err
	}
	h, err := j.give(c, fds[1])
	if err != nil {
		log.Close()
		return nil, nil, err
	}
	return h, log, nil
}

// give sends the command with its log.
func (j *Job) give(c *command, log int) (*helper, error) {
	text := c.marshal()
	for h := j.Helpers.take(); h != nil; h = j.Helpers.take() {
		if h.send(runJob, text, log) == nil {
			return h, nil
		}
		_ = h.end() // whatever has killed it, nothing of the job has begun
	}
	root, err := j.rootFolder()
	if err != nil {
		return nil, err
	}
	h, err := startHelper(root)
	if err != nil {
		return nil, err
	}
	if err := h.send(runJob, text, log); err != nil {
		return nil, fmt.Errorf("%w (%v)", err, h.end())
	}
	return h, nil
}

// rootFolder is where a new helper is to mount the roots of its jobs.
func (j *Job) rootFolder() (string, error) {
	switch {
	case j.Mode != Namespace:
		return "", nil
	case j.Helpers != nil:
		return j.Helpers.root, nil
	}
	return j.newRoot(), os.Mkdir(j.newRoot(), 0o755)
}

// startHelper starts this program again, to wait for jobs. If they are to have roots
// of their own, the helper builds them on an empty folder. Its own process group
// keeps the terminal's Ctrl-C away from it.
func startHelper(root string) (*helper, error) {
	program, err := self()
	if err != nil {
		return nil, err
	}
	fds, err := private(func(p *[2]int) (err error) {
		*p, err = unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("make a socket: %w", err)
	}
	theirs := os.NewFile(uintptr(fds[1]), "helper")
	defer theirs.Close()
	h := &helper{}
	if h.socket, err = pollable(fds[0], "helper"); err != nil {
		return nil, err
	}
	for _, attributes := range helperAttributes(root != "") {
		h.process = &exec.Cmd{
			Path: program,
			Args: []string{helperName},
			// It is to start fast.
			Env:         []string{"GOMAXPROCS=1", "GOGC=off", "GODEBUG=asyncpreemptoff=1"},
			Stderr:      &h.trace,
			ExtraFiles:  []*os.File{theirs},
			SysProcAttr: attributes,
		}
		if err = h.process.Start(); err == nil {
			break
		}
	}
	if err != nil {
		h.socket.Close()
		return nil, err
	}
	if err := h.send(mountAt, []byte(root), noLog); err != nil {
		return nil, fmt.Errorf("%w (%v)", err, h.end())
	}
	return h, nil
}

// end ends a helper, and says how it ended.
func (h *helper) end() error {
	_ = h.process.Process.Kill() // unless it has ended by itself
	err := h.process.Wait()
	h.socket.Close()
	return err
}
