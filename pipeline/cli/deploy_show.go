package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/cloud"
	"github.com/mlmax/mlmax/pipeline/cloud/stack"
	"github.com/mlmax/mlmax/pipeline/terminal"
	"golang.org/x/term"
)

// newStackDisplay draws the work on a stack in place on a terminal, and appends lines
// elsewhere.
func newStackDisplay(w io.Writer) (stack.Display, func()) {
	f, ok := screen(w)
	if !ok {
		d := stack.Plain(w)
		return d, d.Close
	}
	ticker := time.NewTicker(100 * time.Millisecond)
	d := stack.Live(w, stack.LiveOptions{Width: widthOf(f), Tick: ticker.C, Color: colored(w)})
	return d, func() {
		ticker.Stop()
		d.Close()
	}
}

// newUploads says what is uploaded, once it is there.
func newUploads(w io.Writer) func(cloud.Progress) {
	return func(u cloud.Progress) {
		if !u.There && u.Done == u.Total {
			fmt.Fprintf(w, "uploaded %s (%s)\n", terminal.Clean(u.What), pipeline.Size(u.Total))
		}
	}
}

// interactive says that there is a person to ask: what they read and what they write are
// terminals.
func interactive(in io.Reader, out io.Writer) bool {
	f, ok := in.(*os.File)
	_, shown := screen(out)
	return ok && shown && term.IsTerminal(int(f.Fd()))
}

// ask asks a question that no answer declines, or refuses where there is nobody to ask.
// done is what then has not been done, again the command that does not ask.
func (a *app) ask(ctx context.Context, question, done, again string) error {
	answer, err := a.answer(ctx, question+" [y/N] ", done, again)
	if err != nil {
		return err
	}
	if !slices.Contains([]string{"y", "yes"}, strings.ToLower(answer)) {
		return &declinedError{"declined; nothing was " + done}
	}
	return nil
}

// answer is what a person answers.
func (a *app) answer(ctx context.Context, question, done, again string) (string, error) {
	if !a.interactive(a.stdin, a.stderr) {
		return "", &declinedError{"there is no terminal to ask on; nothing was " + done + "\n\thint: to do it without being asked: " + again}
	}
	fmt.Fprint(a.stderr, "\n"+question)
	line := make(chan string, 1)
	go func() {
		text, _ := bufio.NewReader(a.stdin).ReadString('\n') // no answer is one
		line <- strings.TrimSpace(text)
	}()
	select {
	case text := <-line:
		return text, nil
	case <-ctx.Done():
		fmt.Fprintln(a.stderr)
		return "", &declinedError{"interrupted; nothing was " + done}
	}
}

// deployed prints what a deployment led to.
func (a *app) deployed(w *work, state *stack.State, asJSON bool) error {
	w.report.Status, w.report.Outputs = string(state.Status), state.Outputs
	if asJSON {
		return nil
	}
	t := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	for _, key := range slices.Sorted(maps.Keys(state.Outputs)) {
		fmt.Fprintf(t, "%s\t%s\n", terminal.Clean(key), terminal.Clean(state.Outputs[key]))
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write the outputs: %w", err)
	}
	fmt.Fprintf(a.stderr, "\nStack %s is deployed.\n\thint: run it: %s\n", state.Name, w.place.Next("run"))
	return nil
}
