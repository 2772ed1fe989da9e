// Package lineage says what made an artifact, a model version or a run, and what
// used it. In goes a [Source], which is the record of a workspace, and where to
// start; out comes a [Graph], as a tree for a terminal, as Mermaid text or as JSON.
//
// The walk goes both ways through artifacts: a step read some and wrote others, a
// model version stands for one that a run registered, and a cached step stands for
// the step whose outputs were taken. It asks for whole levels at once and reads what
// can be reached, not the workspace. The package starts nothing and writes nothing.
package lineage

import (
	"time"

	"github.com/mlmax/mlmax/pipeline/record"
)

// A Kind is what a node stands for.
type Kind string

// The kinds of nodes.
const (
	RunNode      Kind = "run"
	StepNode     Kind = "step" // one try of a step
	ArtifactNode Kind = "artifact"
	ModelNode    Kind = "model" // a version in a model group
	CodeNode     Kind = "code"
)

// A Node is one thing that was made or used. Members that say nothing of its kind are
// empty.
type Node struct {
	// ID is the kind, a colon, and what tells it from others of its kind in any
	// workspace: a run's id, RUN/STEP/ATTEMPT, a URI, an ARN or a digest.
	ID   string `json:"id"`
	Kind Kind   `json:"kind"`
	// Name is the run's id, the step's name, "Step.Port" or the parameter's key,
	// GROUP/NUMBER, or the code's digest.
	Name string `json:"name"`
	// Run is the run that made it, Pipeline that run's.
	Run      string `json:"run,omitempty"`
	Pipeline string `json:"pipeline,omitempty"`
	// Status is that of a run, step or model version; Started and Ended are a run's or
	// step's, and Started when a version was registered.
	Status  string     `json:"status,omitempty"`
	Started *time.Time `json:"started,omitempty"`
	Ended   *time.Time `json:"ended,omitempty"`
	// URI, Digest, Bytes and Content (data, output, model or external) are of an
	// artifact; Digest of code, too.
	URI     string `json:"uri,omitempty"`
	Digest  string `json:"digest,omitempty"`
	Bytes   int64  `json:"bytes,omitempty"`
	Content string `json:"content,omitempty"`
	// File is the file that was asked for in an artifact or in code.
	File string `json:"file,omitempty"`
	// Attempt is a step's try from 0, Job the name of its job, Cached that its outputs
	// were taken from another step, Error and Reason how it failed.
	Attempt int    `json:"attempt,omitempty"`
	Job     string `json:"job,omitempty"`
	Cached  bool   `json:"cached,omitempty"`
	Error   string `json:"error,omitempty"`
	Reason  string `json:"reason,omitempty"`
	// Made is what a step on the way up was made from, besides what it read.
	Made *Made `json:"made,omitempty"`
	// ARN and Decisions are of a model version.
	ARN       string     `json:"arn,omitempty"`
	Decisions []Decision `json:"decisions,omitempty"`
	// Commit, Dirty and Definition are of a run; Resumes is the run that it goes on from.
	Commit     string `json:"commit,omitempty"`
	Dirty      bool   `json:"dirty,omitempty"`
	Definition string `json:"definition,omitempty"`
	Resumes    string `json:"resumes,omitempty"`
	// More says that the walk ended here for its depth, and there is more.
	More bool `json:"more,omitempty"`
	// Omitted is how many earlier readers were left out for the limit.
	Omitted int `json:"omitted,omitempty"`
}

