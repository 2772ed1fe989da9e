package revision

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// git runs git in the module's folder and returns what it prints.
func (r *Repository) git(ctx context.Context, stdin io.Reader, args ...string) ([]byte, error) {
	c := exec.CommandContext(ctx, "git", append([]string{"-C", r.module, "--no-optional-locks"}, args...)...)
	// Nothing in a repository's configuration may make git start another program, and
	// nobody is to be asked for a password.
	c.Env = append(os.Environ(), "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=core.fsmonitor", "GIT_CONFIG_VALUE_0=false",
		"GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
	c.Stdin = stdin
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err == nil {
		return out, nil
	}
	return nil, &gitError{verb: args[0], said: strings.TrimSpace(stderr.String()), err: err}
}

// A gitError is git's refusal, in its words.
type gitError struct {
	verb, said string
	err        error
}

func (e *gitError) Error() string {
	if e.said == "" {
		return fmt.Sprintf("git %s: %v", e.verb, e.err)
	}
	return fmt.Sprintf("git %s: %s", e.verb, e.said)
}

func (e *gitError) Unwrap() error { return e.err }

// refused says that git ran and said no, as it does of what is not there.
func refused(err error) bool {
	exit, ok := errors.AsType[*exec.ExitError](err)
	return ok && exit.ExitCode() >= 0
}

// one is what git prints, if that is one line.
func (r *Repository) one(ctx context.Context, args ...string) (string, error) {
	out, err := r.git(ctx, nil, args...)
	return strings.TrimSpace(string(out)), err
}
