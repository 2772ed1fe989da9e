package awsfake

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// A changeSet is a change set of a stack.
type changeSet struct {
	id, name, kind, token, description string
	status, execution, reason          string
	next                               stackVersion
	changes                            []change
	onFailure                          string
	created                            time.Time
}

// A change is what a change set says of one resource.
type change struct {
	action, logical, physical, kind string
	replacement, policyAction       string
	scope                           []string
	details                         []changeDetail
	before, after                   string
}

// A changeDetail is one property that differs.
type changeDetail struct {
	attribute, name, recreation string
	before, after               string
}

// The reasons of a change set that would change nothing.
const noChanges = "The submitted information didn't contain changes. Submit different information to create a change set."

func (w *World) createChangeSet(q *query) (members, error) {
	name, token, kind := q.get("ChangeSetName"), q.get("ClientToken"), q.get("ChangeSetType")
	if kind == "" {
		kind = "UPDATE"
	}
	if kind != "CREATE" && kind != "UPDATE" {
		return nil, ineligible("awsfake does not know change sets of type %s", kind)
	}
	s := w.stackNamed(q.get("StackName"))
	if s != nil {
		for _, c := range s.changeSets {
			if c.name == name {
				if token != "" && c.token == token {
					q.skip()
					return members{{"Id", c.id}, {"StackId", s.id}}, nil
				}
				return nil, &apiError{400, "AlreadyExistsException", "ChangeSet " + name + " already exists"}
			}
		}
	}
	switch {
	case kind == "CREATE" && s != nil && s.status != "REVIEW_IN_PROGRESS":
		return nil, ineligible("Stack [%s] already exists and cannot be created again with the changeSet [%s].", s.name, name)
	case kind == "UPDATE" && s == nil:
		return nil, ineligible("Stack [%s] does not exist", q.get("StackName"))
	case kind == "UPDATE" && s.status == "REVIEW_IN_PROGRESS":
		return nil, ineligible("Stack:%s is in %s state and can not be updated.", s.id, s.status)
	}
	if s != nil {
		w.advance(s)
		if err := s.updatable(); err != nil {
			return nil, err
		}
	}
	next, err := w.versionOf(q, s)
	if err != nil {
		return nil, err
	}
	c := &changeSet{
		name: name, kind: kind, token: token, description: q.get("Description"), next: *next, onFailure: q.get("OnStackFailure"), created: w.now(),
		status: "CREATE_IN_PROGRESS", execution: "UNAVAILABLE",
	}
	if _ = q.get("IncludeNestedStacks"); c.onFailure == "DELETE" && kind != "CREATE" {
		return nil, ineligible("OnStackFailure cannot be set to DELETE for change sets of type %s", kind)
	}
	if s == nil {
		s = w.newStack(q.get("StackName"))
		w.settle(s, "REVIEW_IN_PROGRESS", "User Initiated")
	}
	c.id = w.ARN("cloudformation", "changeSet/"+name+"/"+w.uuid())
	s.changeSets = append(s.changeSets, c)
	w.review(s, c)
	return members{{"Id", c.id}, {"StackId", s.id}}, nil
}

// review finds out what a change set would do. Its status is seen at the first description
// only after one that says that it is being made, if there is a pace.
func (w *World) review(s *stack, c *changeSet) {
	fail := func(reason string) { c.status, c.execution, c.reason = "FAILED", "UNAVAILABLE", reason }
	r, err := w.resolver(s, c.next.template, c.next.parameters)
	if err == nil {
		err = r.rules()
	}
	if err == nil {
		c.changes, err = w.compare(s, &c.next)
	}
	switch {
	case err != nil:
		fail(said(err))
	case len(c.changes) == 0 && c.kind == "UPDATE":
		fail(noChanges)
	default:
		c.status, c.execution = "CREATE_COMPLETE", "AVAILABLE"
	}
}

