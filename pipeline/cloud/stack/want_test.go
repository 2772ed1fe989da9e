package stack

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/mlmax/mlmax/pipeline/delta"
)

// TestLargeTemplate is a template that is too long for a request: it goes by the bucket.
func TestLargeTemplate(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	w := a.want(nil, "a")
	large := func(bytes int) {
		t.Helper()
		var template map[string]any
		if err := json.Unmarshal(a.place.Definition.Template, &template); err != nil {
			t.Fatal(err)
		}
		template["Metadata"] = map[string]string{"Long": strings.Repeat("x", bytes)}
		var err error
		if w.Template, err = json.Marshal(template); err != nil {
			t.Fatal(err)
		}
	}
	large(inlineLimit)
	set, err := a.deployer().Propose(t.Context(), nil, w)
	if err != nil {
		t.Fatal(err)
	}
	if keys := a.Keys(bucket, "templates/"); len(keys) != 1 {
		t.Errorf("uploaded are %v", keys)
	}
	if state, err := set.Execute(t.Context()); err != nil || state.Status != types.StackStatusCreateComplete {
		t.Errorf("the stack is %+v, error %v", state, err)
	}
	large(templateLimit)
	if _, err = a.deployer().Propose(t.Context(), nil, w); err == nil || !strings.Contains(err.Error(), "CloudFormation takes at most 1000000") {
		t.Errorf("error is %v", err)
	}
}

// TestWantedRefuses is row 28: what is wrong is named before anything is written.
func TestWantedRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(a *account)
		want   string
	}{
		{"role with a name", func(a *account) {
			a.place.Definition.Template = []byte(strings.Replace(string(a.place.Definition.Template), `"AssumeRolePolicyDocument"`, `"RoleName": "mine", "AssumeRolePolicyDocument"`, 1))
		}, "needs CAPABILITY_NAMED_IAM; deploy acknowledges CAPABILITY_IAM alone, and nothing was written\n\thint: run go generate ./... and build anew"},
		{"transform", func(a *account) {
			a.place.Definition.Template = []byte(strings.Replace(string(a.place.Definition.Template), `{`, `{"Transform": "AWS::Serverless-2016-10-31",`, 1))
		}, "needs CAPABILITY_AUTO_EXPAND"},
		{"unknown parameter", func(a *account) { a.place.Parameters["Colour"] = "red" },
			"the template has no parameter Colour, for which the environment has a value\n\thint: "},
		{"no template", func(a *account) { a.place.Definition.Template = []byte("{") }, "read the template"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t)
			c.change(a)
			_, err := Wanted(t.Context(), a.place, nil, a.digests("a"), "test")
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want %s", err, c.want)
			}
			for _, call := range a.Calls() {
				if !strings.HasPrefix(call.Action, "Describe") && !strings.HasPrefix(call.Action, "Get") {
					t.Errorf("called %+v", call)
				}
			}
		})
	}
	a := newAccount(t)
	_, err := Wanted(t.Context(), a.place, nil, map[string]string{}, "test")
	if err == nil || !strings.Contains(err.Error(), "nothing gives the template's parameter PreprocessCode a value\n\thint: ") {
		t.Errorf("error is %v", err)
	}
}

func TestTags(t *testing.T) {
	t.Parallel()
	p := newAccount(t).place
	for text, want := range map[string]string{
		"":                    "map[mlmax:environment:dev mlmax:pipeline:census-training]",
		"team=ml, cost=a=b":   "map[cost:a=b mlmax:environment:dev mlmax:pipeline:census-training team:ml]",
		"mlmax:pipeline=mine": "map[mlmax:environment:dev mlmax:pipeline:census-training]",
		"team":                `tag "team" of environment dev is not key=value; nothing was written` + "\n\thint: correct Tags in the environment",
		many(49):              "environment dev has 51 tags with those of mlmax, and a stack takes at most 50; nothing was written\n\thint: remove some",
	} {
		all, err := tags(p, text)
		got := fmt.Sprint(all)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: %s\nwant %s", text, got, want)
		}
	}
}

func many(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf("k%d=v", i))
	}
	return strings.Join(list, ",")
}

// TestDrift is what a person is told of a stack that was changed by hand.
func TestDrift(t *testing.T) {
	t.Parallel()
	s := stateOf(&types.Stack{
		StackName: aws.String(name), StackStatus: types.StackStatusUpdateComplete,
		DriftInformation: &types.StackDriftInformation{StackDriftStatus: types.StackDriftStatusDrifted, LastCheckTimestamp: &noon},
	})
	if got := drifted(s); !strings.HasPrefix(got, "stack "+name+" differed from its template when somebody last looked for drift (2026-08-01 ") {
		t.Errorf("it says %s", got)
	}
	if s = stateOf(&types.Stack{DriftInformation: &types.StackDriftInformation{StackDriftStatus: types.StackDriftStatusInSync}}); !s.Drifted.IsZero() {
		t.Error("a stack in sync has drifted")
	}
}

// TestResources turns a change set into a plan's words.
func TestResources(t *testing.T) {
	t.Parallel()
	one := func(logical string, action types.ChangeAction, replacement types.Replacement, policy types.PolicyAction) types.ResourceChange {
		return types.ResourceChange{LogicalResourceId: aws.String(logical), Action: action, Replacement: replacement, PolicyAction: policy, ResourceType: aws.String(roleType)}
	}
	c := &ChangeSet{changes: []types.ResourceChange{
		one("Z", types.ChangeActionAdd, "", ""),
		one("A", types.ChangeActionModify, types.ReplacementFalse, ""),
		one("B", types.ChangeActionModify, types.ReplacementTrue, types.PolicyActionReplaceAndRetain),
		one("C", types.ChangeActionModify, types.ReplacementConditional, ""),
		one("D", types.ChangeActionRemove, "", types.PolicyActionRetain),
		one("E", types.ChangeActionRemove, "", types.PolicyActionDelete),
		one("F", types.ChangeActionSyncWithActual, "", ""),
		one("G", types.ChangeActionDynamic, "", ""),
	}}
	want := []delta.Resource{
		{Logical: "A", Type: roleType, Change: delta.Changed},
		{Logical: "B", Type: roleType, Change: delta.Replaced, Kept: true},
		{Logical: "C", Type: roleType, Change: delta.Replaced, Maybe: true},
		{Logical: "D", Type: roleType, Change: delta.Removed, Kept: true},
		{Logical: "E", Type: roleType, Change: delta.Removed},
		{Logical: "G", Type: roleType, Change: delta.Changed},
		{Logical: "Z", Type: roleType, Change: delta.Added},
	}
	if got := c.Resources(); !slices.Equal(got, want) {
		t.Errorf("resources are %+v", got)
	}
	if got := (&ChangeSet{}).Resources(); got == nil {
		t.Error("a change set without changes looks like none")
	}
}
