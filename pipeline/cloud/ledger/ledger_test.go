package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mlmax/mlmax/internal/awsfake"
	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/cloud"
	"github.com/mlmax/mlmax/pipeline/lineage"
	"github.com/mlmax/mlmax/pipeline/manifest"
	"github.com/mlmax/mlmax/pipeline/record"
)

// lived is an account in which the census model was trained twice, the second version
// approved, and used.
func lived(t *testing.T, w *awsfake.World, open func(*pipeline.Definition) *cloud.Place) {
	t.Helper()
	ctx := context.Background()
	p := open(trainingDefinition())
	for name, in := range map[string]any{"CreateModelPackageGroup": map[string]string{"ModelPackageGroupName": "dev-census"}} {
		if err := p.SageMaker(ctx, name, in, nil); err != nil {
			t.Fatal(err)
		}
	}
	s := &service{registry: p}
	for i := range 2 {
		ran(t, w, trainingDefinition(), p, s, fmt.Sprintf(`{"Preprocess.Seed":%d}`, i), fmt.Sprint("train-", i))
	}
	if err := p.SageMaker(ctx, "UpdateModelPackage", map[string]string{
		"ModelPackageArn": s.arn, "ModelApprovalStatus": pipeline.Approved, "ApprovalDescription": "Ada L.: as good: as ever",
	}, nil); err != nil {
		t.Fatal(err)
	}
	ran(t, w, inferenceDefinition(), open(inferenceDefinition()), s, `{}`, "infer-1")
}

// ran executes a machine under a name, and puts its manifest.
func ran(t *testing.T, w *awsfake.World, d *pipeline.Definition, p *cloud.Place, s *service, input, name string) *manifest.Manifest {
	t.Helper()
	start := start.Add(time.Duration(s.runs) * time.Hour)
	s.runs++
	s.manifest = nil
	x, _ := executeAs(t, d, p, s, input, name, start, 0)
	if x.Status != asl.Succeeded {
		t.Fatalf("%s ended %s: %s %s", name, x.Status, x.Error, x.Cause)
	}
	m, err := manifest.Decode(s.manifest)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.PutObject("data", Key(p, m.Pipeline, m.Run), s.manifest); err != nil {
		t.Fatal(err)
	}
	return m
}

