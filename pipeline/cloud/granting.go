package cloud

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// A grant is what the template says of one action of one of its roles.
type grant struct {
	// role is the role's name in the template; sid the statement that names the action, or
	// empty; reason why it is there; resources where it holds.
	role, sid, reason string
	resources         []string
}

// A templateRole is what is read of a role in the template.
type templateRole struct {
	Type       string
	Properties struct {
		Policies []struct {
			PolicyDocument struct{ Statement []json.RawMessage }
		}
	}
	Metadata struct {
		Mlmax struct{ Reasons map[string]string } `json:"mlmax"`
	}
}

// granting finds the statement of the template that is to allow what was denied; not ok if
// the caller is none of its roles.
func (p *Place) granting(d Denial) (g grant, ok bool) {
	return p.grantIn(func(id string) bool { return p.isRole(d.Caller, id) }, d)
}

// Grant says of a role of the template which statement is to allow an action on a resource,
// which may be empty, and what to do where it did not; both are empty if there is no such role.
func (p *Place) Grant(role, action, resource string) (text, hint string) {
	d := Denial{Action: action, Resource: resource}
	g, ok := p.grantIn(func(id string) bool { return id == role }, d)
	if !ok {
		return "", ""
	}
	return p.grantWords(g, d)
}

// grantIn looks for the statement in the first role that is meant.
func (p *Place) grantIn(meant func(id string) bool, d Denial) (g grant, ok bool) {
	var template struct{ Resources map[string]json.RawMessage }
	if p.Definition == nil || json.Unmarshal(p.Definition.Template, &template) != nil {
		return grant{}, false
	}
	for _, id := range slices.Sorted(maps.Keys(template.Resources)) {
		if !meant(id) {
			continue
		}
		var role templateRole
		if json.Unmarshal(template.Resources[id], &role) != nil || role.Type != "AWS::IAM::Role" {
			continue
		}
		g = grant{role: id}
		for _, policy := range role.Properties.Policies {
			for _, raw := range policy.PolicyDocument.Statement {
				p.take(&g, raw, d, role.Metadata.Mlmax.Reasons)
			}
		}
		return g, true
	}
	return grant{}, false
}

// isRole says that a caller is the role of that logical id in our stack: CloudFormation
// names it STACK-ID-RANDOM, and cuts that off if it is too long.
func (p *Place) isRole(caller, id string) bool {
	_, name, ok := strings.Cut(caller, "role/")
	if !ok {
		return false
	}
	name, _, _ = strings.Cut(name, "/") // the session behind it
	return strings.HasPrefix(name, p.StackName()+"-"+id+"-")
}

// take notes a statement if it names the action, and is nearer to what was denied than
// what was noted before.
func (p *Place) take(g *grant, raw json.RawMessage, d Denial, reasons map[string]string) {
	var branch struct {
		If []json.RawMessage `json:"Fn::If"`
	}
	if json.Unmarshal(raw, &branch) == nil && len(branch.If) == 3 {
		raw = branch.If[1]
	}
	var s struct {
		Sid      string
		Action   []string
		Resource []json.RawMessage
	}
	if json.Unmarshal(raw, &s) != nil || !slices.ContainsFunc(s.Action, func(a string) bool { return matches(a, d.Action) }) {
		return
	}
	var resources []string
	for _, r := range s.Resource {
		resources = append(resources, p.resource(r))
	}
	if g.sid != "" && !slices.ContainsFunc(resources, func(r string) bool { return matches(r, d.Resource) }) {
		return
	}
	g.sid, g.reason, g.resources = s.Sid, reasons[s.Sid], resources
}

// variable is a name that CloudFormation fills in.
var variable = regexp.MustCompile(`\$\{([^}]*)\}`)

// resource is a statement's resource, its names filled in as far as they are known here; a
// star stands for the others.
func (p *Place) resource(raw json.RawMessage) string {
	var text string
	var function map[string]json.RawMessage
	if json.Unmarshal(raw, &text) != nil && json.Unmarshal(raw, &function) == nil {
		if sub := function["Fn::Sub"]; sub != nil && json.Unmarshal(sub, &text) != nil {
			var pair []json.RawMessage
			if json.Unmarshal(sub, &pair) == nil && len(pair) > 0 {
				_ = json.Unmarshal(pair[0], &text) // what is no text stays a star
			}
		}
		if ref := function["Ref"]; ref != nil && json.Unmarshal(ref, &text) == nil {
			text = "${" + text + "}"
		}
	}
	if text == "" {
		return "*"
	}
	known := map[string]string{"AWS::Partition": p.Partition, "AWS::Region": p.Region, "AWS::AccountId": p.Account}
	return variable.ReplaceAllStringFunc(text, func(found string) string {
		name := found[2 : len(found)-1]
		if v, ok := known[name]; ok {
			return v
		}
		if v, ok := p.Parameters[name]; ok {
			return v
		}
		return "*"
	})
}

// matches says that a text fits a pattern of IAM's, in which * stands for any text and ? for
// any character.
func matches(pattern, text string) bool {
	if pattern == "*" {
		return true
	}
	parts := strings.Split(pattern, "*")
	for i, part := range parts {
		parts[i] = strings.ReplaceAll(regexp.QuoteMeta(part), `\?`, ".")
	}
	return regexp.MustCompile(`^(?i:` + strings.Join(parts, ".*") + `)$`).MatchString(text)
}

// grantWords say which generated statement is to allow what was denied, and what to do.
func (p *Place) grantWords(g grant, d Denial) (text, hint string) {
	explain := "see what it is for: go tool mlmaxgen explain " + d.Action + " ./" + strings.TrimPrefix(p.Definition.Spec, p.Definition.Module+"/")
	if g.sid == "" {
		return "no statement of the template allows it", explain
	}
	text = "statement " + g.sid + " should allow it"
	if g.reason != "" {
		text += ", since " + strings.TrimSuffix(g.reason, ".")
	}
	if d.Resource != "" && !slices.ContainsFunc(g.resources, func(r string) bool { return matches(r, d.Resource) }) {
		return "statement " + g.sid + " allows it for " + strings.Join(g.resources, ", ") + " only", explain
	}
	if strings.Contains(d.Why, "explicit deny") || strings.Contains(d.Why, "boundary") || strings.Contains(d.Why, "service control policy") {
		return text, "it is denied from above: ask whoever keeps the account's boundary, bucket and organisation policies"
	}
	return text, "the deployed role may be older than the template: " + p.Next("deploy") + "; else a boundary, bucket, key or organisation policy denies it"
}
