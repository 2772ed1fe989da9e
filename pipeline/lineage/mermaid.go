package lineage

import (
	"fmt"
	"io"
	"strings"

	"github.com/mlmax/mlmax/pipeline/terminal"
)

// Mermaid writes the graph as a flowchart.
func (g *Graph) Mermaid(out io.Writer) error {
	var b strings.Builder
	b.WriteString("flowchart TB\n")
	name := make(map[string]string, len(g.Nodes))
	for i, n := range g.Nodes {
		name[n.ID] = fmt.Sprintf("n%d", i)
		lines := n.label()
		if n.Omitted > 0 {
			lines = append(lines, fmt.Sprintf("%d earlier readers left out", n.Omitted))
		}
		for j := range lines {
			lines[j] = escape(lines[j])
		}
		open, closing := shapes(n.Kind)
		fmt.Fprintf(&b, "  n%d%s\"%s\"%s\n", i, open, strings.Join(lines, "<br/>"), closing)
	}
	for _, e := range g.Edges {
		label := e.Port
		switch e.Kind {
		case Read, Wrote:
		case Pinned:
			label = "pinned for " + e.Port
		default:
			label = string(e.Kind)
		}
		arrow := "-->"
		if e.Kind == Cached || e.Kind == Part || e.Kind == Pinned {
			arrow = "-.->"
		}
		if label != "" {
			arrow += "|\"" + escape(label) + "\"|"
		}
		fmt.Fprintf(&b, "  %s %s %s\n", name[e.From], arrow, name[e.To])
	}
	for _, id := range g.Start {
		fmt.Fprintf(&b, "  style %s stroke-width:3px\n", name[id])
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// shapes are the brackets of a kind of node: those of the pipeline's own graph for
// steps, artifacts and models.
func shapes(k Kind) (open, closing string) {
	switch k {
	case ArtifactNode:
		return "[(", ")]"
	case ModelNode:
		return "{{", "}}"
	case RunNode:
		return "([", "])"
	case CodeNode:
		return "[/", "/]"
	}
	return "[", "]"
}

// label is a node in a few short lines.
func (n *Node) label() []string {
	switch n.Kind {
	case RunNode:
		return []string{"run " + n.Run, n.Pipeline, n.Status}
	case StepNode:
		lines := []string{n.Name, "run " + n.Run, n.Status}
		if n.Cached {
			lines[2] = "CACHED"
		}
		if n.Made != nil {
			lines = append(lines, "code "+short(n.Made.Code))
		}
		return lines
	case ModelNode:
		return []string{n.Name, n.Status}
	case CodeNode:
		return []string{"code " + short(n.Digest), n.File}
	}
	if n.Digest == "" {
		return []string{n.Name}
	}
	return []string{n.Name, short(n.Digest)}
}

// escape makes text fit between Mermaid's quotes, where entities stand for what means
// something.
func escape(text string) string {
	var b strings.Builder
	for _, r := range terminal.Clean(text) {
		if strings.ContainsRune("\"#;&<>|`\\{}[]()", r) {
			fmt.Fprintf(&b, "#%d;", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