func opened(t *testing.T, p *cloud.Place, o Options) *Ledger {
	t.Helper()
	l, err := Open(context.Background(), p, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	if len(l.Damaged) > 0 {
		t.Errorf("damaged: %v", l.Damaged)
	}
	return l
}

func TestAnAccountIsARecord(t *testing.T) {
	t.Parallel()
	w, open := account(t)
	lived(t, w, open)
	ctx := context.Background()
	l := opened(t, open(trainingDefinition()), Options{})

	runs, err := l.Runs(ctx, 0)
	if err != nil || len(runs) != 3 {
		t.Fatalf("%d runs, error %v", len(runs), err)
	}
	if r := runs[0]; r.Pipeline != "census-inference" || r.Status != "SUCCEEDED" || r.Ended.IsZero() || r.Isolation != isolation {
		t.Errorf("the newest run is %+v", r)
	}
	named, err := l.Run(ctx, "train-1")
	if err != nil || named.ID != runs[1].ID {
		t.Errorf("train-1 is %v, error %v", named, err)
	}
	if latest, err := l.Run(ctx, "latest"); err != nil || latest.ID != runs[1].ID {
		t.Errorf("latest is %v, error %v", latest, err)
	}
	if _, err := l.Run(ctx, "nobody"); !errors.Is(err, record.ErrNotFound) {
		t.Errorf("error is %v", err)
	}

	models, err := l.Models(ctx, record.ModelQuery{Group: "dev-census", NewestFirst: true})
	if err != nil || len(models) != 2 || models[0].Version != 2 || models[0].Status != pipeline.Approved || models[1].Status != pipeline.PendingManualApproval {
		t.Fatalf("models are %+v, error %v", models, err)
	}
	if models[0].Run != runs[1].ID || models[0].Registered() != pipeline.PendingManualApproval || models[0].Metadata()["metric.Evaluate.Report.ROCAUC"] != "0.91" {
		t.Errorf("version 2 is %+v", models[0])
	}
	decisions, err := l.Approvals(ctx, "dev-census", 2)
	if err != nil || len(decisions) != 1 || decisions[0].Person != "Ada L." || decisions[0].Note != "as good: as ever" || decisions[0].At.IsZero() {
		t.Errorf("decisions are %+v, error %v", decisions, err)
	}
}

func TestWhatIsNewIsToldBeforeItIsRead(t *testing.T) {
	t.Parallel()
	w, open := account(t)
	lived(t, w, open)
	var told []int
	o := Options{Cache: t.TempDir(), Reading: func(runs int) { told = append(told, runs) }}
	for range 2 {
		opened(t, open(trainingDefinition()), o)
	}
	if len(told) != 2 || told[0] == 0 || told[1] != 0 {
		t.Errorf("told that %d runs are to be read", told)
	}
}

// TestLineageGoesThroughTheAccount walks from predictions to the data of the training run.
func TestLineageGoesThroughTheAccount(t *testing.T) {
	t.Parallel()
	w, open := account(t)
	lived(t, w, open)
	ctx := context.Background()
	l := opened(t, open(inferenceDefinition()), Options{})
	begin, err := lineage.Find(ctx, l, "Predict.Predictions", lineage.Scope{Pipeline: "census-inference", Groups: []string{"dev-census"}})
	if err != nil {
		t.Fatal(err)
	}
	graph, err := lineage.Build(ctx, l, []lineage.Start{begin}, lineage.Options{Up: true})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := graph.Tree(&text, time.UTC); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Predict.Predictions", "dev-census/2", "Approved by Ada L.", "Train.Model", "Preprocess.Train", "Data", "s3://data/team/data/census.csv",
		"code 222222222222", "sagemaker-scikit-learn:1.4-2-cpu-py3",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("lineage has no %q:\n%s", want, text.String())
		}
	}

	down, err := lineage.Find(ctx, l, "2", lineage.Scope{Pipeline: "census-inference", Groups: []string{"dev-census"}})
	if err != nil {
		t.Fatal(err)
	}
	if graph, err = lineage.Build(ctx, l, []lineage.Start{down}, lineage.Options{Down: true, Limit: lineage.DefaultLimit}); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(graph.Nodes, func(n *lineage.Node) bool { return n.Name == "Predict.Predictions" }) {
		t.Error("version 2 led to no predictions")
	}
}

func TestADecisionIsTheRegistrys(t *testing.T) {
	t.Parallel()
	w, open := account(t)
	lived(t, w, open)
	ctx := context.Background()
	l := opened(t, open(trainingDefinition()), Options{})
	decide := func(version int, status, note string) string {
		t.Helper()
		before, err := l.Decide(ctx, record.Approval{Group: "dev-census", Version: version, Status: status, Person: "Grace H.", Note: note})
		if err != nil {
			t.Fatal(err)
		}
		return before
	}
	if before := decide(1, pipeline.Rejected, "stale"); before != pipeline.PendingManualApproval {
		t.Errorf("it was %s", before)
	}
	calls := count(w, "UpdateModelPackage")
	if before := decide(2, pipeline.Approved, "again"); before != pipeline.Approved || count(w, "UpdateModelPackage") != calls {
		t.Errorf("it was %s, and was changed", before)
	}
	for _, one := range []*Ledger{l, opened(t, open(trainingDefinition()), Options{})} { // at once, and by whoever looks next
		decisions, err := one.Approvals(ctx, "dev-census", 1)
		if err != nil || len(decisions) != 1 || decisions[0].Person != "Grace H." || decisions[0].Note != "stale" || decisions[0].Status != pipeline.Rejected {
			t.Errorf("decisions are %+v, error %v", decisions, err)
		}
	}
}

