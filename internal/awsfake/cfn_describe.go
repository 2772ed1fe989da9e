package awsfake

import (
	"maps"
	"slices"
	"strconv"
)

// pageFrom is where a page begins.
func pageFrom(token string) (int, error) {
	if token == "" {
		return 0, nil
	}
	from, err := strconv.Atoi(token)
	if err != nil || from < 0 {
		return 0, ineligible("Invalid NextToken")
	}
	return from, nil
}

func parametersXML(values map[string]string) []members {
	var list []members
	for _, key := range slices.Sorted(maps.Keys(values)) {
		// An empty value is told, unlike other empty members.
		list = append(list, members{{"ParameterKey", key}, {"ParameterValue", values[key]}})
	}
	return list
}

func tagsXML(values map[string]string) []members {
	var list []members
	for _, key := range slices.Sorted(maps.Keys(values)) {
		list = append(list, members{{"Key", key}, {"Value", values[key]}})
	}
	return list
}

func (w *World) describeStacks(q *query) (members, error) {
	name := q.get("StackName")
	_ = q.get("NextToken") // there is one page
	var found []*stack
	if name != "" {
		s, err := w.find(name)
		if err != nil {
			return nil, err
		}
		found = append(found, s)
	} else {
		for _, id := range slices.Sorted(maps.Keys(w.stacks)) {
			if w.stacks[id].status != "DELETE_COMPLETE" {
				found = append(found, w.stacks[id])
			}
		}
	}
	var list []members
	for _, s := range found {
		w.advance(s)
		list = append(list, s.xml())
	}
	return members{{"Stacks", list}}, nil
}

func (s *stack) xml() members {
	m := members{
		{"StackId", s.id}, {"StackName", s.name}, {"Description", s.description}, {"StackStatus", s.status}, {"StackStatusReason", s.reason},
		{"CreationTime", s.created}, {"LastUpdatedTime", s.updated}, {"DeletionTime", s.deleted}, {"DisableRollback", s.norollback},
		{"EnableTerminationProtection", s.protected}, {"Parameters", parametersXML(s.parameters)}, {"Tags", tagsXML(s.tags)}, {"Capabilities", s.capabilities},
	}
	var outputs []members
	for _, o := range s.outputs {
		outputs = append(outputs, members{{"OutputKey", o.key}, {"OutputValue", o.value}, {"Description", o.description}})
	}
	return append(m, xmlMember{"Outputs", outputs})
}

// eventsPage is how many events are in one answer.
const eventsPage = 100

func (w *World) describeEvents(q *query) (members, error) {
	s, err := w.find(q.get("StackName"))
	if err != nil {
		return nil, err
	}
	from, err := pageFrom(q.get("NextToken"))
	if err != nil {
		return nil, err
	}
	if from == 0 {
		w.advance(s)
	}
	all := slices.Clone(s.events)
	slices.Reverse(all) // newest first
	end := min(from+eventsPage, len(all))
	var list []members
	for _, e := range all[min(from, end):end] {
		list = append(list, members{
			{"StackId", s.id}, {"StackName", s.name}, {"EventId", e.id}, {"LogicalResourceId", e.logical}, {"PhysicalResourceId", e.physical},
			{"ResourceType", e.kind}, {"Timestamp", e.time}, {"ResourceStatus", e.status}, {"ResourceStatusReason", e.reason},
			{"ResourceProperties", e.properties}, {"ClientRequestToken", e.token},
		})
	}
	m := members{{"StackEvents", list}}
	if end < len(all) {
		m = append(m, xmlMember{"NextToken", strconv.Itoa(end)})
	}
	return m, nil
}

func (w *World) describeResources(q *query) (members, error) {
	s, err := w.find(q.get("StackName"))
	if err != nil {
		return nil, err
	}
	w.advance(s)
	only := q.get("LogicalResourceId")
	var list []members
	for _, r := range s.all() {
		if only == "" || only == r.logical {
			list = append(list, members{
				{"StackId", s.id}, {"StackName", s.name}, {"LogicalResourceId", r.logical}, {"PhysicalResourceId", r.physical}, {"ResourceType", r.kind},
				{"ResourceStatus", r.status}, {"ResourceStatusReason", r.reason}, {"Timestamp", w.now()},
			})
		}
	}
	return members{{"StackResources", list}}, nil
}

func (w *World) listResources(q *query) (members, error) {
	s, err := w.find(q.get("StackName"))
	if err != nil {
		return nil, err
	}
	w.advance(s)
	_ = q.get("NextToken")
	var list []members
	for _, r := range s.all() {
		list = append(list, members{
			{"LogicalResourceId", r.logical}, {"PhysicalResourceId", r.physical}, {"ResourceType", r.kind}, {"ResourceStatus", r.status},
			{"ResourceStatusReason", r.reason}, {"LastUpdatedTimestamp", w.now()},
		})
	}
	return members{{"StackResourceSummaries", list}}, nil
}

func (w *World) getTemplate(q *query) (members, error) {
	_ = q.get("TemplateStage") // nothing is processed: both stages are the text
	if q.has("ChangeSetName") {
		_, c, err := w.changeSetOf(q)
		if err != nil {
			return nil, err
		}
		return members{{"TemplateBody", c.next.body}, {"StagesAvailable", []string{"Original", "Processed"}}}, nil
	}
	s, err := w.find(q.get("StackName"))
	if err != nil {
		return nil, err
	}
	return members{{"TemplateBody", s.body}, {"StagesAvailable", []string{"Original", "Processed"}}}, nil
}

func (w *World) validateTemplate(q *query) (members, error) {
	body := q.get("TemplateBody")
	if q.has("TemplateURL") {
		fetched, err := w.fetchTemplate(q.get("TemplateURL"))
		if err != nil {
			return nil, err
		}
		body = fetched
	} else if len(body) > maxBody {
		return nil, ineligible("1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to %d", maxBody)
	}
	t, err := parseTemplate(body)
	if err != nil {
		return nil, err
	}
	var list []members
	for _, key := range slices.Sorted(maps.Keys(t.Parameters)) {
		list = append(list, members{{"ParameterKey", key}, {"NoEcho", false}, {"Description", t.Parameters[key].Description}})
	}
	return members{{"Parameters", list}, {"Description", t.Description}, {"Capabilities", []string{"CAPABILITY_IAM"}}}, nil
}