// compare is what a version would change in a stack.
func (w *World) compare(s *stack, next *stackVersion) ([]change, error) {
	r, err := w.resolver(s, next.template, next.parameters)
	if err != nil {
		return nil, err
	}
	order, err := r.order()
	if err != nil {
		return nil, err
	}
	for _, id := range order {
		if s.resources[id] == nil {
			r.unknown[id] = true
		}
	}
	var changes []change
	for _, id := range order {
		want, err := r.described(id)
		if err != nil {
			return nil, err
		}
		if c, ok := compareResource(s.resources[id], want); ok {
			changes = append(changes, c)
			if c.action == "Modify" && c.replacement != "False" {
				r.unknown[id] = true
			}
		}
	}
	for _, have := range reverse(s.all()) {
		if slices.Contains(order, have.logical) {
			continue
		}
		policy := "Delete"
		if have.spec.DeletionPolicy == "Retain" {
			policy = "Retain"
		}
		changes = append(changes, change{action: "Remove", logical: have.logical, physical: have.physical, kind: have.kind, policyAction: policy, before: contextOf(have)})
	}
	if len(changes) > 0 || s.template == nil {
		return changes, nil
	}
	// Outputs and tags alone are a change, too, though of no resource that differs here.
	outputs, err := r.outputsOf()
	if err != nil {
		return nil, err
	}
	if !slices.Equal(outputs, s.outputs) || !same(s.tags, next.tags) {
		for _, have := range s.all() {
			changes = append(changes, change{action: "Modify", logical: have.logical, physical: have.physical, kind: have.kind, replacement: "False", scope: []string{"Tags"}})
		}
	}
	return changes, nil
}

// contextOf is a resource as BeforeContext and AfterContext have it.
func contextOf(r *resource) string {
	return string(canonical(map[string]any{"Properties": r.properties}))
}

// compareResource is what becomes of one resource.
func compareResource(have, want *resource) (change, bool) {
	if have == nil {
		return change{action: "Add", logical: want.logical, kind: want.kind, after: contextOf(want)}, true
	}
	differ := differing(have.properties, want.properties)
	c := change{
		action: "Modify", logical: have.logical, physical: have.physical, kind: want.kind, replacement: "False",
		before: contextOf(have), after: contextOf(want),
	}
	if have.kind != want.kind {
		c.replacement = "True"
	}
	for _, name := range differ {
		d := changeDetail{attribute: "Properties", name: name, recreation: "Never"}
		if v, ok := have.properties[name]; ok {
			d.before = textOf(v)
		}
		if v, ok := want.properties[name]; ok {
			d.after = textOf(v)
		}
		if slices.Contains(kinds[want.kind].createOnly, name) {
			d.recreation, c.replacement = "Always", "True"
			if d.after == later {
				d.recreation, c.replacement = "Conditionally", "Conditional"
			}
		}
		c.details = append(c.details, d)
	}
	if len(differ) > 0 {
		c.scope = append(c.scope, "Properties")
	}
	if !same(have.metadata, want.metadata) {
		c.scope = append(c.scope, "Metadata")
		c.details = append(c.details, changeDetail{attribute: "Metadata"})
	}
	if c.replacement == "True" {
		c.policyAction = "ReplaceAndDelete"
		if have.spec.UpdateReplacePolicy == "Retain" {
			c.policyAction = "ReplaceAndRetain"
		}
	}
	return c, len(c.scope) > 0
}

// textOf is a property as a text.
func textOf(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return string(canonical(v))
}

// changeSetOf finds a change set by the request's names.
func (w *World) changeSetOf(q *query) (*stack, *changeSet, error) {
	name, stackName := q.get("ChangeSetName"), q.get("StackName")
	for _, s := range w.stacks {
		if stackName != "" && s.name != stackName && s.id != stackName {
			continue
		}
		for _, c := range s.changeSets {
			if c.id == name || c.name == name && stackName != "" && s.status != "DELETE_COMPLETE" {
				return s, c, nil
			}
		}
	}
	if stackName != "" && w.stackNamed(stackName) == nil {
		return nil, nil, ineligible("Stack [%s] does not exist", stackName)
	}
	return nil, nil, &apiError{404, "ChangeSetNotFound", "ChangeSet [" + name + "] does not exist"}
}

// changesPage is how many changes are in one answer. (The service pages at 1 MB.)
const changesPage = 50

func (w *World) describeChangeSet(q *query) (members, error) {
	s, c, err := w.changeSetOf(q)
	if err != nil {
		return nil, err
	}
	values := q.get("IncludePropertyValues") == "true"
	from, err := pageFrom(q.get("NextToken"))
	if err != nil {
		return nil, err
	}
	m := members{
		{"ChangeSetName", c.name}, {"ChangeSetId", c.id}, {"StackId", s.id}, {"StackName", s.name}, {"Description", c.description},
		{"CreationTime", c.created}, {"Parameters", parametersXML(c.next.parameters)}, {"Tags", tagsXML(c.next.tags)}, {"Capabilities", c.next.capabilities},
		{"OnStackFailure", c.onFailure},
	}
	if w.pace > 0 && !slices.Contains(w.seen, c.id) {
		w.seen = append(w.seen, c.id)
		return append(m, xmlMember{"Status", "CREATE_IN_PROGRESS"}, xmlMember{"ExecutionStatus", "UNAVAILABLE"}), nil
	}
	m = append(m, xmlMember{"Status", c.status}, xmlMember{"ExecutionStatus", c.execution}, xmlMember{"StatusReason", c.reason})
	var list []members
	end := min(from+changesPage, len(c.changes))
	for _, one := range c.changes[from:end] {
		list = append(list, members{{"Type", "Resource"}, {"ResourceChange", one.xml(values)}})
	}
	m = append(m, xmlMember{"Changes", list})
	if end < len(c.changes) {
		m = append(m, xmlMember{"NextToken", strconv.Itoa(end)})
	}
	return m, nil
}