// TestADecisionSurvivesFaults hits every call of a decision: it is made once, and told.
func TestADecisionSurvivesFaults(t *testing.T) {
	t.Parallel()
	for _, action := range []string{"ListModelPackages", "DescribeModelPackage", "UpdateModelPackage"} {
		for _, fault := range []awsfake.Fault{awsfake.Throttle, awsfake.ServerError, awsfake.Unavailable, awsfake.Reset, awsfake.LostAnswer, awsfake.Truncated} {
			t.Run(action+" "+string(fault), func(t *testing.T) {
				t.Parallel()
				w, open := account(t, awsfake.Rule{On: "sagemaker." + action, Fault: fault})
				p := open(trainingDefinition())
				ctx := context.Background()
				for name, in := range map[string]string{
					"CreateModelPackageGroup": `{"ModelPackageGroupName":"dev-census"}`,
				} {
					if err := p.SageMaker(ctx, name, json.RawMessage(in), nil); err != nil {
						t.Fatal(err)
					}
				}
				s := &service{registry: p}
				ran(t, w, trainingDefinition(), p, s, `{}`, "train")
				l := opened(t, p, Options{})
				if _, err := l.Decide(ctx, record.Approval{Group: "dev-census", Version: 1, Status: pipeline.Approved, Person: "Ada L.", Note: "good"}); err != nil {
					t.Fatal(err)
				}
				m, err := l.ModelVersion(ctx, "dev-census", 1)
				if err != nil || m.Status != pipeline.Approved {
					t.Errorf("it is %v, error %v", m, err)
				}
			})
		}
	}
}

// TestALookSurvivesFaults hits each call of a look with each fault that goes away: what is
// seen is the same. With the others it says so, and shows nothing.
func TestALookSurvivesFaults(t *testing.T) {
	t.Parallel()
	w, open := account(t)
	lived(t, w, open)
	for _, on := range []string{"s3.ListObjectsV2", "s3.GetObject", "sagemaker.ListModelPackages", "sagemaker.DescribeModelPackage"} {
		for _, fault := range awsfake.Faults {
			for _, nth := range []int{1, 2} {
				p := through(t, w, awsfake.Rule{On: on, Nth: nth, Fault: fault})(trainingDefinition())
				l, err := Open(context.Background(), p, Options{})
				if fault == awsfake.Expired || fault == awsfake.Denied {
					// There is one group in this account, and so one list of it.
					if err == nil && (on != "sagemaker.ListModelPackages" || nth == 1) {
						t.Errorf("%s at %s #%d was not told", fault, on, nth)
					}
					if err != nil && !strings.Contains(err.Error(), "\n\thint: ") {
						t.Errorf("%s at %s #%d says no way out: %v", fault, on, nth, err)
					}
				} else if err != nil {
					t.Errorf("%s at %s #%d: %v", fault, on, nth, err)
				}
				if err != nil {
					continue
				}
				runs, err := l.Runs(context.Background(), 0)
				if err := errors.Join(err, l.Close()); err != nil || len(runs) != 3 || len(l.Damaged) != 0 {
					t.Errorf("%s at %s #%d: %d runs, damaged %v, error %v", fault, on, nth, len(runs), l.Damaged, err)
				}
			}
		}
	}
}

func TestAnAccountInWhichNothingRan(t *testing.T) {
	t.Parallel()
	_, open := account(t)
	l := opened(t, open(trainingDefinition()), Options{})
	runs, err := l.Runs(context.Background(), 0)
	if err != nil || len(runs) != 0 {
		t.Errorf("runs %v, error %v", runs, err)
	}
}

