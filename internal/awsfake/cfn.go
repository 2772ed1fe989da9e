package awsfake

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// cloudFormationNamespace is that of the query protocol's answers.
const cloudFormationNamespace = "http://cloudformation.amazonaws.com/doc/2010-05-15/"

// A stack is a stack of CloudFormation.
type stack struct {
	id, name, status, reason string
	description              string
	body                     string // the template as it was given
	template                 *template
	parameters               map[string]string
	tags                     map[string]string
	capabilities             []string
	resources                map[string]*resource
	outputs                  []stackOutput
	events                   []*stackEvent // oldest first
	changeSets               []*changeSet
	created                  time.Time
	updated, deleted         time.Time
	protected, norollback    bool
	policy                   string
	// rollback is a rollback that failed, and can be gone on with.
	rollback *deployment
	// before is what an update that fails goes back to.
	before *stackVersion
	// work is the operation that goes on, or nil; token is stamped on its events.
	work  *operation
	token string
	held  bool
	// tokens are the client tokens of executed requests, by token what they asked for.
	tokens map[string]string
}

// A stackVersion is what a stack is made of.
type stackVersion struct {
	body         string
	template     *template
	parameters   map[string]string
	tags         map[string]string
	capabilities []string
}

type stackOutput struct{ key, value, description string }

type stackEvent struct {
	id, logical, physical, kind, status, reason, token string
	properties                                         string
	time                                               time.Time
}

func ineligible(format string, args ...any) error {
	return &apiError{http.StatusBadRequest, "ValidationError", fmt.Sprintf(format, args...)}
}

// A query is a request of the query protocol; what is read of it is noted, so that a
// parameter which nobody reads is refused.
type query struct {
	values url.Values
	read   map[string]bool
}

func (q *query) get(name string) string {
	q.read[name] = true
	return q.values.Get(name)
}

func (q *query) has(name string) bool { return q.values.Has(name) }

// list are the members of a list: Name.member.1 and so on.
func (q *query) list(name string) []string {
	q.empty(name)
	var all []string
	for i := 1; ; i++ {
		key := fmt.Sprintf("%s.member.%d", name, i)
		if !q.values.Has(key) {
			return all
		}
		all = append(all, q.get(key))
	}
}

// records are the members of a list of structures, each with these fields.
func (q *query) records(name string, fields ...string) []map[string]string {
	q.empty(name)
	var all []map[string]string
	for i := 1; ; i++ {
		record := map[string]string{}
		for _, f := range fields {
			if key := fmt.Sprintf("%s.member.%d.%s", name, i, f); q.values.Has(key) {
				record[f] = q.get(key)
			}
		}
		if len(record) == 0 {
			return all
		}
		all = append(all, record)
	}
}

// empty takes a list without members as read: the AWS CLI sends its name alone.
func (q *query) empty(name string) {
	if q.values.Get(name) == "" {
		q.read[name] = true
	}
}

// skip takes the rest as read: it was read when the same request came first.
func (q *query) skip() {
	for name := range q.values {
		q.read[name] = true
	}
}

