package emitasl_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mlmax/mlmax/gen/emitasl"
	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/internal/plantest"
	"github.com/mlmax/mlmax/pipeline/asl"
)

// TestJavaScript evaluates every expression of the machines here in the JSONata
// that Step Functions names, JavaScript's 2.0.6, and in the interpreter of local
// runs, over values good and odd: both refuse, or both yield the same.
func TestJavaScript(t *testing.T) {
	t.Parallel()
	modules := installJSONata(t)
	known := expressions(t, plantest.Example(t), place(plantest.Example(t))) // pinned has many of these, too
	for name, p := range map[string]*ir.Plan{"census": plantest.Example(t), "variant": variant(t), "inference": plantest.Inference(t), "pinned": pinnedTraining(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			values := place(p)
			if name == "variant" {
				values["KmsKey"], values["Subnets"], values["SecurityGroups"] = "arn:aws:kms:eu-west-1:000000000000:key/k", "subnet-1", "sg-1,sg-2"
				values["Tags"], values["Readable"] = "team=ml,cost=42", "s3://lake/census/,s3://other/"
			}
			var all []evaluation
			for _, e := range expressions(t, p, values) {
				if name == "pinned" && slices.Contains(known, e) {
					continue
				}
				for _, w := range worlds(p) {
					all = append(all, evaluation{Expression: e, Variables: w})
				}
				for _, v := range large {
					if judges(e) {
						all = append(all, evaluation{Expression: e, Variables: world(p, json.RawMessage(v), false)})
					}
				}
			}
			theirs := javascript(t, modules, all)
			for i, e := range all {
				ours := interpreter(t, e)
				if d := cmp.Diff(theirs[i].seen(), ours.seen()); d != "" {
					t.Errorf("%s\nover %s\nJavaScript: %s\nhere: %s", e.Expression, encodeJSON(t, e.Variables), theirs[i], ours)
				}
			}
			t.Logf("%d evaluations", len(all))
		})
	}
}

// variant is the example with what it does not have itself: texts, isolation, an
// output that is a file, tags, a network.
func variant(t *testing.T) *ir.Plan {
	t.Helper()
	p := plantest.Example(t)
	train := p.Jobs()[1]
	train.Isolated = true
	for _, q := range []*ir.Parameter{
		{Field: "Kind", Default: "a", Enum: []string{"a", "it's ${x} %}"}},
		{Field: "Code", Default: "ab", Pattern: `[a-z]+(/[a-z]{2})?`},
		{Field: "Free"},
	} {
		q.Key, q.Step, q.Type = "Train."+q.Field, "Train", ir.String
		p.Parameters = append(p.Parameters, q)
		train.Hyper = append(train.Hyper, &ir.Named{Name: strings.ToLower(q.Field), Value: &ir.Value{Type: ir.String, Param: q.Key}})
		train.Env = append(train.Env, &ir.Named{Name: strings.ToUpper(q.Field), Value: &ir.Value{Type: ir.String, Param: q.Key}})
	}
	p.Environments[0].Tags = map[string]string{"team": "ml", "cost": "42"}
	p.Environments[0].Readable = []ir.Location{{Bucket: "lake", Prefix: "census/"}, {Bucket: "other"}}
	p.Schedule = "rate(1 day)"
	return p
}

// An evaluation is an expression and the variables that it is evaluated over, with
// "states" among them.
type evaluation struct {
	Expression string         `json:"expression"`
	Variables  map[string]any `json:"variables"`
}

// An answer is what an evaluation came to.
type answer struct {
	Value json.RawMessage `json:"value,omitempty"`
	Error string          `json:"error,omitempty"`
}

func (a answer) String() string { return string(a.Value) + a.Error }

// seen is what both have to agree in: the value, but not the words of an error.
func (a answer) seen() any {
	if a.Value == nil {
		return "an error"
	}
	var v any
	if json.Unmarshal(a.Value, &v) != nil {
		return "no JSON: " + string(a.Value)
	}
	return []any{v}
}

