package emitasl_test

import (
	"strings"
	"testing"

	"github.com/mlmax/mlmax/gen/emitasl"
	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/internal/plantest"
	"github.com/mlmax/mlmax/pipeline/asl"
)

// TestIsolated holds an isolated training job to get its code by a channel: it has
// no network to fetch it by.
func TestIsolated(t *testing.T) {
	t.Parallel()
	p := plantest.Example(t)
	j := p.Jobs()[1]
	j.Isolated, j.Spot, j.MaxWaitSeconds = true, true, 7200
	s := &service{report: report}
	result(t, run(t, p, place(p), `{}`, s))
	request := s.requests["Train"]
	hyper := request["HyperParameters"].(map[string]any)
	digest := strings.Repeat("c0de", 16)
	if got, want := hyper["sagemaker_submit_directory"], `"/opt/ml/input/data/code/`+digest+`.tar.gz"`; got != want {
		t.Errorf("the code is at %v, want %s", got, want)
	}
	channels := request["InputDataConfig"].([]any)
	last := channels[len(channels)-1].(map[string]any)
	uri := last["DataSource"].(map[string]any)["S3DataSource"].(map[string]any)["S3Uri"]
	if last["ChannelName"] != "code" || uri != "s3://local/code/"+digest+".tar.gz" {
		t.Errorf("the last channel is %v", last)
	}
	if request["EnableNetworkIsolation"] != true || request["EnableManagedSpotTraining"] != true ||
		request["StoppingCondition"].(map[string]any)["MaxWaitTimeInSeconds"] != 7200.0 {
		t.Errorf("the request is %v", request)
	}
}

func leaf(c ir.Cond) *ir.Cond { return &c }

// TestConditions holds every operator to its meaning, and to say what it saw.
func TestConditions(t *testing.T) {
	t.Parallel()
	metric := leaf(ir.Cond{Report: "EvaluateReport", Field: "ROCAUC", Type: ir.Float, Text: "R"}) // 0.9
	rows := leaf(ir.Cond{Report: "EvaluateReport", Field: "Rows", Type: ir.Int, Text: "Rows"})    // 400
	balanced := leaf(ir.Cond{Param: "Train.Balanced", Type: ir.Bool, Text: "B"})                  // true
	number := func(v float64, text string) *ir.Cond { return leaf(ir.Cond{Lit: v, Type: ir.Float, Text: text}) }
	quote := func(s string) *ir.Cond { return leaf(ir.Cond{Lit: s, Type: ir.String, Text: `"` + s + `"`}) }
	op := func(op string, x, y *ir.Cond) *ir.Cond { return leaf(ir.Cond{Op: op, X: x, Y: y}) }
	low := op("<", metric, number(0.5, "0.5"))
	cases := []struct {
		name string
		cond *ir.Cond
		seen string // empty: the condition holds
	}{
		{"greater", op(">", metric, number(0.5, "0.5")), ""},
		{"less", low, "0.9 < 0.5"},
		{"at most", op("<=", rows, number(399, "399")), "400 <= 399"},
		{"equal", op("==", rows, number(400, "400")), ""},
		{"not equal", op("!=", rows, number(400, "400")), "400 != 400"},
		{"bool", balanced, ""},
		{"not", op("!", balanced, nil), "!(true)"},
		{"or", op("||", low, balanced), ""},
		{"and", op("&&", low, op("||", balanced, low)), "(0.9 < 0.5 && (true || 0.9 < 0.5))"},
		{"precedence", op("||", op("&&", low, low), balanced), ""},
		{"hostile text", op("==", quote("a${x}'"), quote("a")), `"a${x}'" == "a"`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := plantest.Example(t)
			r := p.Registrations()[0]
			r.Cond, r.When = c.cond, "C"
			out := result(t, run(t, p, place(p), `{}`, &service{report: report}))
			why, skipped := out["NotRegistered"].(map[string]any)["Register"]
			if skipped != (c.seen != "") || skipped && why != "C is false: "+c.seen {
				t.Errorf("not registered: %v, want %q", why, c.seen)
			}
		})
	}
}

