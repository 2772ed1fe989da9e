package local

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/local/sandbox"
	"github.com/mlmax/mlmax/pipeline/record"
)

// modes runs a test in both isolations, and skips with the reason where one does
// not work.
func modes(t *testing.T, test func(t *testing.T, isolation string)) {
	t.Helper()
	for _, mode := range []sandbox.Mode{sandbox.Direct, sandbox.Namespace} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			if mode == sandbox.Namespace {
				if err := sandbox.Probe(t.Context()); err != nil {
					t.Skipf("no namespaces here: %v", err)
				}
			}
			test(t, string(mode))
		})
	}
}

// project is a module with a pipeline of shell scripts.
type project struct {
	t          *testing.T
	dir        string
	definition *pipeline.Definition
	options    Options

	mu     sync.Mutex
	events []pipeline.Event
	// watch, if not nil, sees each event as it comes.
	watch func(pipeline.Event)
}

// write writes a file of the module.
func (p *project) write(name, content string, mode os.FileMode) {
	p.t.Helper()
	file := filepath.Join(p.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), mode); err != nil {
		p.t.Fatal(err)
	}
}

// training is a module with the census pipeline's machine, in shell scripts.
func training(t *testing.T, isolation string) *project {
	t.Helper()
	return trainingIn(t, isolation, t.TempDir())
}

func trainingIn(t *testing.T, isolation, dir string) *project {
	t.Helper()
	text, err := os.ReadFile("testdata/training.asl.json")
	if err != nil {
		t.Fatal(err)
	}
	p := &project{t: t, dir: dir, options: Options{Module: dir, Isolation: isolation, Grace: 5 * time.Second}}
	p.write("go.mod", "module example.com/census\n", 0o644)
	p.write("data/census.csv", "age,income\n39,low\n50,high\n", 0o644)
	p.write("steps/preprocess/preprocess.sh", preprocessScript, 0o644)
	p.write("steps/train/train.sh", trainScript, 0o755)
	p.write("steps/evaluate/evaluate.sh", evaluateScript, 0o644)
	one, zero := 1.0, 0.0
	job := func(name, kind, file string, outputs ...pipeline.Output) pipeline.Job {
		return pipeline.Job{
			Name: name, Kind: kind, Image: "sklearn:1.4-2", CodeDir: "steps/" + strings.ToLower(name), Script: file,
			RoleName: name + "Role", ImageName: name + "Image", InstanceName: name + "Instance", CodeName: name + "Code",
			Instance: "ml.m5.xlarge", Outputs: outputs,
		}
	}
	p.definition = &pipeline.Definition{
		Name: "census-training", Module: "example.com/census", Package: "example.com/census/generated/training/training", ASL: text,
		Parameters: []pipeline.Parameter{
			{Key: "Data", Flag: "data", Type: "string", Location: true, Local: "data/census.csv", File: true, Default: "data/census.csv"},
			{Key: "MinROCAUC", Flag: "min-rocauc", Type: "float64", Default: 0.7, Min: &zero, Max: &one},
			{Key: "Preprocess.SplitRatio", Flag: "preprocess.split-ratio", Type: "float64", Default: 0.2, Min: &zero, Max: &one},
			{Key: "Train.Strength", Flag: "train.strength", Type: "float64", Default: 1.0, Min: &zero},
		},
		Jobs: []pipeline.Job{
			job("Preprocess", "processing", "preprocess.sh",
				pipeline.Output{Name: "Train"}, pipeline.Output{Name: "Test"}, pipeline.Output{Name: "Transformer"}),
			job("Train", "training", "train.sh", pipeline.Output{Name: "Model", Model: true}),
			job("Evaluate", "processing", "evaluate.sh", pipeline.Output{Name: "Report", FileName: "report.json"}),
		},
	}
	return p
}

const preprocessScript = `set -eu
while [ $# -gt 0 ]; do
  case "$1" in
    --raw) raw=$2 ;; --train) train=$2 ;; --test) test=$2 ;; --transformer) transformer=$2 ;;
    --mode|--train-test-split-ratio) ;;
    *) echo "unknown argument $1" >&2; exit 2 ;;
  esac
  shift 2
done
echo "splitting $raw"
head -n 2 "$raw/census.csv" > "$train/train.csv"
tail -n 1 "$raw/census.csv" > "$test/test.csv"
echo scratch > "$raw/scratch"
mkdir "$transformer/parts"
echo scale > "$transformer/parts/scale.txt"
`

const trainScript = `#!/bin/sh
set -eu
[ "$1 $2" = "--strength 1" ] || { echo "arguments: $*" >&2; exit 2; }
[ "$SM_HP_STRENGTH" = 1 ]
[ -f "$SM_INPUT_CONFIG_DIR/hyperparameters.json" ]
cat "$SM_CHANNEL_TRAIN/train.csv" > "$SM_MODEL_DIR/model.txt"
`

const evaluateScript = `set -eu
while [ $# -gt 0 ]; do
  case "$1" in --model) model=$2 ;; --test) test=$2 ;; --report) report=$2 ;; esac
  shift 2
done
tar -xzOf "$model/model.tar.gz" model.txt > /dev/null
[ -s "$test/test.csv" ]
echo '{"roc_auc": 0.9}' > "$report"
`

// run runs the pipeline.
func (p *project) run(ctx context.Context, input string) (*pipeline.Outcome, error) {
	p.t.Helper()
	r, err := New(p.options)
	if err != nil {
		p.t.Fatal(err)
	}
	return r.Run(ctx, p.definition, json.RawMessage(input), func(e pipeline.Event) {
		p.mu.Lock()
		p.events = append(p.events, e)
		p.mu.Unlock()
		if p.watch != nil {
			p.watch(e)
		}
	})
}

// succeed runs the pipeline, which must succeed.
func (p *project) succeed(input string) *pipeline.Outcome {
	p.t.Helper()
	o, err := p.run(p.t.Context(), input)
	if err != nil {
		p.t.Fatal(err)
	}
	if o.Status != pipeline.Succeeded {
		log, _ := os.ReadFile(o.Log)
		p.t.Fatalf("%v\nlog: %s", o.Err(), log)
	}
	return o
}

// fails runs the pipeline, which must end as a failed run.
func (p *project) fails(ctx context.Context, input string) *pipeline.Outcome {
	p.t.Helper()
	o, err := p.run(ctx, input)
	if err != nil {
		p.t.Fatal(err)
	}
	if o.Status == pipeline.Succeeded {
		p.t.Fatal("the run succeeded")
	}
	return o
}

// said are the messages of all events of a kind.
func (p *project) said(kind pipeline.EventKind) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []string
	for _, e := range p.events {
		if e.Kind == kind {
			all = append(all, strings.TrimSpace(e.Step+" "+e.Message))
		}
	}
	return all
}

func (p *project) workspace() string {
	if p.options.Workspace != "" {
		return p.options.Workspace
	}
	return filepath.Join(p.dir, ".mlmax")
}

// record opens the record of the workspace.
func (p *project) record() *record.DB {
	p.t.Helper()
	db, err := record.Open(context.Background(), filepath.Join(p.workspace(), "mlmax.db"))
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { db.Close() })
	return db
}