// expressions are those of the machine, each once, with everything substituted.
func expressions(t *testing.T, p *ir.Plan, values map[string]string) []string {
	t.Helper()
	text, err := asl.Substitute(encode(t, emitasl.Emit(p)), values)
	if err != nil {
		t.Fatal(err)
	}
	var machine any
	if err := json.Unmarshal(text, &machine); err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, m := range v {
				walk(m)
			}
		case []any:
			for _, m := range v {
				walk(m)
			}
		case string:
			if strings.HasPrefix(v, "{%") {
				found[strings.TrimSpace(v[2:len(v)-2])] = true
			}
		}
	}
	walk(machine)
	return slices.Sorted(maps.Keys(found))
}

// interpreter evaluates as a local run does, as the output of a task.
func interpreter(t *testing.T, e evaluation) answer {
	t.Helper()
	variables := map[string]any{}
	for name, v := range e.Variables {
		if name != "states" && strings.Contains(e.Expression, "$"+name) {
			variables[name] = v
		}
	}
	states := e.Variables["states"].(map[string]any)
	m := &asl.Machine{QueryLanguage: "JSONata", StartAt: "Bind", States: []*asl.State{
		{Name: "Bind", Type: asl.PassState, Assign: bound(t, variables), Next: "Evaluate"},
		{Name: "Evaluate", Type: asl.TaskState, Resource: "arn:aws:states:::aws-sdk:s3:getObject", Output: "{% " + e.Expression + " %}", End: true},
	}}
	input, result := encodeJSON(t, states["input"]), json.RawMessage("null")
	if v, given := states["result"]; given {
		result = encodeJSON(t, v)
	}
	r, err := asl.Run(t.Context(), m, input, asl.Options{
		Handler: handler(func() (json.RawMessage, error) { return result, nil }),
		Context: asl.ExecutionContext{
			ExecutionID: "arn:aws:states:local:000000000000:execution:local-census-training:one",
			StartTime:   time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		},
	})
	if err != nil {
		t.Fatalf("%s: %v", e.Expression, err)
	}
	if r.Status != asl.Succeeded {
		return answer{Error: r.Err.Error()}
	}
	return answer{Value: r.Output}
}

type handler func() (json.RawMessage, error)

func (h handler) Do(context.Context, asl.Task) (json.RawMessage, error) { return h() }

// bound are variables as a state assigns them, whatever their texts look like.
func bound(t *testing.T, variables map[string]any) asl.Object {
	t.Helper()
	var all asl.Object
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		text := string(encodeJSON(t, string(encodeJSON(t, variables[name]))))
		all = append(all, asl.Member{Key: name, Value: "{% $parse(" + strings.ReplaceAll(text, "%}", `\u0025}`) + ") %}"})
	}
	return all
}

func encodeJSON(t *testing.T, v any) json.RawMessage {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// javascript evaluates with node.
func javascript(t *testing.T, modules string, all []evaluation) []answer {
	t.Helper()
	var in bytes.Buffer
	for _, e := range all {
		in.Write(encodeJSON(t, e))
		in.WriteByte('\n')
	}
	cmd := exec.CommandContext(t.Context(), "node", filepath.Join("testdata", "evaluate.js"))
	cmd.Env = append(os.Environ(), "NODE_PATH="+modules)
	cmd.Stdin = &in
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("run node: %v", err)
	}
	var answers []answer
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		var a answer
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			t.Fatal(err)
		}
		answers = append(answers, a)
	}
	if len(answers) != len(all) {
		t.Fatalf("node gave %d answers to %d expressions", len(answers), len(all))
	}
	return answers
}

// installJSONata gets the package from npm's registry and returns the folder of
// modules; without node or network the test is skipped.
func installJSONata(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("the comparison with JavaScript takes seconds")
	}
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("expressions are not compared with JavaScript's: %v", err)
		}
	}
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "npm", "install", "--prefix", dir, "--prefer-offline", "--ignore-scripts",
		"--no-audit", "--no-fund", "--fetch-retries=0", "--fetch-timeout=10000", "jsonata@2.0.6")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("expressions are not compared with JavaScript's: npm: %v\n%s", err, fmt.Sprintf("%.500s", out))
	}
	return filepath.Join(dir, "node_modules")
}
