package progress

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/terminal"
)

// SummaryOptions say what a summary names.
type SummaryOptions struct {
	// Command is how this pipeline's command is run: "go run ./generated/training".
	Command string
	// Next is how another command is run, given its verb and arguments; nil puts them behind
	// Command.
	Next func(verb string) string
	// Runs says what the command that lists runs lists; "" is all runs of this workspace.
	Runs string
	// Path shows a path of this machine to the reader, such as relative to the
	// folder that they are in; nil leaves it as it is.
	Path func(string) string
	// Tail reads the last lines of a log, by the outcome's name for it; nil leaves them out.
	Tail func(log string, lines int) []string
	// Color paints statuses.
	Color bool
}

// Summary writes how a run ended: the result and why, metrics, the model, how long
// each step took, where each artifact is, what the run did not prove, and the
// commands that come next.
func Summary(w io.Writer, o *pipeline.Outcome, opts SummaryOptions) error {
	if opts.Path == nil {
		opts.Path = func(p string) string { return p }
	}
	if opts.Next == nil {
		opts.Next = func(verb string) string { return opts.Command + " " + verb }
	}
	s := &summary{Outcome: o, options: opts}
	s.result()
	s.links()
	s.versions()
	s.metrics()
	s.model()
	s.steps()
	s.artifacts()
	s.parity()
	s.next()
	if _, err := io.WriteString(w, s.text.String()); err != nil {
		return fmt.Errorf("write the summary: %w", err)
	}
	return nil
}

// A summary is one being written.
type summary struct {
	*pipeline.Outcome
	options SummaryOptions
	text    strings.Builder
}

func (s *summary) printf(format string, args ...any) { fmt.Fprintf(&s.text, format, args...) }

// table writes rows with aligned columns, two spaces apart.
func (s *summary) table(rows [][]string) {
	var widths []int
	for _, r := range rows {
		for i, c := range r {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], Width(c))
		}
	}
	for _, r := range rows {
		line := " "
		for i, c := range r {
			line += " " + Pad(c, widths[i]) + " "
		}
		s.printf("%s\n", strings.TrimRight(line, " "))
	}
}

// result is the status, and for a run that did not succeed the reason, where its
// log is, and how that ends.
func (s *summary) result() {
	status := paint(string(s.Status), s.Status, s.options.Color)
	s.printf("\n%s %s in %s (run %s)\n", terminal.Clean(s.Pipeline), status, Span(s.Seconds), terminal.Clean(s.Run))
	if s.Resumes != "" {
		s.printf("  resumes run %s\n", terminal.Clean(s.Resumes))
	}
	if s.Partial != "" {
		s.printf("  %s: it did a part of the pipeline, and gave no output\n", terminal.Clean(s.Partial))
	}
	if s.Status == pipeline.Succeeded || s.goesOn() {
		return
	}
	reason := strings.TrimRight(s.Cause, "\r\n")
	if reason == "" {
		reason = s.Error
	}
	if s.FailedStep != "" {
		what := "in step "
		if ofMachine(s.FailedStep) {
			what = "in state "
		}
		reason = strings.TrimSuffix(what+s.FailedStep+": "+reason, ": ")
	}
	if s.Log != "" {
		reason += "; log: " + s.options.Path(s.Log)
	}
	for l := range strings.Lines(reason) {
		s.printf("  %s\n", terminal.Clean(strings.TrimRight(l, "\r\n")))
	}
	if s.Error != "" && reason != s.Error {
		s.printf("  (%s)\n", terminal.Clean(s.Error))
	}
	if s.Log == "" || s.options.Tail == nil {
		return
	}
	for _, l := range s.options.Tail(s.Log, tailLines) {
		s.printf("    | %s\n", terminal.Clean(l))
	}
}

// goesOn says that the run has not ended.
func (s *summary) goesOn() bool {
	return s.Status == pipeline.Running || s.Status == pipeline.PendingRedrive
}

// links are the pages of the console, for a run that did not succeed.
func (s *summary) links() {
	if len(s.Links) == 0 || s.Status == pipeline.Succeeded {
		return
	}
	s.printf("\nConsole\n")
	var rows [][]string
	for _, l := range s.Links {
		rows = append(rows, []string{l.Name, terminal.Clean(l.URL)})
	}
	s.table(rows)
}

// tailLines is how many lines of a failed step's log are shown.
const tailLines = 10

// versions are the model versions that the run started from.
func (s *summary) versions() {
	if len(s.Versions) == 0 {
		return
	}
	s.printf("\nStarted from\n")
	for _, name := range slices.Sorted(maps.Keys(s.Versions)) {
		v := s.Versions[name]
		s.printf("  %s: version %d of %s, %s\n", terminal.Clean(name), v.Version, terminal.Clean(v.Group), terminal.Clean(v.Status))
	}
}

