package emitcfn_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mlmax/mlmax/gen/emitasl"
	"github.com/mlmax/mlmax/gen/emitcfn"
	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/internal/plantest"
	"github.com/mlmax/mlmax/pipeline/asl"
)

// TestSubstitutions holds the template to fill every name in the machine, and no other.
func TestSubstitutions(t *testing.T) {
	t.Parallel()
	for _, p := range []*ir.Plan{plantest.Example(t), scheduled(t), reaching(t)} {
		for _, tags := range []map[string]string{nil, {"team": "ml"}} {
			p.Environments[0].Tags = tags
			holdSubstitutions(t, p)
		}
	}
}

func holdSubstitutions(t *testing.T, p *ir.Plan) {
	t.Helper()
	m := emitasl.Emit(p)
	given := at(t, document(t, p, m), "Resources", "Machine", "Properties", "DefinitionSubstitutions").(map[string]any)
	b, err := asl.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(asl.Unresolved(b), slices.Sorted(maps.Keys(given))); d != "" {
		t.Errorf("names in the machine and in the template (-machine +template):\n%s", d)
	}
}

// safe is what may be put into a machine's text without escapes.
var safe = regexp.MustCompile(`^[A-Za-z0-9:/._,@+=-]*$`)

// TestPatterns holds every parameter to refuse what could rewrite the machine.
func TestPatterns(t *testing.T) {
	t.Parallel()
	for _, p := range []*ir.Plan{plantest.Example(t), scheduled(t), reaching(t)} {
		hostile := []string{`","Evil":"`, `${Env}`, `a'b`, `a"b`, `a\b`, "a\nb", "a b", `{% 1 %}`, "a\n", "<"}
		p.Environments[0].Tags = map[string]string{"team": "ml"}
		for name, body := range at(t, document(t, p, emitasl.Emit(p)), "Parameters").(map[string]any) {
			q := body.(map[string]any)
			if q["Type"] == "Number" {
				continue
			}
			pattern, _ := q["AllowedPattern"].(string)
			if !strings.HasPrefix(pattern, "^") || !strings.HasSuffix(pattern, "$") || q["MaxLength"] == nil {
				t.Errorf("%s has pattern %q and at most %v characters", name, pattern, q["MaxLength"])
				continue
			}
			re := regexp.MustCompile(pattern)
			for _, h := range hostile {
				for _, v := range []string{h, "a" + h, "ml.m5" + h, "a@b.c" + h, "a/" + h, "subnet-12345678" + h, "team=" + h, strings.Repeat("0", 64) + h} {
					if re.MatchString(v) {
						t.Errorf("%s takes %q", name, v)
					}
				}
			}
			if d, is := q["Default"].(string); is && (!safe.MatchString(d) || !re.MatchString(d)) {
				t.Errorf("%s has default %q", name, d)
			}
		}
	}
}

// TestParameterFile holds each environment's file to the template's parameters.
func TestParameterFile(t *testing.T) {
	t.Parallel()
	for _, p := range []*ir.Plan{plantest.Example(t), scheduled(t), reaching(t)} {
		p.Environments[0].Tags = map[string]string{"team": "ml", "cost": "42"}
		m := emitasl.Emit(p)
		known := at(t, document(t, p, m), "Parameters").(map[string]any)
		var list []struct{ ParameterKey, ParameterValue string }
		if err := json.Unmarshal(emitcfn.Emit(p, m)[1].Bytes, &list); err != nil {
			t.Fatal(err)
		}
		given := map[string]bool{}
		for _, e := range list {
			given[e.ParameterKey] = true
			q, ok := known[e.ParameterKey].(map[string]any)
			if !ok {
				t.Errorf("the template has no parameter %s", e.ParameterKey)
				continue
			}
			if pattern, is := q["AllowedPattern"].(string); is && !regexp.MustCompile(pattern).MatchString(e.ParameterValue) {
				t.Errorf("%s refuses %q", e.ParameterKey, e.ParameterValue)
			}
		}
		for name := range known {
			if !given[name] && !strings.HasSuffix(name, "Code") && !strings.HasSuffix(name, "Exists") {
				t.Errorf("the environment does not say %s", name)
			}
		}
	}
}

// TestNames holds what CloudFormation and IAM bound.
func TestNames(t *testing.T) {
	t.Parallel()
	p := plantest.Example(t)
	doc := document(t, p, emitasl.Emit(p))
	id := regexp.MustCompile(`^[A-Za-z0-9]{1,255}$`)
	for _, section := range []string{"Parameters", "Rules", "Mappings", "Conditions", "Resources", "Outputs"} {
		for name := range at(t, doc, section).(map[string]any) {
			if !id.MatchString(name) {
				t.Errorf("%s has a name %q", section, name)
			}
		}
	}
	for name, r := range at(t, doc, "Resources").(map[string]any) {
		if r.(map[string]any)["Type"] != "AWS::IAM::Role" {
			continue
		}
		policies, err := json.Marshal(at(t, r, "Properties", "Policies"))
		if err != nil {
			t.Fatal(err)
		}
		if len(policies) > 10240 { // inline policies of a role
			t.Errorf("the policies of %s have %d characters", name, len(policies))
		}
	}
	if size := len(fmt.Sprint(doc["Description"])); size > 1024 {
		t.Errorf("the description has %d bytes", size)
	}
	for _, key := range []string{"DeletionPolicy", "UpdateReplacePolicy"} {
		if got := at(t, doc, "Resources", "ModelGroupCensus", key); got != "Retain" {
			t.Errorf("the model group's %s is %v", key, got)
		}
	}
}

// TestNoNulls: CloudFormation refuses a template that holds one.
func TestNoNulls(t *testing.T) {
	t.Parallel()
	for _, p := range []*ir.Plan{plantest.Example(t), scheduled(t), reaching(t)} {
		var look func(path string, v any)
		look = func(path string, v any) {
			switch v := v.(type) {
			case nil:
				t.Errorf("null at %s", path)
			case map[string]any:
				for k, x := range v {
					look(path+"/"+k, x)
				}
			case []any:
				for i, x := range v {
					look(fmt.Sprintf("%s/%d", path, i), x)
				}
			}
		}
		look("", document(t, p, emitasl.Emit(p)))
	}
}

// TestActions holds the machine's role to allow every call that the machine makes.
func TestActions(t *testing.T) {
	t.Parallel()
	for _, p := range []*ir.Plan{plantest.Example(t), scheduled(t)} {
		allowed := map[string]bool{}
		for _, s := range p.Roles[0].Statements {
			for _, a := range s.Actions {
				allowed[a] = true
			}
		}
		calls := 0
		for _, s := range emitasl.Emit(p).States {
			if s.Type != asl.TaskState {
				continue
			}
			calls++
			parts := strings.Split(s.Resource, ":")
			service, action := parts[len(parts)-2], parts[len(parts)-1]
			job, sync := strings.CutSuffix(action, ".sync")
			needed := []string{service + ":" + strings.ToUpper(action[:1]) + action[1:]}
			if sync { // Create…, Describe…, Stop…, and the tags that Step Functions adds
				name := strings.TrimPrefix(job, "create")
				needed = []string{service + ":Create" + name, service + ":Describe" + name, service + ":Stop" + name,
					service + ":AddTags", "iam:PassRole", "events:PutRule", "events:PutTargets", "events:DescribeRule"}
			}
			for _, a := range needed {
				if !allowed[a] {
					t.Errorf("state %q needs %s, which no statement allows", s.Name, a)
				}
			}
		}
		if calls == 0 {
			t.Error("the machine calls nothing")
		}
	}
}
