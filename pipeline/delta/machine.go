package delta

import (
	"regexp"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/pipeline/asl"
)

// machine is what differs in the machine besides its steps.
func machine(from, to *deployment, then, now []*job) []Value {
	var all []Value
	before, after := from.machineFacts(), to.machineFacts()
	for _, f := range after.facts {
		was, there := before.fact(f.name)
		if there && was == f.value || !f.brief && !before.tells(f.of) {
			continue
		}
		all = append(all, Value{Name: f.name, Before: was, After: f.value})
	}
	for _, f := range before.facts {
		if _, still := after.fact(f.name); !still && (f.brief || after.tells(f.of)) {
			all = append(all, Value{Name: f.name, Before: f.value})
		}
	}
	if a, b := shared(then, now), shared(now, then); !slices.Equal(a, b) {
		all = append(all, Value{Name: "order of steps", Before: strings.Join(a, ", "), After: strings.Join(b, ", ")})
	}
	return all
}

// tells says that there are facts of a registration; of none there are always.
func (j *job) tells(registration string) bool {
	return registration == "" || slices.ContainsFunc(j.facts, func(f fact) bool { return f.of == registration })
}

// shared are the names of the steps that others have as well, in their own order.
func shared(list, others []*job) []string {
	var names []string
	for _, j := range list {
		if slices.ContainsFunc(others, func(k *job) bool { return k.name == j.name }) {
			names = append(names, j.name)
		}
	}
	return names
}

// machineFacts are the defaults and checks of parameters, the conditions, registrations
// and other states of the machine, its schedule, and the stack's outputs.
func (d *deployment) machineFacts() *job {
	facts := &job{}
	for _, name := range d.order() {
		d.stateFacts(facts, name, member(member(d.named, "States"), name))
	}
	for _, r := range d.resources {
		if expression := text(r.properties, "ScheduleExpression"); expression != "" {
			facts.add("schedule", expression, true)
		}
	}
	for _, o := range d.outputs {
		body, _ := o.Value.(asl.Object)
		if on := text(body, "Condition"); on == "" || d.holds(on) {
			v, _ := body.Get("Value")
			facts.add("output of the stack "+o.Key, plain(d.resolve(v)), false)
		}
	}
	return facts
}

// The states that mlmax puts around the steps, by name.
const (
	mergeState, checkState      = "Merge parameters", "Check parameters"
	manifestState, writingState = "Describe run", "Write manifest"
	gatePrefix                  = "Gate "
)

// stateFacts notes what of a state is no step's.
func (d *deployment) stateFacts(facts *job, name string, state asl.Object) {
	call := text(state, "Resource")
	switch {
	case name == mergeState:
		defaults(facts, member(state, "Assign"))
	case name == checkState:
		checks(facts, items(member(state, "Assign"), "problems"))
	case strings.HasPrefix(name, gatePrefix):
		facts.add("condition of "+strings.TrimPrefix(name, gatePrefix), d.gate(state), true)
	case strings.HasSuffix(call, ":sagemaker:createModelPackage"):
		registration(facts, name, computedOr(state, "Arguments"))
	case strings.HasSuffix(call, ".sync"), name == manifestState, name == writingState, member(member(state, "Assign"), "request") != nil:
		// Steps, what they request, and what follows from them.
	default:
		body := state
		for _, key := range []string{"Comment", "Next", "Default", "Retry"} {
			body = without(body, key)
		}
		facts.add("state "+name, summary(encode(sorted(body))), false)
	}
}

// summary stands for a text that nobody wants to read whole: its digest tells only that
// it differs.
func summary(text string) string { return "definition " + short(sha(text)) }

// defaults are the values that a run has when it is given none.
func defaults(facts *job, assign asl.Object) {
	values := computed(text(assign, "params"))
	for _, m := range values {
		value := strings.TrimPrefix(plain(m.Value), "s3://${Bucket}/${Prefix}")
		facts.add("default of "+m.Key, value, true)
	}
	if values == nil {
		facts.add("defaults", summary(text(assign, "params")), false)
	}
}

var must = regexp.MustCompile(`'must': '((?:[^'\\]|\\.)*)'`)

// checks are the rules that a run's parameters are held to.
func checks(facts *job, problems []any) {
	for _, p := range problems {
		for _, match := range must.FindAllStringSubmatch(plain(p), -1) {
			if name, rule, ok := strings.Cut(match[1], " must be "); ok && !strings.Contains(name, " ") {
				facts.add("rule of "+name, rule, true)
			}
		}
	}
}

// gate is a condition with the names of a spec in place of the machine's variables.
func (d *deployment) gate(state asl.Object) string {
	var conditions []string
	for _, c := range items(state, "Choices") {
		choice, _ := c.(asl.Object)
		conditions = append(conditions, variable.ReplaceAllStringFunc(pretty(text(choice, "Condition")), func(found string) string {
			match := variable.FindStringSubmatch(found)
			if match[1] != "" {
				return match[2] + match[3]
			}
			return d.report(match[3])
		}))
	}
	return strings.Join(conditions, "; ")
}

var variable = regexp.MustCompile("\\$(params\\.)?(?:`([^`]+)`|(\\w+))")

// report is the step's output whose values a variable of the machine holds, or its name.
func (d *deployment) report(name string) string {
	for _, s := range d.order() {
		if output, ok := strings.CutPrefix(s, "Read "); ok && strings.ReplaceAll(output, ".", "") == name {
			return output
		}
	}
	return name
}

// registration is what a version is registered as. The metadata follows from steps and
// parameters, and is left out.
func registration(facts *job, name string, request asl.Object) {
	facts.about = name
	defer func() { facts.about = "" }()
	for _, m := range request {
		switch m.Key {
		case "ModelPackageGroupName":
			facts.add("model group of "+name, strings.TrimPrefix(plain(m.Value), "${Env}-"), true)
		case "ModelApprovalStatus":
			facts.add("status of what "+name+" registers", plain(m.Value), true)
		case "ClientToken", "ModelPackageDescription", "CustomerMetadataProperties":
		case "InferenceSpecification":
			for _, c := range items(member(request, m.Key), "Containers") {
				container, _ := c.(asl.Object)
				facts.add("image of what "+name+" registers", pretty(text(container, "Image")), false)
				facts.add("artifact of what "+name+" registers", pretty(text(container, "ModelDataUrl")), false)
			}
			facts.flatten(name+" ", without(member(request, m.Key), "Containers"))
		default:
			facts.flatten(name+" ", asl.Object{m})
		}
	}
}
