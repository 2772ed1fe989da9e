// Command mlmaxgen reads specs and writes what runs them: the state machine, the
// CloudFormation template, typed Go and a README for each pipeline.
//
// It is the only part of the generator that prints and exits. Products go to
// standard output, everything else to standard error; success is quiet. The exit
// code is 0 if all is well, 1 for mistakes in a spec and stale files, 2 for wrong
// usage and trouble.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/mlmax/mlmax/gen"
	"github.com/mlmax/mlmax/gen/diag"
)

// Exit codes.
const (
	exitOK      = 0
	exitFound   = 1 // mistakes, or stale files
	exitTrouble = 2 // usage, or the world's trouble
)

// errFound ends a command whose diagnostics are printed already.
var errFound = errors.New("diagnostics were printed")

func main() {
	// A run is over before memory matters; collecting as rarely as this saves a
	// fifth of its time.
	debug.SetGCPercent(400)
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is main with everything that it touches. Standard input is not read; it is
// a parameter so that a test sees that nothing waits for it.
func run(args []string, _ io.Reader, stdout, stderr io.Writer) (code int) {
	defer func() {
		if bug := recover(); bug != nil {
			reportBug(stderr, args, bug)
			code = exitTrouble
		}
	}()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	a := &app{stdout: stdout, stderr: stderr}
	root := a.root()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	switch err := root.ExecuteContext(ctx); {
	case err == nil:
		return exitOK
	case errors.Is(err, errFound):
		return exitFound
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "mlmaxgen: interrupted; nothing was written")
		return exitTrouble
	default:
		fmt.Fprintf(stderr, "mlmaxgen: %v\n", err)
		return exitTrouble
	}
}

// reportBug says that the fault is ours, and what we need to mend it.
func reportBug(w io.Writer, args []string, bug any) {
	fmt.Fprintf(w, "mlmaxgen: this is a bug in mlmaxgen and not in your spec: %v\n", bug)
	fmt.Fprintf(w, "please report it at https://github.com/mlmax/mlmax/issues with the spec and what follows\n\n")
	fmt.Fprintf(w, "command: mlmaxgen %q\n%s", args, debug.Stack())
}

// app is what the commands share: their flags and where they print.
type app struct {
	stdout, stderr io.Writer
	dir, out       string
	json           bool
}

// generate runs the stages.
func (a *app) generate(ctx context.Context, patterns []string) (*gen.Result, error) {
	return gen.Run(ctx, gen.Options{Dir: a.dir, Patterns: patterns, Out: a.out})
}

// report prints diagnostics: as JSON on standard output if that was asked for,
// else as text on standard error. The result is errFound if there is an error
// among them.
func (a *app) report(l diag.List) error {
	if a.json {
		if err := l.JSON(a.stdout, a.config()); err != nil {
			return fmt.Errorf("printing diagnostics: %w", err)
		}
	} else if err := a.text(l); err != nil {
		return err
	}
	if l.Errors() > 0 {
		return errFound
	}
	return nil
}

func (a *app) text(l diag.List) error {
	if err := l.Print(a.stderr, a.config()); err != nil {
		return fmt.Errorf("printing diagnostics: %w", err)
	}
	return nil
}

// config makes paths relative to where the command was started.
func (a *app) config() diag.Config {
	wd, err := os.Getwd()
	if err != nil {
		wd = "" // paths stay absolute
	}
	return diag.Config{Dir: wd}
}
