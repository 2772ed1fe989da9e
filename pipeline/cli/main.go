// Package cli is the commands of a generated main: run, the default, with a flag
// for every parameter; runs, logs, graph and models. In go a definition, the arguments and
// three streams, out comes an exit code. The product of a command goes to standard
// output, all talk to standard error. The package decides nothing about a run: the
// runner does.
//
// Exit codes: 0 the run succeeded; 1 it did not, or a parameter is invalid; 2 the
// command line is wrong, or the world is in the way; 130 and 143 the run was
// interrupted or terminated.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/cloud"
	"github.com/mlmax/mlmax/pipeline/lineage"
	"github.com/mlmax/mlmax/pipeline/local"
	"github.com/mlmax/mlmax/pipeline/openlineage"
	"github.com/mlmax/mlmax/pipeline/progress"
	"github.com/mlmax/mlmax/pipeline/record"
	"github.com/mlmax/mlmax/pipeline/report"
	"github.com/mlmax/mlmax/pipeline/terminal"
	"github.com/spf13/cobra"
)

// The exit codes.
const (
	exitFailed      = 1
	exitTrouble     = 2
	exitInterrupted = 130
	exitTerminated  = 143
)

// Main executes the command line of a generated main and returns its exit code.
func Main(d *pipeline.Definition, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if os.Getenv("GOGC") == "" {
		// A command of a short run ends before it has made 8 MB of garbage.
		debug.SetGCPercent(200)
	}
	return newApp(d, stdin, stdout, stderr).main(args)
}

// newApp is a command line on this machine.
func newApp(d *pipeline.Definition, stdin io.Reader, stdout, stderr io.Writer) *app {
	return &app{
		definition: d,
		stdin:      stdin, stdout: stdout, stderr: stderr,
		command:   commandName(d),
		newRunner: newLocalRunner,
		open:      openRecord,
		notify:    notify,
		display:   newDisplay,

		interactive: interactive,
		patience:    5 * time.Second,
		settle:      150 * time.Millisecond,
		now:         time.Now,
	}
}

// A runner is a pipeline.Runner that holds something open.
type runner interface {
	pipeline.Runner
	Close() error
}

// A history is what is known of earlier runs.
type history interface {
	report.Source
	Runs(ctx context.Context, limit int) ([]record.Run, error)
	Run(ctx context.Context, id string) (*record.Run, error)
	Close() error
	registry
	lineage.Names
	openlineage.Facts
}

// An app is one command line being executed, with the world as functions.
type app struct {
	definition     *pipeline.Definition
	stdin          io.Reader
	stdout, stderr io.Writer
	// command is how a person runs this command.
	command string
	// workspace is the folder that the command line names, or empty.
	workspace string
	// aws is where on AWS the command line says that a history is, and account the place
	// once it is open.
	aws     awsFlags
	account *cloud.Place
	// newRunner makes the runner that the flags ask for.
	newRunner func(*pipeline.Definition, place) (runner, error)
	// open opens the record of a workspace, and returns the workspace's folder, too.
	open func(*pipeline.Definition, place) (history, string, error)
	// notify starts to deliver the signals that interrupt a run.
	notify func() (signals <-chan os.Signal, stop func())
	// display makes what shows the progress of a run, and what stops it.
	display func(w io.Writer, s progress.State, quiet bool) (d progress.Display, stop func())
	// interactive says that there is a person to ask at in, who reads what goes to out.
	interactive func(in io.Reader, out io.Writer) bool
	// cloud are how AWS is talked to, besides what the environment says.
	cloud cloud.Options
	// patience is how long a run that was told to quit at once is waited for.
	patience time.Duration
	// settle is how soon after the first interrupt another one is the same: a
	// supervisor may signal the process and its group, a person cannot be so fast.
	settle time.Duration
	// now is the time.
	now func() time.Time
	// printed says that the outcome has been printed as JSON.
	printed bool
}

// here is how a person runs this command in the workspace that they named.
func (a *app) here() string { return a.command + inWorkspace(a.workspace) }

// A place is where runs are kept, how jobs are isolated, and what is not run again.
type place struct {
	// workspace is a folder; empty is the module's own.
	workspace string
	isolation string
	// python is the interpreter to use, or empty; packages says which it has.
	python, packages string
	// reuse is what the run takes from earlier ones.
	reuse local.Reuse
	// command is how a person runs this command, given the run's values behind it.
	command, given string
}

// An exit is an error with an exit code. One without an error has been reported.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

// main executes the command line.
func (a *app) main(args []string) int {
	root := a.root()
	root.SetArgs(args)
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	err := root.ExecuteContext(context.Background())
	if err == nil {
		return 0
	}
	code := exitTrouble
	if e := (*exit)(nil); errors.As(err, &e) {
		code, err = e.code, e.err
	}
	if record.IsDamaged(err) {
		err = fmt.Errorf("%w\n\thint: make it again from the manifests of the runs: %s rebuild", err, a.here())
	}
	if err != nil {
		err = errors.Join(err, a.printMistake(root, args, err))
		// It may hold what a service or a file said.
		fmt.Fprintf(a.stderr, "%s: %s\n", a.definition.Name, terminal.Lines(err.Error()))
	}
	return code
}

// printMistake prints the outcome of a run whose command line is wrong, if it was
// asked for as JSON: who reads that is to find an object, whatever happened.
func (a *app) printMistake(root *cobra.Command, args []string, mistake error) error {
	c, _, err := root.Find(args)
	if err != nil || a.printed || !slices.Contains(args, "--json") || c != root && c.Name() != "run" && c.Name() != "resume" && c.Name() != "watch" {
		return nil
	}
	cause, _, _ := strings.Cut(mistake.Error(), "\n\thint:")
	return a.printJSON(a.nothing(nil, "Usage", errors.New(cause)))
}

// notify delivers what interrupts a run. SIGPIPE is taken, too, and dropped, to the
// end of the process: a reader that went away ends what is written to it, and not
// the run. It is taken and not ignored, because an ignored signal would be so in
// the steps as well.
func notify() (<-chan os.Signal, func()) {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	return signals, func() { signal.Stop(signals) }
}