// TestTexts are parameters that are texts: enum, pattern, length.
func TestTexts(t *testing.T) {
	t.Parallel()
	p := plantest.Example(t)
	add := func(field string, edit func(*ir.Parameter)) {
		q := &ir.Parameter{Key: "Train." + field, Step: "Train", Field: field, Type: ir.String, Default: "a"}
		edit(q)
		p.Parameters = append(p.Parameters, q)
		j := p.Jobs()[1]
		j.Hyper = append(j.Hyper, &ir.Named{Name: strings.ToLower(field), Value: &ir.Value{Type: ir.String, Param: q.Key}})
	}
	add("Kind", func(q *ir.Parameter) { q.Enum = []string{"a", "it's ${x}"} })
	add("Code", func(q *ir.Parameter) { q.Pattern = `[a-z]+(/[a-z]{2})?` })
	add("Must", func(q *ir.Parameter) { q.Default = nil })
	cases := []struct{ name, input, problem string }{
		{"missing", `{}`, "Train.Must must be a text without control characters of at most 2498 characters, got nothing"},
		{"good", `{"Train.Must": "x", "Train.Kind": "it's ${x}", "Train.Code": "ab/cd"}`, ""},
		{"enum", `{"Train.Must": "x", "Train.Kind": "b"}`, `Train.Kind must be one of "a", "it's ${x}", got "b"`},
		{"pattern", `{"Train.Must": "x", "Train.Code": "ab/c"}`, `Train.Code must be a text without control characters of at most 2498 characters that matches [a-z]+(/[a-z]{2})?, got "ab/c"`},
		{"newline", `{"Train.Must": "x\n"}`, "Train.Must must be"},
		{"long", `{"Train.Must": "` + strings.Repeat("x", 2499) + `"}`, "Train.Must must be"},
		{"a list", `{"Train.Must": ["x"]}`, "Train.Must must be"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := &service{report: report}
			r := run(t, p, place(p), c.input, s)
			if c.problem == "" {
				result(t, r)
				hyper := s.requests["Train"]["HyperParameters"].(map[string]any)
				if hyper["kind"] != `"it's ${x}"` || hyper["code"] != `"ab/cd"` {
					t.Errorf("hyperparameters are %v", hyper)
				}
				return
			}
			if r.Status != asl.Failed || r.Err.Name != "BadParameters" || !strings.Contains(r.Err.Cause, c.problem) {
				t.Errorf("%s: %v; want %q", r.Status, r.Err, c.problem)
			}
		})
	}
}

// TestPartition holds resources to the pipeline's partition: Step Functions takes no
// ARN of another one.
func TestPartition(t *testing.T) {
	t.Parallel()
	training, inference := plantest.Example(t), plantest.Inference(t)
	training.Partition, inference.Partition = "aws-cn", "aws-cn"
	tasks := 0
	for _, s := range append(emitasl.Emit(training).States, emitasl.Emit(inference).States...) {
		if s.Type != asl.TaskState {
			continue
		}
		tasks++
		if !strings.HasPrefix(s.Resource, "arn:aws-cn:states:::") {
			t.Errorf("state %q calls %s", s.Name, s.Resource)
		}
	}
	if tasks == 0 {
		t.Error("the machine has no task")
	}
}

// TestTasks holds every Task to a time-out, to no Catch, and to real error names.
func TestTasks(t *testing.T) {
	t.Parallel()
	for _, s := range append(emitasl.Emit(plantest.Example(t)).States, emitasl.Emit(plantest.Inference(t)).States...) {
		if s.Catch != nil {
			t.Errorf("state %q catches: a redrive could not run it again", s.Name)
		}
		if s.Type != asl.TaskState {
			continue
		}
		if seconds, is := s.TimeoutSeconds.(int); !is || seconds < 1 {
			t.Errorf("state %q has no time-out", s.Name)
		}
		tries := 0
		for _, r := range s.Retry {
			tries += *r.MaxAttempts
			for _, name := range r.ErrorEquals {
				if strings.HasPrefix(name, "States.") {
					t.Errorf("state %q retries %s, which a failed job is, too", s.Name, name)
				}
			}
		}
		if tries > 9 { // the retry's number is one digit of the job's name
			t.Errorf("state %q is tried %d times again", s.Name, tries)
		}
	}
}
