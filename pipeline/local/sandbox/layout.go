package sandbox

import (
	"context"
	"fmt"
)

// A Layout is what [Run] would start in Direct mode.
type Layout struct {
	Argv, Env []string
	WorkDir   string
}

// LayOut makes a job's folder as Direct mode does, with private copies of its inputs,
// and says what would be started there, but starts nothing. In what it says, the folder
// is called here, so that whoever starts it later can put any place instead.
func LayOut(ctx context.Context, j Job, here string) (*Layout, error) {
	j.Mode = Direct
	if err := j.check(); err != nil {
		return nil, fmt.Errorf("lay out a job in %s: %w", j.Dir, err)
	}
	if _, err := j.prepare(ctx); err != nil {
		return nil, fmt.Errorf("lay out a job in %s: %w", j.Dir, err)
	}
	j.Dir = here
	l := &Layout{WorkDir: here + j.workDir()}
	for _, a := range j.Argv {
		l.Argv = append(l.Argv, j.rewriteArgument(a))
	}
	for _, v := range j.Env {
		l.Env = append(l.Env, j.rewriteVariable(v))
	}
	return l, nil
}
