package progress

import (
	"fmt"
	"strings"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/terminal"
)

// maxLines is how many lines a drawing has at most: what the smallest terminal in
// use shows, with a line to spare for the cursor.
const maxLines = 23

// colours are the SGR codes of statuses.
var colours = map[pipeline.Status]string{
	pipeline.Running:   "36",
	pipeline.Succeeded: "32",
	pipeline.Failed:    "31",
	pipeline.TimedOut:  "31",
	pipeline.Aborted:   "33",
	pipeline.Skipped:   "2",
	pipeline.Pending:   "2",
}

// paint is text in the colour of a status.
func paint(text string, s pipeline.Status, color bool) string {
	if !color || colours[s] == "" {
		return text
	}
	return "\x1b[" + colours[s] + "m" + text + "\x1b[0m"
}

// word is a status the way that people say it.
func word(s pipeline.Status, cached bool) string {
	switch s {
	case pipeline.Pending:
		return "waiting"
	case pipeline.Running:
		return "running"
	case pipeline.Succeeded:
		if cached {
			return "cached"
		}
		return "done"
	case pipeline.Failed:
		return "failed"
	case pipeline.TimedOut:
		return "timed out"
	case pipeline.Aborted:
		return "stopped"
	case pipeline.Skipped:
		return "skipped"
	}
	return strings.ToLower(string(s))
}

// Render draws the state as lines of at most width columns, at most 23 of them,
// each ended by a line break: a head, and a line for each step. When there are too
// many steps, those around the one that runs are shown and the others counted.
func Render(s State, width int, color bool) string {
	var b strings.Builder
	b.WriteString(head(s, width, color) + "\n")
	name := 0
	for _, step := range s.Steps {
		name = max(name, Width(terminal.Clean(step.Name)))
	}
	name = min(name, max(8, width/3))
	from, to := window(s.Steps)
	if from > 0 {
		fmt.Fprintf(&b, "%s\n", Cut(fmt.Sprintf("  … %d steps before", from), width))
	}
	for _, step := range s.Steps[from:to] {
		b.WriteString(line(s, step, name, width, color) + "\n")
	}
	if rest := len(s.Steps) - to; rest > 0 {
		fmt.Fprintf(&b, "%s\n", Cut(fmt.Sprintf("  … %d steps after", rest), width))
	}
	if s.Preparing != "" {
		b.WriteString(Cut("  "+preparing(s), width) + "\n")
	}
	return b.String()
}

// head is the line of the run as a whole.
func head(s State, width int, color bool) string {
	title := terminal.Clean(s.Pipeline)
	if s.Run != "" {
		title += "  run " + terminal.Clean(s.Run)
	}
	seconds := s.Seconds
	if s.Status == pipeline.Running {
		seconds = s.Now.Sub(s.Started).Seconds()
	}
	status := word(s.Status, false)
	tail := ""
	if s.Status != pipeline.Pending {
		tail = "  " + Span(seconds)
	}
	title = Cut(title, width-Width(status)-2-Width(tail))
	return Cut(title, width) + "  " + paint(status, s.Status, color) + tail
}

// window chooses the steps to show.
func window(steps []Step) (from, to int) {
	const room = maxLines - 4 // head, two counts, what is being prepared
	if len(steps) <= room {
		return 0, len(steps)
	}
	last := 0 // the last step that has begun
	for i, step := range steps {
		if step.Status != pipeline.Pending {
			last = i
		}
	}
	from = min(max(0, last-room/2), len(steps)-room)
	return from, from + room
}

// line is that of one step.
func line(s State, step Step, name, width int, color bool) string {
	text := "  " + Pad(Cut(terminal.Clean(step.Name), name), name) + "  "
	status := word(step.Status, step.Cached)
	seconds, note := step.Seconds, terminal.Clean(step.Message)
	switch {
	case !step.RetryAt.IsZero() && step.Status == pipeline.Running:
		status = "retrying"
		seconds = max(0, step.RetryAt.Sub(s.Now).Seconds())
		note = fmt.Sprintf("try %d failed: %s", step.Attempt, note) // the next one is try Attempt, from 0
	case step.Status == pipeline.Running:
		seconds = s.Now.Sub(step.Started).Seconds()
		if step.Attempt > 0 {
			note = fmt.Sprintf("try %d", step.Attempt+1)
		}
	}
	time := ""
	if step.Status != pipeline.Pending && step.Status != pipeline.Skipped {
		time = Span(seconds)
	}
	const column = 9 // the longest status
	rest := Pad("", column-Width(status)) + "  " + Pad(time, 6)
	if note != "" {
		rest += "  " + note
	}
	room := width - Width(text)
	if room <= Width(status) {
		return Cut(text+status, width)
	}
	return text + paint(status, step.Status, color) + strings.TrimRight(Cut(rest, room-Width(status)), " ")
}

// preparing is the line of long work.
func preparing(s State) string {
	text := terminal.Clean(s.Preparing)
	switch {
	case s.Total > 0:
		text += fmt.Sprintf(" (%d%%)", 100*s.Done/s.Total)
	case s.Done > 0:
		text += fmt.Sprintf(" (%s)", pipeline.Size(s.Done))
	}
	return text
}
