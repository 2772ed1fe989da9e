package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// A Graph is what a run consists of, and what passed between its parts.
type Graph struct {
	Nodes []Node
	Edges []Edge
}

// A Node is data, a step, a model version or something of another run.
type Node struct {
	ID, Label, Detail string
	// Kind is data, step, model or other; Status that of a step.
	Kind, Status string
}

// An Edge says that an artifact went from one node to another. One without a label
// says only what comes after what.
type Edge struct {
	From, To, Label string
}

// The measures of a drawing, in pixels. A bend is where an arrow passes a rank.
const (
	boxWidth  = 190
	boxHeight = 46
	bendWidth = 110
	rankGap   = 58
	boxGap    = 34
	margin    = 12
)

// A drawing is a graph with places: ranks from top to bottom, boxes from left to right.
type drawing struct {
	Width, Height int
	Boxes         []box
	Arrows        []arrow
}

type box struct {
	Node
	X, Y, Width, Height, Middle int
}

// An arrow is a line through points; Path is that in the words of SVG.
type arrow struct {
	Path, Label    string
	LabelX, LabelY int
}

// A slot is a node in a rank, or, without one, the bend of an edge there.
type slot struct {
	id    string
	node  *Node
	width int
}

// draw gives every node a place: its rank is the longest way to it, its place in the
// rank the mean of those that it comes from. An edge that passes ranks gets a bend in
// each, so that it runs through no box. The same graph gives the same drawing.
func draw(g Graph) *drawing {
	if len(g.Nodes) == 0 {
		return nil
	}
	edges := merged(g)
	ranks := rank(Graph{g.Nodes, edges})
	ways := make([][]string, len(edges))
	rows := make([][]slot, slices.Max(slices.Collect(maps.Values(ranks)))+1)
	for i, n := range g.Nodes {
		rows[ranks[n.ID]] = append(rows[ranks[n.ID]], slot{n.ID, &g.Nodes[i], boxWidth})
	}
	comes := map[string][]string{}
	for i, e := range edges {
		ways[i] = []string{e.From}
		for r := ranks[e.From] + 1; r < ranks[e.To]; r++ {
			id := fmt.Sprintf("bend %d %d", i, r)
			rows[r] = append(rows[r], slot{id, nil, bendWidth})
			ways[i] = append(ways[i], id)
		}
		ways[i] = append(ways[i], e.To)
		for n, id := range ways[i][1:] {
			comes[id] = append(comes[id], ways[i][n])
		}
	}
	arrange(rows, comes)
	d, at := place(rows)
	for i, e := range edges {
		d.Arrows = append(d.Arrows, through(ways[i], at, e.Label))
	}
	return d
}

// place gives every slot its coordinates.
func place(rows [][]slot) (*drawing, map[string]box) {
	d := &drawing{Height: 2*margin + len(rows)*boxHeight + (len(rows)-1)*rankGap}
	widths := make([]int, len(rows))
	for y, row := range rows {
		widths[y] = (len(row) - 1) * boxGap
		for _, s := range row {
			widths[y] += s.width
		}
		d.Width = max(d.Width, widths[y]+2*margin)
	}
	at := map[string]box{}
	for y, row := range rows {
		left := (d.Width - widths[y]) / 2
		for _, s := range row {
			b := box{X: left, Y: margin + y*(boxHeight+rankGap), Width: s.width, Height: boxHeight, Middle: left + s.width/2}
			if s.node != nil {
				b.Node = *s.node
				d.Boxes = append(d.Boxes, b)
			}
			at[s.id] = b
			left += s.width + boxGap
		}
	}
	return d, at
}

// through is the arrow of a way: bent between ranks, straight beside boxes.
func through(way []string, at map[string]box, label string) arrow {
	from := at[way[0]]
	x, y := from.Middle, from.Y+boxHeight
	a := arrow{Path: fmt.Sprintf("M%d %d", x, y), Label: label}
	for i, id := range way[1:] {
		to := at[id]
		a.Path += fmt.Sprintf(" C%d %d %d %d %d %d", x, y+rankGap/2, to.Middle, to.Y-rankGap/2, to.Middle, to.Y)
		if i == 0 {
			a.LabelX, a.LabelY = (x+to.Middle)/2, (y+to.Y)/2+4
		}
		x, y = to.Middle, to.Y
		if i < len(way)-2 {
			y += boxHeight
			a.Path += fmt.Sprintf(" L%d %d", x, y)
			a.LabelX, a.LabelY = x, y-boxHeight/2
		}
	}
	return a
}

// merged joins the edges between the same two nodes, and drops those of a node to
// itself or to one that is not there.
func merged(g Graph) []Edge {
	known := func(id string) bool { return slices.ContainsFunc(g.Nodes, func(n Node) bool { return n.ID == id }) }
	var all []Edge
	for _, e := range g.Edges {
		if e.From == e.To || !known(e.From) || !known(e.To) {
			continue
		}
		i := slices.IndexFunc(all, func(o Edge) bool { return o.From == e.From && o.To == e.To })
		switch {
		case i < 0:
			all = append(all, e)
		case all[i].Label == "":
			all[i].Label = e.Label
		case e.Label != "":
			all[i].Label += ", " + e.Label
		}
	}
	return all
}

// rank is the length of the longest way to each node. A way that leads back, which
// no run has, is cut.
func rank(g Graph) map[string]int {
	from := map[string][]string{}
	for _, e := range g.Edges {
		from[e.To] = append(from[e.To], e.From)
	}
	ranks, open := map[string]int{}, map[string]bool{}
	var visit func(id string) int
	visit = func(id string) int {
		if r, done := ranks[id]; done {
			return r
		}
		if open[id] {
			return 0
		}
		open[id] = true
		r := 0
		for _, before := range from[id] {
			if before != id {
				r = max(r, visit(before)+1)
			}
		}
		open[id] = false
		ranks[id] = r
		return r
	}
	for _, n := range g.Nodes {
		visit(n.ID)
	}
	// What feeds nothing but one rank far below is put just above that.
	for _, n := range g.Nodes {
		if len(from[n.ID]) > 0 {
			continue
		}
		lowest := -1
		for _, e := range g.Edges {
			if e.From == n.ID && (lowest < 0 || ranks[e.To] < lowest) {
				lowest = ranks[e.To]
			}
		}
		if lowest > 0 {
			ranks[n.ID] = lowest - 1
		}
	}
	return ranks
}

// arrange orders the slots of each row by where those are that they come from.
func arrange(rows [][]slot, comes map[string][]string) {
	at := map[string]float64{}
	for _, row := range rows {
		mean := map[string]float64{}
		for _, s := range row {
			for _, id := range comes[s.id] {
				mean[s.id] += at[id] / float64(len(comes[s.id]))
			}
		}
		slices.SortStableFunc(row, func(a, b slot) int { return cmp.Compare(mean[a.id], mean[b.id]) })
		for i, s := range row {
			at[s.id] = float64(i) - float64(len(row)-1)/2
		}
	}
}
