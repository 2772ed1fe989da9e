//go:build unix

package sandbox

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
)

// helperName is the helper's argv[0].
const helperName = "mlmax-sandbox"

// A helper is a started helper process, and this side of its pipes.
type helper struct {
	process                *exec.Cmd
	log, commands, reports *os.File
}

// begin gives the command to the spare helper, or to a new one.
func (j *Job) begin(c *command) (*helper, error) {
	if h := j.Spare.take(); h != nil {
		if h.send(c.marshal()) == nil {
			return h, nil
		}
		_ = h.end() // whatever has killed it, nothing of the job has begun
	}
	at := ""
	if c.Root != nil {
		at = j.newRoot()
		if err := os.Mkdir(at, 0o755); err != nil {
			return nil, err
		}
	}
	h, err := startHelper(at)
	if err != nil {
		return nil, err
	}
	if err := h.send(c.marshal()); err != nil {
		return nil, fmt.Errorf("%w (%v)", err, h.end())
	}
	return h, nil
}

// startHelper starts this program again, to wait for its command. If a job is to
// have a root of its own, the helper already builds the host's part of it, on an
// empty folder. Its own process group keeps the terminal's Ctrl-C away from it.
func startHelper(root string) (*helper, error) {
	program, err := self()
	if err != nil {
		return nil, err
	}
	h := &helper{}
	var theirs []*os.File
	defer func() {
		for _, f := range theirs {
			f.Close()
		}
	}()
	pipe := func(ours **os.File, reading bool) *os.File {
		read, write, pipeErr := os.Pipe()
		if pipeErr != nil {
			err = pipeErr
			return nil
		}
		other := read
		if *ours = write; reading {
			*ours, other = read, write
		}
		theirs = append(theirs, other)
		return other
	}
	log, commands, reports := pipe(&h.log, true), pipe(&h.commands, false), pipe(&h.reports, true)
	if err != nil {
		h.close()
		return nil, err
	}
	for _, attributes := range helperAttributes(root != "") {
		h.process = &exec.Cmd{
			Path: program,
			Args: []string{helperName},
			// It lives short and is to start fast.
			Env:    []string{"GOMAXPROCS=1", "GOGC=off", "GODEBUG=asyncpreemptoff=1"},
			Stdout: log, Stderr: log,
			ExtraFiles:  []*os.File{commands, reports},
			SysProcAttr: attributes,
		}
		if err = h.process.Start(); err == nil {
			break
		}
	}
	if err != nil {
		h.close()
		return nil, err
	}
	if err := h.send([]byte(root)); err != nil {
		return nil, fmt.Errorf("%w (%v)", err, h.end())
	}
	return h, nil
}

// send gives the helper one message.
func (h *helper) send(text []byte) error {
	message := binary.BigEndian.AppendUint32(nil, uint32(len(text)))
	_, err := h.commands.Write(append(message, text...))
	return err
}

// end ends a helper that has no job, and says how it ended.
func (h *helper) end() error {
	_ = h.process.Process.Kill()
	err := h.process.Wait()
	h.close()
	return err
}

// close lets go of the pipes.
func (h *helper) close() {
	for _, f := range []*os.File{h.log, h.commands, h.reports} {
		if f != nil {
			f.Close()
		}
	}
}
