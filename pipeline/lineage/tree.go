package lineage

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/terminal"
)

// Tree writes the graph for a person: what was asked for, and under "Made from" and
// "Used by" the ways that were walked. What has been shown once is not shown again
// with all that hangs on it. Times are in zone.
func (g *Graph) Tree(out io.Writer, zone *time.Location) error {
	t := &tree{Graph: g, zone: zone}
	for i, id := range g.Start {
		if i > 0 {
			t.text.WriteString("\n")
		}
		n := g.index[id]
		t.line("", "", t.title(n))
		for _, more := range t.facts(n) {
			t.line("", "  ", more)
		}
		if g.ways.Up && n.Kind != CodeNode {
			t.section("Made from", n, (*tree).above)
		}
		if g.ways.Down {
			if n.Kind == RunNode {
				t.inside = n.Run
			}
			t.section("Used by", n, (*tree).below)
		}
	}
	_, err := io.WriteString(out, t.text.String())
	return err
}

type tree struct {
	*Graph
	zone  *time.Location
	text  strings.Builder
	shown map[string]bool
	// inside is the run that was asked for, if one was: what it did with its own
	// artifacts is no use of it.
	inside string
}

// A branch is one line, with what hangs on it.
type branch struct {
	text string
	node *Node // nil for a line that is no node
}

// A side lists the branches of a node, one way.
type side func(*tree, *Node) []branch

func (t *tree) line(prefix, glyph, text string) {
	t.text.WriteString(prefix + glyph + terminal.Clean(text) + "\n")
}

// section is one way from a start.
func (t *tree) section(heading string, n *Node, next side) {
	t.text.WriteString("\n" + heading + "\n")
	t.shown = map[string]bool{n.ID: true}
	all := next(t, n)
	if len(all) == 0 {
		none := "nothing that is known here"
		if n.More {
			none = "there is more: the depth ends here"
		}
		all = []branch{{text: none}}
	}
	t.branches("", all, next)
}

func (t *tree) branches(prefix string, all []branch, next side) {
	for i, b := range all {
		glyph, more := "├─ ", "│  "
		if i == len(all)-1 {
			glyph, more = "└─ ", "   "
		}
		if b.node == nil {
			t.line(prefix, glyph, b.text)
			continue
		}
		below := next(t, b.node)
		switch {
		case t.shown[b.node.ID] && len(below) > 0:
			b.text += " (see above)"
			below = nil
		case b.node.More:
			b.text += " (there is more: the depth ends here)"
		}
		t.shown[b.node.ID] = true
		t.line(prefix, glyph, b.text)
		t.branches(prefix+more, below, next)
	}
}

// above are what a node was made from.
func (t *tree) above(n *Node) []branch {
	var all []branch
	if n.Made != nil {
		all = made(n.Made)
		if n.Cached {
			all = nil // its origin has them
		}
	}
	if n.Kind == RunNode {
		all = append(all, branch{text: "definition " + short(n.Definition) + commitText(n.Commit, n.Dirty)})
		if n.Resumes != "" {
			all = append(all, branch{text: "goes on from run " + n.Resumes})
		}
	}
	for _, e := range t.Into(n.ID) {
		from := t.index[e.From]
		if from.Kind == RunNode || e.Kind == Cached && from.Kind == ArtifactNode {
			continue // the other way's
		}
		text := t.name(from)
		switch e.Kind {
		case Read:
			text = e.Port + ": " + text
		case Pinned:
			text = "pinned for " + e.Port + ": " + text
		case Cached:
			text = "outputs taken from " + text
		}
		all = append(all, branch{text, from})
	}
	return all
}

// below are what used a node.
func (t *tree) below(n *Node) []branch {
	var all []branch
	for _, e := range t.From(n.ID) {
		to := t.index[e.To]
		if e.Kind == Part || e.Kind == Read && to.Run == t.inside {
			continue
		}
		text := t.name(to)
		switch e.Kind {
		case Read:
			text += ", as " + e.Port
		case Pinned:
			text += ", pinned for " + e.Port
		case Cached:
			if to.Kind == StepNode {
				text += ", which took its outputs"
			} else {
				text += ", taken over by the cache"
			}
		}
		all = append(all, branch{text, to})
	}
	if n.Omitted > 0 {
		all = append(all, branch{text: fmt.Sprintf("and %d earlier ones, left out for the limit", n.Omitted)})
	}
	return all
}

// title is a node as what was asked for.
func (t *tree) title(n *Node) string {
	switch n.Kind {
	case ArtifactNode:
		text := n.Name
		if n.Run != "" {
			text += " of run " + n.Run + inPipeline(n)
		}
		if n.File != "" {
			text = n.File + " in " + text
		}
		return text
	}
	return t.name(n)
}

// facts are what else is said of a node that was asked for.
func (t *tree) facts(n *Node) []string {
	var all []string
	for _, one := range []string{n.URI, n.ARN, n.Digest} {
		if one != "" {
			all = append(all, one)
		}
	}
	if n.Kind == ArtifactNode && n.Bytes > 0 { // of what jobs on AWS write, it is not known
		all = append(all, pipeline.Size(n.Bytes))
	}
	return all
}

// name is a node in one line.
func (t *tree) name(n *Node) string {
	switch n.Kind {
	case RunNode:
		return "run " + n.Run + inPipeline(n) + t.at(n.Started) + ", " + n.Status
	case StepNode:
		text := "step " + n.Name
		if n.Attempt > 0 {
			text += fmt.Sprintf(" (attempt %d)", n.Attempt+1)
		}
		text += " of run " + n.Run + inPipeline(n) + t.at(n.Started)
		if n.Cached {
			return text + ", CACHED"
		}
		return text + ", " + n.Status
	case ModelNode:
		text := "model version " + n.Name + ", " + n.Status
		if len(n.Decisions) > 0 {
			d := n.Decisions[len(n.Decisions)-1]
			text += " by " + d.By + t.at(&d.At)
			if d.Note != "" {
				text += ": " + d.Note
			}
		} else if n.Status == "Approved" {
			text += " when it was registered"
		}
		return text
	case CodeNode:
		text := "code " + short(n.Digest)
		if n.File != "" {
			text = n.File + " of " + text
		}
		return text
	}
	text := n.Name
	if n.Run != "" {
		text += " of run " + n.Run
	}
	// Of what nobody here has seen, content and size are not known.
	if n.Digest != "" {
		text += ", " + short(n.Digest)
	}
	if n.Bytes > 0 {
		text += ", " + pipeline.Size(n.Bytes)
	}
	return text + " (" + n.URI + ")"
}

func inPipeline(n *Node) string {
	if n.Pipeline == "" {
		return ""
	}
	return " of " + n.Pipeline
}

func (t *tree) at(when *time.Time) string {
	if when == nil {
		return ""
	}
	return ", " + when.In(t.zone).Format("2006-01-02 15:04:05")
}
