//go:build unix

package sandbox

import (
	"encoding/binary"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Runner and helper speak in messages over one socket: a byte that says what it is,
// the length of its text, and the text.
const (
	mountAt  = 'm' // the first to the helper: the folder to build roots on, or nothing
	runJob   = 'r' // to the helper: a command, with the log's descriptor
	stop     = 't' // to the helper: SIGTERM for the job
	stopNow  = 'k' // to the helper: SIGKILL for the job; the end of the stream means it, too
	jobEnded = 'e' // to the runner: the report, after which nothing of the job is left
)

const headerSize = 5

// noLog stands for the descriptor of a message that has none.
const noLog = -1

func frameMessage(kind byte, text []byte) []byte {
	message := make([]byte, headerSize, headerSize+len(text))
	message[0] = kind
	binary.BigEndian.PutUint32(message[1:], uint32(len(text)))
	return append(message, text...)
}

// send gives the helper one message.
func (h *helper) send(kind byte, text []byte, log int) error {
	message := frameMessage(kind, text)
	var rights []byte
	if log != noLog {
		rights = unix.UnixRights(log)
	}
	raw, err := h.socket.SyscallConn()
	if err != nil {
		return err
	}
	sent := 0
	writeErr := raw.Write(func(fd uintptr) bool {
		for {
			sent, err = unix.SendmsgN(int(fd), message, rights, nil, 0)
			if err != unix.EINTR {
				return err != unix.EAGAIN
			}
		}
	})
	if writeErr != nil {
		return writeErr
	}
	if err != nil {
		return os.NewSyscallError("sendmsg", err)
	}
	_, err = h.socket.Write(message[sent:]) // what did not fit
	return err
}

// hear waits for the report of a job.
func (h *helper) hear() (report, error) {
	header := make([]byte, headerSize)
	if _, err := io.ReadFull(h.socket, header); err != nil {
		return report{}, err
	}
	text := make([]byte, binary.BigEndian.Uint32(header[1:]))
	if _, err := io.ReadFull(h.socket, text); err != nil {
		return report{}, err
	}
	if header[0] != jobEnded {
		return report{}, errWire
	}
	return unmarshalReport(text)
}

// receive is the helper's side of send. The descriptor is for the caller to close.
func (f descriptor) receive() (kind byte, text []byte, log int, err error) {
	header, rights := make([]byte, headerSize), make([]byte, unix.CmsgSpace(4))
	n, oob, err := 0, 0, error(unix.EINTR)
	for err == unix.EINTR {
		n, oob, _, _, err = unix.Recvmsg(int(f), header, rights, 0)
	}
	if err == nil && n == 0 {
		err = io.EOF
	}
	if err != nil {
		return 0, nil, noLog, err
	}
	log = attached(rights[:oob])
	if _, err = io.ReadFull(f, header[n:]); err == nil {
		text = make([]byte, binary.BigEndian.Uint32(header[1:]))
		_, err = io.ReadFull(f, text)
	}
	return header[0], text, log, err
}

// attached is the descriptor in a control message.
func attached(rights []byte) int {
	messages, err := unix.ParseSocketControlMessage(rights)
	if err != nil || len(messages) != 1 {
		return noLog
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return noLog
	}
	unix.CloseOnExec(fds[0])
	return fds[0]
}

// A descriptor reads and writes without the runtime's poller, which the helper has
// no other use for.
type descriptor int

func (f descriptor) Read(p []byte) (int, error) {
	for len(p) > 0 {
		n, err := unix.Read(int(f), p)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return 0, err
		case n == 0:
			return 0, io.EOF
		}
		return n, nil
	}
	return 0, nil
}

func (f descriptor) Write(p []byte) (done int, err error) {
	for done < len(p) {
		n, err := unix.Write(int(f), p[done:])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return done, err
		}
		done += n
	}
	return done, nil
}

// private makes two descriptors that no process started meanwhile inherits.
func private(open func(*[2]int) error) (fds [2]int, err error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := open(&fds); err != nil {
		return fds, err
	}
	unix.CloseOnExec(fds[0])
	unix.CloseOnExec(fds[1])
	return fds, nil
}

// pollable makes a file of a descriptor, that can be read with a deadline. The other
// end stays as programs expect it.
func pollable(fd int, name string) (*os.File, error) {
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(fd), name), nil
}
