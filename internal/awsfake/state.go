package awsfake

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Role is a role of IAM.
type Role struct {
	Name, ARN string
	// Trust and Policies are policy documents; policies by name.
	Trust    json.RawMessage
	Policies map[string]json.RawMessage
	Boundary string
}

// A LogGroup is a group of CloudWatch Logs.
type LogGroup struct {
	Name    string
	Days    int
	Created time.Time
	streams map[string]*LogStream
}

// A LogStream is one stream in a group, its lines in order.
type LogStream struct {
	Name    string
	Created time.Time
	Lines   []LogLine
}

// A LogLine is one event of a stream.
type LogLine struct {
	Time    time.Time
	Message string
}

// A ModelGroup is a group of SageMaker's model registry.
type ModelGroup struct {
	Name, Description string
	Created           time.Time
	versions          []*ModelPackage
	last              int // the newest version's number, even if it was deleted
}

// A ModelPackage is a version in a group. Request is createModelPackage's.
type ModelPackage struct {
	ARN                           string
	Version                       int
	Request                       map[string]any
	Approval, ApprovalDescription string
	Metadata                      map[string]string
	Created, Modified             time.Time
}

// A Machine is a state machine as CloudFormation made it: Definition is its text after
// substitution.
type Machine struct {
	Name, ARN, RoleARN string
	Definition         []byte
	// Revision is empty until the first update, as DescribeStateMachine has it.
	Revision string
	Created  time.Time
	// LogGroup is where its history goes, if LogLevel is not OFF or empty; LogData says that
	// inputs and outputs go, too.
	LogGroup, LogLevel string
	LogData            bool
	// Tracing says that X-Ray gets traces.
	Tracing bool

	updated time.Time
}

// ErrExists is the error of making what is there.
var ErrExists = errors.New("already exists")

// createLogGroup makes a group, or fails with ErrExists.
func (w *World) createLogGroup(name string, days int) error {
	if w.groups[name] != nil {
		return fmt.Errorf("log group %s %w", name, ErrExists)
	}
	w.groups[name] = &LogGroup{Name: name, Days: days, Created: w.now(), streams: map[string]*LogStream{}}
	return nil
}

// Log appends lines to a stream; group and stream are made where they are missing.
func (w *World) Log(group, stream string, lines ...LogLine) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log(group, stream, lines...)
}

func (w *World) log(group, stream string, lines ...LogLine) {
	if w.groups[group] == nil {
		_ = w.createLogGroup(group, 0) // it is not there
	}
	g := w.groups[group]
	if g.streams[stream] == nil {
		g.streams[stream] = &LogStream{Name: stream, Created: w.now()}
	}
	g.streams[stream].Lines = append(g.streams[stream].Lines, lines...)
}

// createModelGroup makes a group, or fails with ErrExists.
func (w *World) createModelGroup(name string) error {
	if w.packages[name] != nil {
		return fmt.Errorf("model package group %s %w", name, ErrExists)
	}
	w.packages[name] = &ModelGroup{Name: name, Created: w.now()}
	return nil
}

// Machines are the state machines, by name.
func (w *World) Machines() []*Machine {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make([]*Machine, 0, len(w.machines))
	for _, m := range w.machines {
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b *Machine) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// Role finds a role by its ARN; nil if there is none.
func (w *World) Role(arn string) *Role {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.roles[arn[strings.LastIndex(arn, "/")+1:]]
}
