// Package mototest starts moto, another project's idea of AWS, as a server on loopback: a
// second opinion on commands that the account of internal/awsfake was made for. In goes the
// repository, in which tools/aws has installed moto; out comes the server's address. What
// moto does not have is listed in docs/aws.md.
package mototest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// ErrMissing is the error of a moto that is not installed.
var ErrMissing = errors.New("moto is not installed: run tools/aws")

// A Server is a moto that runs.
type Server struct {
	// URL is its address, to be given as AWS_ENDPOINT_URL.
	URL string

	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
	err  error         // how it ended
}

// address is what moto prints when it is ready.
var address = regexp.MustCompile(`Running on (http://127\.0\.0\.1:\d+)`)

// patience is how long moto may take to start and to end.
const patience = 30 * time.Second

// Start starts moto on a free port of loopback.
func Start(ctx context.Context, repository string) (*Server, error) {
	program := filepath.Join(repository, ".tools", "moto", "bin", "moto_server")
	if _, err := os.Stat(program); errors.Is(err, os.ErrNotExist) {
		return nil, ErrMissing
	}
	s := &Server{cmd: exec.Command(program, "-H", "127.0.0.1", "-p", "0"), done: make(chan struct{})}
	// It finds no credentials or settings of whoever runs the tests, and leaves with them.
	s.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.DevNull, "PYTHONUNBUFFERED=1"}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.cmd.Stderr = s.cmd.Stdout
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start moto: %w", err)
	}
	ready := make(chan string, 1)
	go s.read(out, ready)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case s.URL = <-ready:
	case <-ctx.Done():
		return nil, errors.Join(fmt.Errorf("moto did not start: %w", ctx.Err()), s.Stop())
	}
	if s.URL == "" {
		<-s.done
		return nil, fmt.Errorf("moto ended before it was ready: %w", s.err)
	}
	return s, nil
}

// read reads what moto prints to its end, so that it never waits for a reader, and tells
// its address, or nothing if it ends without one.
func (s *Server) read(out io.Reader, ready chan<- string) {
	var said []string
	told := false
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if match := address.FindStringSubmatch(lines.Text()); match != nil && !told {
			told = true
			ready <- match[1]
		}
		if !told {
			said = append(said, lines.Text())
		}
	}
	_, _ = io.Copy(io.Discard, out) // a line that is too long ends a Scanner
	s.err = s.cmd.Wait()
	if !told {
		s.err = errors.Join(s.err, errors.New(strings.Join(said, "\n")))
		ready <- ""
	}
	close(s.done)
}

// Stop ends this moto, and no other.
func (s *Server) Stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop moto: %w", err)
	}
	select {
	case <-s.done:
	case <-time.After(patience):
		if err := s.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("kill moto: %w", err)
		}
		<-s.done
	}
	return nil
}
