package stack

import (
	"fmt"
	"strings"
	"time"

	"github.com/mlmax/mlmax/pipeline/progress"
	"github.com/mlmax/mlmax/pipeline/terminal"
)

// maxLines is how many lines a drawing has at most: what the smallest terminal in use
// shows, with a line to spare for the cursor.
const maxLines = 23

// colours are the SGR codes of phases.
var colours = map[Phase]string{
	Waiting: "2", InProgress: "36", Done: "32", Failed: "31", Cancelled: "33",
	RollingBack: "33", RolledBack: "33", Deleting: "36", Deleted: "2", Kept: "32",
}

// column is how wide the longest phase is in its brackets.
const column = len("[" + RollingBack + "]")

// Render draws the tree as lines of at most width columns, at most 23 of them, each
// ended by a line break: a head, and a line for each resource with its readable name,
// logical id, phase and time. When there are too many, those that are done or wait are
// counted.
func Render(t Tree, width int, color bool) string {
	var lines []string
	branches, hidden := shown(t.Branches)
	name, logical := 0, 0
	for _, b := range branches {
		name = max(name, progress.Width(terminal.Clean(b.Name)))
		logical = max(logical, progress.Width(terminal.Clean(b.Logical)))
	}
	// What does not fit beside the phase and its time goes, ids first.
	room := width - len("  - ") - column - len("  12m34s") - 2
	name = min(name, max(8, room))
	if logical > room-name-2 {
		logical = 0
	}
	left := len("  - ") + name + 2
	if logical > 0 {
		left += logical + 2
	}
	lines = append(lines, head(t, left, width, color))
	for _, b := range branches {
		text := "  - " + progress.Pad(progress.Cut(terminal.Clean(b.Name), name), name) + "  "
		if logical > 0 {
			text += progress.Pad(terminal.Clean(b.Logical), logical) + "  "
		}
		lines = append(lines, text+tail(b.Phase, took(b, t.Now), width-progress.Width(text), color))
		if b.Reason != "" {
			lines = append(lines, progress.Cut("      "+terminal.Clean(b.Reason), width))
		}
	}
	if len(lines) > maxLines-1 {
		lines = lines[:maxLines-1]
	}
	if hidden != "" {
		lines = append(lines, progress.Cut("  … "+hidden, width))
	}
	return strings.Join(lines, "\n") + "\n"
}

// head is the line of the stack as a whole, its phase in the column of the others.
func head(t Tree, left, width int, color bool) string {
	title := terminal.Clean(t.Doing + " stack " + t.Stack + " in " + t.Region)
	end := t.Now
	if !t.Ended.IsZero() {
		end = t.Ended
	}
	left = min(max(left, progress.Width(title)+2), max(0, width-column-len("  12m34s")))
	title = progress.Pad(progress.Cut(title, max(0, left-2)), left)
	return title + tail(t.Phase, progress.Span(end.Sub(t.Started).Seconds()), width-progress.Width(title), color)
}

// tail is a phase in brackets and a time, in at most width columns.
func tail(p Phase, time string, width int, color bool) string {
	word := progress.Cut("["+string(p)+"]", width)
	rest := ""
	if time != "" {
		rest = progress.Cut(strings.Repeat(" ", max(0, column-progress.Width(word)))+"  "+time, width-progress.Width(word))
	}
	if color {
		word = "\x1b[" + colours[p] + "m" + word + "\x1b[0m"
	}
	return word + rest
}

// took is how long a resource was worked on, empty if it was not.
func took(b Branch, now time.Time) string {
	switch {
	case b.Started.IsZero():
		return ""
	case b.Ended.IsZero():
		return progress.Span(now.Sub(b.Started).Seconds())
	}
	return progress.Span(b.Ended.Sub(b.Started).Seconds())
}

// shown chooses the resources to draw: all, or those that are neither done nor waiting
// first, in their order, and how many others there are.
func shown(all []Branch) ([]Branch, string) {
	const room = maxLines - 2 // head and count
	lines := 0
	for _, b := range all {
		lines += height(b)
	}
	if lines <= room {
		return all, ""
	}
	take := make([]bool, len(all))
	left := room
	for _, idle := range []bool{false, true} {
		for i, b := range all {
			if resting(b.Phase) == idle && height(b) <= left {
				take[i], left = true, left-height(b)
			}
		}
	}
	var some []Branch
	count := map[Phase]int{}
	for i, b := range all {
		if take[i] {
			some = append(some, b)
		} else {
			count[b.Phase]++
		}
	}
	var words []string
	for _, p := range []Phase{Waiting, InProgress, Done, Failed, Cancelled, RollingBack, RolledBack, Deleting, Deleted, Kept} {
		if count[p] > 0 {
			words = append(words, fmt.Sprintf("%d %s", count[p], p))
		}
	}
	return some, "and " + strings.Join(words, ", ")
}

func resting(p Phase) bool { return p == Waiting || p == Done || p == Deleted || p == RolledBack }

// height is how many lines a resource takes.
func height(b Branch) int {
	if b.Reason != "" {
		return 2
	}
	return 1
}