func (c change) xml(values bool) members {
	m := members{
		{"Action", c.action}, {"LogicalResourceId", c.logical}, {"PhysicalResourceId", c.physical}, {"ResourceType", c.kind},
		{"Replacement", c.replacement}, {"PolicyAction", c.policyAction}, {"Scope", c.scope},
	}
	var details []members
	for _, d := range c.details {
		target := members{{"Attribute", d.attribute}, {"Name", d.name}, {"RequiresRecreation", d.recreation}}
		if values && d.name != "" {
			target = append(target, xmlMember{"Path", "/Properties/" + d.name}, xmlMember{"BeforeValue", d.before}, xmlMember{"AfterValue", d.after})
		}
		details = append(details, members{{"Target", target}, {"Evaluation", "Static"}, {"ChangeSource", "DirectModification"}})
	}
	m = append(m, xmlMember{"Details", details})
	if values {
		m = append(m, xmlMember{"BeforeContext", c.before}, xmlMember{"AfterContext", c.after})
	}
	return m
}

func (w *World) executeChangeSet(q *query) (members, error) {
	s, c, err := w.changeSetOf(q)
	if err != nil {
		return nil, err
	}
	token, disable, keep := q.get("ClientRequestToken"), q.get("DisableRollback") == "true", q.get("RetainExceptOnCreate") == "true"
	if before, ok := s.tokens[token]; ok && token != "" {
		if before != c.id {
			return nil, &apiError{400, "TokenAlreadyExistsException", "A client request token with that name already exists"}
		}
		return members{}, nil
	}
	if c.status != "CREATE_COMPLETE" || c.execution != "AVAILABLE" {
		return nil, &apiError{400, "InvalidChangeSetStatus", fmt.Sprintf("ChangeSet [%s] cannot be executed in its current execution status of [%s]", c.id, c.execution)}
	}
	if err := s.updatable(); err != nil {
		return nil, err
	}
	onFailure := c.onFailure
	if disable {
		if onFailure != "" {
			return nil, ineligible("You can't specify DisableRollback for a change set with OnStackFailure")
		}
		onFailure = "DO_NOTHING"
	}
	if token != "" {
		s.tokens[token] = c.id
	}
	s.token = token
	s.changeSets = []*changeSet{c} // executing deletes the others
	c.execution = "EXECUTE_IN_PROGRESS"
	w.deploy(s, c.next, onFailure, keep)
	c.execution = "EXECUTE_COMPLETE"
	return members{}, nil
}

func (w *World) deleteChangeSet(q *query) (members, error) {
	s, c, err := w.changeSetOf(q)
	if refused, ok := err.(*apiError); ok && refused.code == "ChangeSetNotFound" {
		return members{}, nil
	}
	if err != nil {
		return nil, err
	}
	if c.execution == "EXECUTE_IN_PROGRESS" {
		return nil, &apiError{400, "InvalidChangeSetStatus", "ChangeSet [" + c.id + "] cannot be deleted in its current status"}
	}
	s.changeSets = slices.DeleteFunc(s.changeSets, func(one *changeSet) bool { return one == c })
	return members{}, nil
}

func (w *World) listChangeSets(q *query) (members, error) {
	s, err := w.find(q.get("StackName"))
	if err != nil {
		return nil, err
	}
	_ = q.get("NextToken")
	var list []members
	for _, c := range s.changeSets {
		list = append(list, members{
			{"StackId", s.id}, {"StackName", s.name}, {"ChangeSetId", c.id}, {"ChangeSetName", c.name}, {"ExecutionStatus", c.execution}, {"Status", c.status},
			{"StatusReason", c.reason}, {"CreationTime", c.created}, {"Description", c.description},
		})
	}
	return members{{"Summaries", list}}, nil
}
