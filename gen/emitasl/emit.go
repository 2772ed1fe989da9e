// Package emitasl makes a state machine of a plan: in goes an [ir.Plan], out comes
// an [asl.Machine] in JSONata that Step Functions and the local runner execute
// alike. What differs between places stands in it as ${Name}. It judges nothing,
// reads nothing and writes nothing; the same plan gives the same machine.
//
// Facts about Step Functions and SageMaker come from the Step Functions Developer
// Guide (transforming data with JSONata, workflow variables, error handling,
// connect to SageMaker) and from botocore's shapes, which are named where they
// are used.
package emitasl

import (
	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/pipeline/asl"
)

// The states that every machine has besides those of its steps. Names of steps are
// exported Go identifiers, so that one with a blank is never taken; for the same
// reason the machine's own variables begin with a small letter.
const (
	mergeState    = "Merge parameters"
	checkState    = "Check parameters"
	fitState      = "Parameters fit"
	badState      = "Bad parameters"
	describeState = "Describe run"
	manifestState = "Write manifest"
)

// An emitter makes one machine.
type emitter struct {
	plan   *ir.Plan
	uses   map[string]use // of parameters, by key
	states []*asl.State
}

// Emit makes the machine of a plan.
func Emit(p *ir.Plan) *asl.Machine {
	e := &emitter{plan: p, uses: uses(p)}
	e.parameters()
	for i, v := range p.Versions {
		e.version(v, e.start(i+1))
	}
	for i, n := range p.Nodes {
		next := e.entry(i + 1)
		if n.Job != nil {
			e.job(n.Job, next)
			continue
		}
		e.registration(n.Registration, next)
	}
	e.manifest()
	comment := p.Name
	if p.Doc != "" {
		comment += ": " + p.Doc
	}
	m := &asl.Machine{
		Comment:        plain(comment),
		QueryLanguage:  "JSONata",
		StartAt:        mergeState,
		TimeoutSeconds: p.TimeoutSeconds,
		States:         e.states,
	}
	sign(m)
	return m
}

// start is the state in which the i-th model version is looked for, or the first node
// of the chain begins.
func (e *emitter) start(i int) string {
	if i == len(e.plan.Versions) {
		return e.entry(0)
	}
	return chooseState(e.plan.Versions[i])
}

// entry is the state in which the i-th node of the chain begins.
func (e *emitter) entry(i int) string {
	if i == len(e.plan.Nodes) {
		return describeState
	}
	n := e.plan.Nodes[i]
	switch {
	case n.Job != nil && n.Job.Kind == ir.Training:
		return prepareState(n.Job)
	case n.Job != nil:
		return n.Job.Name
	case n.Registration.Gate != "":
		return n.Registration.Gate
	default:
		return n.Registration.Name
	}
}

func (e *emitter) add(s *asl.State) { e.states = append(e.states, s) }

// resource is the ARN of an integration, in the pipeline's partition: Step
// Functions takes no ARN of another one.
func (e *emitter) resource(name string) string {
	return "arn:" + e.plan.Partition + ":states:::" + name
}
