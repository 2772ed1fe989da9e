package emitcfn_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mlmax/mlmax/gen/emitasl"
	"github.com/mlmax/mlmax/internal/plantest"
)

// TestRetained holds what holds data to outlive the stack, to be made only where it is
// not there yet, and to be referred to in no way that needs it in the stack.
func TestRetained(t *testing.T) {
	t.Parallel()
	p := plantest.Example(t)
	doc := document(t, p, emitasl.Emit(p))
	var retained []string
	for id, r := range at(t, doc, "Resources").(map[string]any) {
		r := r.(map[string]any)
		if r["DeletionPolicy"] == nil {
			continue
		}
		retained = append(retained, id)
		if r["DeletionPolicy"] != "Retain" || r["UpdateReplacePolicy"] != "Retain" || r["Condition"] != "Makes"+id {
			t.Errorf("%s has %v, %v, condition %v", id, r["DeletionPolicy"], r["UpdateReplacePolicy"], r["Condition"])
		}
		want := map[string]any{"Fn::Equals": []any{map[string]any{"Ref": id + "Exists"}, "false"}}
		if d := cmp.Diff(want, at(t, doc, "Conditions", "Makes"+id)); d != "" {
			t.Errorf("when %s is made (-want +got):\n%s", id, d)
		}
		if got := at(t, doc, "Parameters", id+"Exists", "Default"); got != "false" {
			t.Errorf("%s is %v to exist", id, got)
		}
	}
	if len(retained) != 2 {
		t.Errorf("%v outlive the stack, want log group and model group", retained)
	}
	var look func(v any, guarded string)
	look = func(v any, guarded string) {
		switch v := v.(type) {
		case map[string]any:
			if c, ok := v["Fn::If"].([]any); ok {
				look(c[1], c[0].(string))
				look(c[2], guarded)
				return
			}
			for k, x := range v {
				if k == "Fn::GetAtt" {
					x = x.([]any)[0]
				}
				for _, id := range retained {
					if (k == "Ref" || k == "Fn::GetAtt") && x == id && guarded != "Makes"+id {
						t.Errorf("%s is referred to where it may not be in the stack", id)
					}
				}
				look(x, guarded)
			}
		case []any:
			for _, x := range v {
				look(x, guarded)
			}
		case string:
			for _, id := range retained {
				if strings.Contains(v, "${"+id) {
					t.Errorf("%q refers to %s", v, id)
				}
			}
		}
	}
	look(doc, "")
}

// TestReasons holds every role to say in the template why it has each statement.
func TestReasons(t *testing.T) {
	t.Parallel()
	p := scheduled(t)
	resources := at(t, document(t, p, emitasl.Emit(p)), "Resources")
	for _, r := range p.Roles {
		want := map[string]any{}
		for _, s := range r.Statements {
			want[s.Sid] = s.Reason
		}
		got := at(t, resources, r.Name, "Metadata", "mlmax", "reasons")
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("reasons of %s (-want +got):\n%s", r.Name, d)
		}
		text, err := json.Marshal(at(t, resources, r.Name, "Properties"))
		if err != nil {
			t.Fatal(err)
		}
		for sid := range want {
			if !strings.Contains(string(text), `"Sid":"`+sid+`"`) {
				t.Errorf("%s has a reason for %s and no such statement", r.Name, sid)
			}
		}
	}
}