// Made is what a step was made from, besides the artifacts that it read.
type Made struct {
	// Code is the digest of its code folder, Script the file that ran.
	Code   string `json:"code"`
	Script string `json:"script,omitempty"`
	// Commit is that of the work tree, if known; Dirty says that the tree differed.
	Commit string `json:"commit,omitempty"`
	Dirty  bool   `json:"dirty,omitempty"`
	// Arguments are the values that it got, in order, without the places of its data.
	Arguments []Argument `json:"arguments,omitempty"`
	// Variables are the environment variables of the request, by name.
	Variables []Argument `json:"variables,omitempty"`
	// Definition is the SHA-256 of the state machine's text.
	Definition string `json:"definition"`
	// Image is what it ran in; Python, Packages and Environment what stood for that.
	Image       string   `json:"image"`
	Python      string   `json:"python,omitempty"`
	Packages    []string `json:"packages,omitempty"`
	Environment string   `json:"environment,omitempty"`
}

// An Argument is a name and its value: an argument of a script, or a hyperparameter.
type Argument struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// A Decision is one change of a model version's status by a person.
type Decision struct {
	Status string    `json:"status"`
	By     string    `json:"by"`
	Note   string    `json:"note,omitempty"`
	At     time.Time `json:"at"`
}

// An EdgeKind is how what an edge leads to was made from where it starts.
type EdgeKind string

// The kinds of edges.
const (
	Read       EdgeKind = "read"       // artifact or model version to the step that read it
	Wrote      EdgeKind = "wrote"      // step, or run, to an artifact of its own
	Registered EdgeKind = "registered" // model archive, or run, to the model version
	Pinned     EdgeKind = "pinned"     // model version to a step that read one of its artifacts
	Cached     EdgeKind = "cached"     // step, or artifact, to what the cache made of it in another run
	Part       EdgeKind = "part"       // step to its run
	Ran        EdgeKind = "ran"        // code to a step that had it
)

// An Edge leads from what was there first to what was made from it.
type Edge struct {
	From string   `json:"from"`
	To   string   `json:"to"`
	Kind EdgeKind `json:"kind"`
	// Port is the name by which a step read or wrote.
	Port string `json:"port,omitempty"`
}

// A Graph is what was found, in the order in which it was found.
type Graph struct {
	// Start are the ids of the nodes that were asked for.
	Start []string `json:"start"`
	Nodes []*Node  `json:"nodes"`
	Edges []Edge   `json:"edges"`

	index    map[string]*Node
	known    map[Edge]bool
	up, down map[string][]Edge // by To, and by From
	ways     Options
}

func newGraph(o Options) *Graph {
	return &Graph{
		Start: []string{}, Nodes: []*Node{}, Edges: []Edge{},
		index: map[string]*Node{}, known: map[Edge]bool{}, up: map[string][]Edge{}, down: map[string][]Edge{}, ways: o,
	}
}

// Node is the node of an id, or nil.
func (g *Graph) Node(id string) *Node { return g.index[id] }

// Into are the edges that lead to a node, From those that start there, in order.
func (g *Graph) Into(id string) []Edge { return g.up[id] }

// From are the edges that start at a node, in order.
func (g *Graph) From(id string) []Edge { return g.down[id] }

// add returns the node of an id; make makes it if it is not there.
func (g *Graph) add(id string, make func() *Node) *Node {
	if n := g.index[id]; n != nil {
		return n
	}
	n := make()
	n.ID = id
	g.index[id] = n
	g.Nodes = append(g.Nodes, n)
	return n
}

func (g *Graph) join(e Edge) {
	if g.known[e] {
		return
	}
	g.known[e] = true
	g.Edges = append(g.Edges, e)
	g.up[e.To] = append(g.up[e.To], e)
	g.down[e.From] = append(g.down[e.From], e)
}

// when is a time that may not be known.
func when(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// artifact is the node of an artifact. With and without the slash that ends a
// folder, it is one thing.
func (g *Graph) artifact(a *record.Artifact) *Node {
	return g.add(artifactID(a.URI), func() *Node {
		n := &Node{Kind: ArtifactNode, Name: a.Name, URI: a.URI, Digest: a.Digest, Bytes: a.Bytes, Content: a.Kind}
		if a.Kind != record.Data && a.Kind != record.External {
			n.Run = a.Run // the same data is of many runs
		}
		return n
	})
}
