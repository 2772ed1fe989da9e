package report

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// TestDraw: whatever the graph, all nodes are drawn inside the picture, none over
// another, and every edge that joins two of them is there.
func TestDraw(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "nodes")
		var g Graph
		for i := range n {
			g.Nodes = append(g.Nodes, Node{ID: fmt.Sprint(i)})
		}
		pairs := map[[2]int]bool{}
		for range rapid.IntRange(0, 25).Draw(t, "edges") {
			from, to := rapid.IntRange(0, n).Draw(t, "from"), rapid.IntRange(0, n).Draw(t, "to")
			g.Edges = append(g.Edges, Edge{From: fmt.Sprint(from), To: fmt.Sprint(to), Label: "x"})
			if from != to && from < n && to < n {
				pairs[[2]int{from, to}] = true
			}
		}
		d := draw(g)
		if len(d.Boxes) != n || len(d.Arrows) != len(pairs) {
			t.Fatalf("%d boxes of %d, %d arrows of %d", len(d.Boxes), n, len(d.Arrows), len(pairs))
		}
		for i, a := range d.Boxes {
			if a.X < 0 || a.Y < 0 || a.X+a.Width > d.Width || a.Y+a.Height > d.Height {
				t.Fatalf("box %+v is outside %d x %d", a, d.Width, d.Height)
			}
			for _, b := range d.Boxes[:i] {
				if a.X < b.X+b.Width && b.X < a.X+a.Width && a.Y < b.Y+b.Height && b.Y < a.Y+a.Height {
					t.Fatalf("boxes %+v and %+v overlap", a, b)
				}
			}
		}
	})
}

// TestBend: an edge that passes a rank goes around the box there.
func TestBend(t *testing.T) {
	t.Parallel()
	d := draw(Graph{
		Nodes: []Node{{ID: "a"}, {ID: "b"}, {ID: "c"}},
		Edges: []Edge{{"a", "b", ""}, {"b", "c", ""}, {"a", "c", "far"}},
	})
	var middle box
	for _, b := range d.Boxes {
		if b.ID == "b" {
			middle = b
		}
	}
	for _, a := range d.Arrows {
		if a.Label == "far" && a.LabelX > middle.X && a.LabelX < middle.X+middle.Width {
			t.Errorf("the edge passes at %d, through the box at %d to %d", a.LabelX, middle.X, middle.X+middle.Width)
		}
	}
	if draw(Graph{}) != nil {
		t.Error("a graph of nothing is drawn")
	}
}
