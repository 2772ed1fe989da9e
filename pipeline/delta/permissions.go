package delta

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/pipeline/asl"
)

// sha is the digest of a text.
func sha(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// A right is one action on one resource: what permissions are compared by, so that
// moving an action from one statement to another is no change.
type right struct{ role, effect, action, resource, condition string }

// A grant is where a right stands.
type grant struct {
	right
	sid, reason string
}

// What is said where a template tells no reason: those of old have none, and of a role's
// trust and a resource's own policy the kind tells it.
const (
	noReason    = "no reason is recorded"
	trustReason = "the service takes this role to do what it is for"
	ownReason   = "the resource's own policy says who may use it"
)

// permissions are the rights gained and lost, the rights of one statement together.
func permissions(from, to *deployment) []Permission {
	before, after := from.grants(), to.grants()
	all := append(together(missing(after, before), Added), together(missing(before, after), Removed)...)
	return all
}

// missing are the grants whose right the others do not hold.
func missing(grants, others []grant) []grant {
	held := map[right]bool{}
	for _, g := range others {
		held[g.right] = true
	}
	var all []grant
	for _, g := range grants {
		if !held[g.right] {
			held[g.right] = true
			all = append(all, g)
		}
	}
	return all
}

// together makes one permission of the actions and resources of a statement, where each
// action is on each resource.
func together(grants []grant, change Change) []Permission {
	type statement struct {
		role, effect, sid, condition string
	}
	actions := map[statement]map[string][]string{}
	var order []statement
	resources := map[statement][]string{}
	reasons := map[statement]string{}
	for _, g := range grants {
		s := statement{g.role, g.effect, g.sid, g.condition}
		if actions[s] == nil {
			actions[s] = map[string][]string{}
			order = append(order, s)
		}
		if actions[s][g.resource] == nil {
			resources[s] = append(resources[s], g.resource)
		}
		actions[s][g.resource] = append(actions[s][g.resource], g.action)
		reasons[s] = g.reason
	}
	var all []Permission
	for _, s := range order {
		var mine []Permission
		for _, r := range resources[s] {
			i := slices.IndexFunc(mine, func(p Permission) bool { return slices.Equal(p.Actions, actions[s][r]) })
			if i >= 0 {
				mine[i].Resources = append(mine[i].Resources, r)
				continue
			}
			mine = append(mine, Permission{
				Role: s.role, Change: change, Effect: strings.TrimPrefix(s.effect, "Allow"), Statement: s.sid,
				Actions: actions[s][r], Resources: []string{r}, Condition: s.condition, Reason: reasons[s],
			})
		}
		all = append(all, mine...)
	}
	return all
}

// grants are all rights of a side, in the template's order.
func (d *deployment) grants() []grant {
	var all []grant
	for _, r := range d.resources {
		trust := member(r.properties, "AssumeRolePolicyDocument")
		all = append(all, d.statements(r, trust, trustReason)...)
		for _, p := range items(r.properties, "Policies") {
			policy, _ := p.(asl.Object)
			all = append(all, d.statements(r, member(policy, "PolicyDocument"), noReason)...)
		}
		all = append(all, d.statements(r, member(r.properties, "PolicyDocument"), ownReason)...)
		for _, arn := range texts(items(r.properties, "ManagedPolicyArns")) {
			all = append(all, grant{right: right{r.id, "Allow", "all of the managed policy", arn, ""}, sid: "ManagedPolicies", reason: noReason})
		}
	}
	return all
}

// statements are the rights of one policy. Otherwise is the reason of those
// that have none.
func (d *deployment) statements(r *resource, policy asl.Object, otherwise string) []grant {
	var all []grant
	for _, s := range items(policy, "Statement") {
		body, _ := s.(asl.Object)
		g := grant{sid: text(body, "Sid"), reason: cmp.Or(text(r.reasons, text(body, "Sid")), otherwise)}
		if otherwise == trustReason {
			g.sid = cmp.Or(g.sid, "Trust")
		}
		effect := cmp.Or(text(body, "Effect"), "Allow")
		for _, target := range targets(body) {
			for _, action := range either(body, "Action", "NotAction", "everything but ") {
				g.right = right{r.id, effect, action, target, condition(member(body, "Condition"))}
				all = append(all, g)
			}
		}
	}
	return all
}

// targets are what a statement is about: resources, and whoever it is for where the
// policy is a resource's own or a role's trust.
func targets(body asl.Object) []string {
	resources := either(body, "Resource", "NotResource", "everything but ")
	var all []string
	for _, who := range principals(body) {
		if len(resources) == 0 {
			all = append(all, "this role, by "+who)
		}
		for _, r := range resources {
			all = append(all, r+", by "+who)
		}
	}
	if all == nil {
		return resources
	}
	return all
}

// principals are whom a statement names.
func principals(body asl.Object) []string {
	v, ok := body.Get("Principal")
	if !ok {
		return nil
	}
	named, ok := v.(asl.Object)
	if !ok {
		return []string{plain(v)}
	}
	var all []string
	for _, m := range named {
		all = append(all, texts(items(named, m.Key))...)
	}
	return all
}

// either is the list below a key, or below its opposite with that said.
func either(o asl.Object, key, opposite, word string) []string {
	if _, ok := o.Get(key); ok {
		return texts(items(o, key))
	}
	all := texts(items(o, opposite))
	for i := range all {
		all[i] = word + all[i]
	}
	return all
}

// condition is a statement's condition in one line, in the order of its keys.
func condition(c asl.Object) string {
	var all []string
	for _, operator := range c {
		keys, _ := operator.Value.(asl.Object)
		for _, k := range keys {
			all = append(all, k.Key+" "+operator.Key+" "+strings.Join(texts(items(keys, k.Key)), " or "))
		}
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// loosened are the roles of both sides whose permissions boundary has gone or changed.
func loosened(from, to *deployment) []string {
	bounds := map[string]string{}
	for _, r := range from.resources {
		if b := text(r.properties, "PermissionsBoundary"); b != "" {
			bounds[r.id] = b
		}
	}
	for _, r := range to.resources {
		if text(r.properties, "PermissionsBoundary") == bounds[r.id] {
			delete(bounds, r.id)
		}
	}
	maps.DeleteFunc(bounds, func(id, _ string) bool { return to.find(id) == nil })
	return sortedKeys(bounds)
}