func (s *summary) metrics() {
	if len(s.Metrics) == 0 {
		return
	}
	s.printf("\nMetrics\n")
	var rows [][]string
	for _, k := range slices.Sorted(maps.Keys(s.Metrics)) {
		rows = append(rows, []string{terminal.Clean(k), value(s.Metrics[k])})
	}
	s.table(rows)
}

// value is a metric: a number with as many digits as it has.
func value(v any) string {
	switch v := v.(type) {
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case string:
		return terminal.Clean(v)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return terminal.Clean(fmt.Sprint(v))
	}
	return terminal.Clean(string(b))
}

func (s *summary) model() {
	switch {
	case s.Model != nil:
		s.printf("\nModel\n  registered as version %d of %s, %s\n", s.Model.Version, terminal.Clean(s.Model.Group), terminal.Clean(s.Model.Status))
	case s.NotRegistered != "":
		s.printf("\nModel\n  not registered: %s\n", terminal.Clean(s.NotRegistered))
	}
}

func (s *summary) steps() {
	if len(s.Steps) == 0 {
		return
	}
	s.printf("\nSteps\n")
	var rows [][]string
	for _, step := range s.Steps {
		took, note := "", ""
		if step.Status != pipeline.Pending && step.Status != pipeline.Skipped {
			took = Span(step.Seconds)
		}
		if step.Attempts > 1 {
			note = fmt.Sprintf("%d tries", step.Attempts)
		}
		if step.Why != "" {
			note = strings.TrimPrefix(note+"; "+terminal.Clean(step.Why), "; ")
		}
		rows = append(rows, []string{terminal.Clean(step.Name), word(step.Status, step.Cached), took, note})
	}
	s.table(rows)
}

func (s *summary) artifacts() {
	if len(s.Artifacts) == 0 {
		return
	}
	s.printf("\nArtifacts\n")
	var rows [][]string
	for _, a := range s.Artifacts {
		where, size := a.URI, pipeline.Size(a.Bytes)
		if a.Bytes == 0 && a.Path == "" {
			size = "" // it is not on this machine, and nobody has said
		}
		if a.Path != "" {
			where = s.options.Path(a.Path)
		}
		rows = append(rows, []string{terminal.Clean(a.Name), size, terminal.Clean(where)})
	}
	s.table(rows)
}

func (s *summary) parity() {
	if len(s.Parity) == 0 || s.Status != pipeline.Succeeded {
		return // a run that did not succeed proves nothing, and has worse to tell
	}
	s.printf("\nNot proved by this run\n")
	for _, p := range s.Parity {
		s.printf("  - %s\n", terminal.Clean(p))
	}
}

// ofMachine says that a state is the machine's own: it is no step, and writes no log.
// Its name has a blank, which no step's has.
func ofMachine(state string) bool { return strings.Contains(state, " ") }

// next are the commands that a reader is most likely to want.
func (s *summary) next() {
	if s.options.Command == "" {
		return
	}
	s.printf("\nNext\n")
	var rows [][]string
	for _, n := range s.Outcome.Next {
		rows = append(rows, []string{n.Command, n.Why})
	}
	rows = append(rows, s.goOn()...)
	all := s.options.Runs
	if all == "" {
		all = "all runs of this workspace"
	}
	rows = append(rows, []string{s.options.Next("runs"), all})
	for _, r := range rows {
		r[0] = terminal.Clean(r[0])
	}
	s.table(rows)
}

// goOn are the commands that look at this run or go on with it.
func (s *summary) goOn() (rows [][]string) {
	run := s.Run
	if s.Execution != "" {
		run = s.Execution
	}
	next := s.options.Next
	switch {
	case s.goesOn():
		return [][]string{{next("watch " + run), "follow it to its end"}, {next("stop " + run), "stop it and its jobs"}}
	case s.Status == pipeline.Succeeded:
		rows = append(rows, []string{next("logs " + run), "what its steps wrote"})
		if s.Partial != "" {
			rows = append(rows, []string{next("resume " + run), "go on with the other steps"})
		}
		return rows
	}
	if s.FailedStep != "" && s.Log != "" { // else it wrote nothing: it did not begin, or is a call
		rows = append(rows, []string{next("logs " + run + " " + s.FailedStep), "what the step wrote"})
	}
	switch {
	case len(s.Steps) == 0:
		return append(rows, []string{s.options.Command, "run again"})
	case s.NotResumable != "":
		return append(rows, []string{next("run"), "start another: " + terminal.Clean(s.NotResumable)})
	}
	why := "go on with it; what is complete is kept"
	if s.Execution != "" { // Step Functions takes up nothing that was mended since
		why = "go on with its code and input; what is complete is kept"
	}
	if s.ResumableUntil != nil {
		why += " (until " + s.ResumableUntil.Local().Format("2006-01-02") + ")"
	}
	return append(rows, []string{next("resume " + run), why})
}