// unread are the parameters that nobody read.
func (q *query) unread() []string {
	var all []string
	for name := range q.values {
		if !q.read[name] && name != "Action" && name != "Version" {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// operations are CloudFormation's, by name.
var operations = map[string]func(*World, *query) (members, error){
	"CreateChangeSet":             (*World).createChangeSet,
	"DescribeChangeSet":           (*World).describeChangeSet,
	"ExecuteChangeSet":            (*World).executeChangeSet,
	"DeleteChangeSet":             (*World).deleteChangeSet,
	"ListChangeSets":              (*World).listChangeSets,
	"CreateStack":                 (*World).createStack,
	"UpdateStack":                 (*World).updateStack,
	"DeleteStack":                 (*World).deleteStack,
	"CancelUpdateStack":           (*World).cancelUpdate,
	"ContinueUpdateRollback":      (*World).continueRollback,
	"DescribeStacks":              (*World).describeStacks,
	"DescribeStackEvents":         (*World).describeEvents,
	"DescribeStackResources":      (*World).describeResources,
	"ListStackResources":          (*World).listResources,
	"GetTemplate":                 (*World).getTemplate,
	"GetTemplateSummary":          (*World).templateSummary,
	"ValidateTemplate":            (*World).validateTemplate,
	"UpdateTerminationProtection": (*World).protect,
	"SetStackPolicy":              (*World).setPolicy,
	"GetStackPolicy":              (*World).getPolicy,
}

// cloudFormation answers one request.
func (w *World) cloudFormation(rw http.ResponseWriter, r *http.Request) {
	values := form(r)
	action := values.Get("Action")
	do, ok := operations[action]
	if !ok {
		refuseQuery(rw, http.StatusBadRequest, "InvalidAction", "awsfake's CloudFormation does not know "+action)
		return
	}
	q := &query{values, map[string]bool{}}
	w.mu.Lock()
	result, err := do(w, q)
	w.mu.Unlock()
	if left := q.unread(); err == nil && left != nil {
		err = &apiError{http.StatusBadRequest, "MalformedInput", fmt.Sprintf("awsfake's %s does not know %s", action, strings.Join(left, ", "))}
	}
	if refused, ok := err.(*apiError); ok {
		refuseQuery(rw, refused.status, refused.code, refused.message)
		return
	}
	if err != nil {
		refuseQuery(rw, http.StatusInternalServerError, "InternalFailure", err.Error())
		return
	}
	answerQuery(rw, action, cloudFormationNamespace, result.xml())
}

// Pace is how many steps an operation of CloudFormation takes at each Describe call; 0 is
// all of them. A step is one event, so that with a pace of 1 every state can be seen.
func (w *World) Pace(steps int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pace = steps
}

// Hold stops the operations of a stack where they are, or lets them go on.
func (w *World) Hold(stack string, held bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.stackNamed(stack); s != nil {
		s.held = held
	}
	w.holding[stack] = held
}

// FailResource makes an operation on a logical id fail with a reason, once: "create",
// "update", "delete", or "rollback", which is the update back.
func (w *World) FailResource(operation, logical, reason string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failing[operation+" "+logical] = reason
}

// SetStackStatus puts a stack into a status, for those that nothing here leads to. A stack
// that is not there is made, with nothing in it.
func (w *World) SetStackStatus(name, status, reason string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.stackNamed(name)
	if s == nil {
		s = w.newStack(name)
		s.body, s.template = `{"Resources":{}}`, &template{}
	}
	s.work, s.status, s.reason = nil, status, reason
	w.event(s, s.name, s.id, stackType, status, reason, "")
}

// Stack are the resources of a stack that is there, by logical id: type, physical id and
// properties. It is nil if there is no such stack.
func (w *World) Stack(name string) map[string]Resource {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.stackNamed(name)
	if s == nil {
		return nil
	}
	all := map[string]Resource{}
	for id, r := range s.resources {
		all[id] = Resource{Type: r.kind, Physical: r.physical, Status: r.status, Properties: r.properties}
	}
	return all
}

// StackStatus is the status of the stack of that name, deleted or not; empty if there
// never was one.
func (w *World) StackStatus(name string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.stackNamed(name); s != nil {
		return s.status
	}
	for _, s := range w.stacks {
		if s.name == name {
			return s.status
		}
	}
	return ""
}

// A Resource is a resource of a stack, for tests.
type Resource struct {
	Type, Physical, Status string
	Properties             map[string]any
}

const stackType = "AWS::CloudFormation::Stack"

// stackNamed finds a stack by name or id; a deleted one only by id.
func (w *World) stackNamed(name string) *stack {
	if s, ok := w.stacks[name]; ok {
		return s
	}
	for _, s := range w.stacks {
		if s.name == name && s.status != "DELETE_COMPLETE" {
			return s
		}
	}
	return nil
}

// find is stackNamed with AWS's error.
func (w *World) find(name string) (*stack, error) {
	if s := w.stackNamed(name); s != nil {
		return s, nil
	}
	return nil, ineligible("Stack with id %s does not exist", name)
}

func (w *World) newStack(name string) *stack {
	s := &stack{
		name: name, created: w.now(), resources: map[string]*resource{}, parameters: map[string]string{}, tags: map[string]string{},
		tokens: map[string]string{}, id: w.ARN("cloudformation", fmt.Sprintf("stack/%s/%s", name, w.uuid())), held: w.holding[name],
	}
	w.stacks[s.id] = s
	return s
}

// event notes one event of a stack.
func (w *World) event(s *stack, logical, physical, kind, status, reason, properties string) {
	w.next++
	s.events = append(s.events, &stackEvent{
		id: fmt.Sprintf("%s-%s-%08d", logical, status, w.next), logical: logical, physical: physical, kind: kind, status: status, reason: reason,
		token: s.token, properties: properties, time: w.now(),
	})
}

// settle gives a stack a status and notes it.
func (w *World) settle(s *stack, status, reason string) {
	s.status, s.reason = status, reason
	w.event(s, s.name, s.id, stackType, status, reason, "")
}