func TestADecisionThatWasMadeElsewhere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		said string
		want *record.Approval
	}{
		"nobody decided":      {`{"ModelApprovalStatus":"PendingManualApproval","CreationTime":1}`, nil},
		"registered approved": {`{"ModelApprovalStatus":"Approved","CreationTime":1}`, nil},
		"on the console": {
			`{"ModelApprovalStatus":"Approved","CreationTime":1,"LastModifiedTime":2.5,"LastModifiedBy":{"IamIdentity":{"Arn":"arn:aws:sts::1:assumed-role/Team/grace"}}}`,
			&record.Approval{Status: "Approved", Person: "grace", Note: "no reason was given", At: time.UnixMilli(2500).UTC()},
		},
		"in Studio": {
			`{"ModelApprovalStatus":"Rejected","ApprovalDescription":"too slow","CreationTime":1,"LastModifiedTime":2,"LastModifiedBy":{"UserProfileName":"ada"}}`,
			&record.Approval{Status: "Rejected", Person: "ada", Note: "too slow", At: time.Unix(2, 0).UTC()},
		},
		"by whom is not said": {
			`{"ModelApprovalStatus":"Rejected","ApprovalDescription":"no","CreationTime":1,"LastModifiedTime":2,"LastModifiedBy":{}}`,
			&record.Approval{Status: "Rejected", Person: "somebody", Note: "no", At: time.Unix(2, 0).UTC()},
		},
	} {
		var d described
		if err := json.Unmarshal([]byte(c.said), &d); err != nil {
			t.Fatal(err)
		}
		got := d.decision()
		if (got == nil) != (c.want == nil) || got != nil && *got != *c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// TestWhereCodeAndDataCameFrom reads what clients left when they uploaded.
func TestWhereCodeAndDataCameFrom(t *testing.T) {
	t.Parallel()
	w, open := account(t)
	ctx := context.Background()
	p := open(trainingDefinition())
	if err := p.SageMaker(ctx, "CreateModelPackageGroup", map[string]string{"ModelPackageGroupName": "dev-census"}, nil); err != nil {
		t.Fatal(err)
	}
	commit, content := strings.Repeat("c", 40), strings.Repeat("d", 64)
	s := &service{registry: p}
	m := ran(t, w, trainingDefinition(), p, s, `{"Data":"s3://data/team/data/`+content+`/mine.csv"}`, "train")
	look := func() (*record.Run, *Ledger) {
		t.Helper()
		l := opened(t, open(trainingDefinition()), Options{})
		r, err := l.Run(ctx, m.Run)
		if err != nil {
			t.Fatal(err)
		}
		return r, l
	}
	r, l := look()
	if r.Commit != "" {
		t.Errorf("the commit is %s, and nobody has said so", r.Commit)
	}
	starts, err := lineage.FindContent(ctx, l, "sha256:"+content)
	if err != nil || len(starts) != 1 || starts[0].Artifact != "s3://data/team/data/"+content+"/mine.csv" {
		t.Errorf("the data is %v, error %v", starts, err)
	}
	mark := func(step, commit string, dirty bool) {
		t.Helper()
		text := fmt.Sprintf(`{"digest":%q,"commit":%q,"dirty":%v,"pipeline":"census-training","holds":[],"files":[]}`, m.Code[step], commit, dirty)
		if err := w.PutObject("data", "team/code/"+m.Code[step]+".json", []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	mark("Preprocess", commit, false)
	mark("Train", commit, true)
	mark("Evaluate", commit, false)
	if r, _ = look(); r.Commit != commit || !r.Dirty {
		t.Errorf("the commit is %s, dirty %v", r.Commit, r.Dirty)
	}
	mark("Train", strings.Repeat("e", 40), false)
	if r, _ = look(); r.Commit != "" {
		t.Errorf("the commit is %s, and the code came from two", r.Commit)
	}
}

// TestARunThatStepFunctionsForgot is found by its manifest.
func TestARunThatStepFunctionsForgot(t *testing.T) {
	t.Parallel()
	w, open := account(t)
	lived(t, w, open)
	ctx := context.Background()
	asked := ""
	l := opened(t, open(trainingDefinition()), Options{Detail: "train-0", Describe: func(_ context.Context, name string) (*Description, error) {
		asked = name
		return nil, nil
	}})
	r, err := l.Run(ctx, "train-0")
	if err != nil {
		t.Fatal(err)
	}
	steps, err := l.Steps(ctx, r.ID)
	if err != nil || len(steps) != 4 || steps[0].Name != "Preprocess" || steps[3].Kind != registerKind || !strings.HasPrefix(steps[1].Job, "dev-census-training-train-") {
		t.Errorf("steps are %+v, error %v", steps, err)
	}
	if asked != "train-0" {
		t.Errorf("asked for %q", asked)
	}
	opened(t, open(trainingDefinition()), Options{Detail: r.ID[:8], Describe: func(_ context.Context, name string) (*Description, error) {
		asked = name
		return nil, nil
	}})
	if asked != "train-0" {
		t.Errorf("by the start of its id, asked for %q", asked)
	}
}
