package local

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/record"
)

// odd is a value that no shell may touch.
const odd = "a  'b' \"c\" $HOME `id` $(id) \\n * ~ ; & | < > ! # %s\ttab é\u2028 \\"

// oddScript prints its arguments and variables, each in brackets, into its output.
const oddScript = `set -eu
for a in "$@"; do printf '[%s]\n' "$a"; done > "$OUT/arguments"
printf '[%s]\n' "$ODD" "$LINES" "$LANG" "$PYTHONHASHSEED" > "$OUT/variables"
env | sed 's/=.*//' | sort > "$OUT/names"
cat /dev/null "$IN/census.csv" > "$OUT/data"
printf changed >> "$IN/census.csv"
mkdir "$OUT/deep"
cp "$CONFIG/resourceconfig.json" "$OUT/deep/a b"
`

// oddMachine is a machine with one processing job, whose arguments and variables are odd.
func oddProject(t *testing.T, isolation string) *project {
	t.Helper()
	p := training(t, isolation)
	p.write("steps/odd/odd.sh", oddScript, 0o644)
	p.definition.ASL = []byte(strings.NewReplacer("@@", strings.Trim(pyDumps(odd), `"`)).Replace(`{
 "QueryLanguage": "JSONata", "StartAt": "Odd", "States": {"Odd": {"Type": "Task", "End": true, "Output": {},
  "Resource": "arn:aws:states:::sagemaker:createProcessingJob.sync",
  "Arguments": {
   "ProcessingJobName": "{% 'odd-' & $substring($hash($states.context.Execution.Id, 'SHA-256'), 0, 20) %}", "RoleArn": "${OddRole}",
   "AppSpecification": {"ImageUri": "${OddImage}", "ContainerEntrypoint": ["/bin/sh", "/opt/ml/processing/input/code/odd.sh"],
    "ContainerArguments": ["@@", "", "-x=/opt/ml/processing/input/Raw", "--text=@@", "/opt/ml/processing/output/Out", "/opt/mlx", "-"]},
   "Environment": {"ODD": "@@", "LINES": "two\nlines\n", "OUT": "/opt/ml/processing/output/Out", "IN": "/opt/ml/processing/input/Raw", "CONFIG": "/opt/ml/config"},
   "ProcessingInputs": [
    {"InputName": "code", "S3Input": {"S3Uri": "s3://${Bucket}/${Prefix}code/${OddCode}/", "LocalPath": "/opt/ml/processing/input/code", "S3DataType": "S3Prefix", "S3InputMode": "File"}},
    {"InputName": "Raw", "S3Input": {"S3Uri": "{% $states.input.Data %}", "LocalPath": "/opt/ml/processing/input/Raw", "S3DataType": "S3Prefix", "S3InputMode": "File"}}],
   "ProcessingOutputConfig": {"Outputs": [{"OutputName": "Out", "S3Output": {"S3Uri": "{% 's3://${Bucket}/${Prefix}runs/odd/' & $substring($hash($states.context.Execution.Id, 'SHA-256'), 0, 12) & '/Out' %}",
    "LocalPath": "/opt/ml/processing/output/Out", "S3UploadMode": "EndOfJob"}}]},
   "ProcessingResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "${OddInstance}", "VolumeSizeInGB": 30}}
  }}}}`))
	p.definition.Parameters = p.definition.Parameters[:1]
	p.definition.Jobs = []pipeline.Job{{
		Name: "Odd", Kind: "processing", Image: "sklearn:1.4-2", CodeDir: "steps/odd", Script: "odd.sh",
		RoleName: "OddRole", ImageName: "OddImage", InstanceName: "OddInstance", CodeName: "OddCode", Instance: "ml.m5.large",
		Outputs: []pipeline.Output{{Name: "Out"}},
	}}
	return p
}

// reproduce lays out a step in a folder with an awkward name.
func (p *project) reproduce(run, step string) *Reproduced {
	p.t.Helper()
	dir := filepath.Join(p.t.TempDir(), "it's a $folder")
	done, err := Reproduce(p.t.Context(), Repro{Workspace: p.workspace(), Run: run, Step: step, Dir: dir, Now: time.Now})
	if err != nil {
		p.t.Fatal(err)
	}
	return done
}

// runScript runs run.sh with little more than nothing in its environment.
func runScript(t *testing.T, script string, env ...string) (output string, code int) {
	t.Helper()
	c := exec.CommandContext(t.Context(), "/bin/sh", script)
	c.Dir = t.TempDir()
	c.Env = append([]string{"PATH=" + os.Getenv("PATH"), "ODD=outside", "OUT=outside"}, env...)
	out, err := c.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return string(out), exit.ExitCode()
	}
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out), 0
}

// tree is a folder's files, by name, with their content.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(name)
		rel, relErr := filepath.Rel(dir, name)
		all[rel] = string(text)
		return errors.Join(err, relErr)
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestReproducedStepWritesTheSame lays out a job whose arguments, variables and files are
// awkward, as direct isolation ran it, and runs it alone, twice, and after a move.
func TestReproducedStepWritesTheSame(t *testing.T) {
	t.Parallel()
	p := oddProject(t, "direct")
	o := p.succeed(`{}`)
	done := p.reproduce(o.Run, "Odd")
	if done.Files != 5 || done.Python != "" || len(done.Inputs) != 2 {
		t.Errorf("laid out: %+v", done)
	}
	recorded := tree(t, o.Artifacts[1].Path)
	for name, text := range recorded {
		if name == "arguments" && strings.Count(text, odd) != 2 {
			t.Errorf("the run had other arguments: %q", text)
		}
	}
	moved := filepath.Join(t.TempDir(), "moved")
	for i, dir := range []string{done.Dir, done.Dir, moved} {
		if dir == moved {
			if err := os.Rename(done.Dir, moved); err != nil {
				t.Fatal(err)
			}
		}
		out, code := runScript(t, filepath.Join(dir, "run.sh"))
		got := tree(t, filepath.Join(dir, "outputs/Out"))
		// The job's own folder is in two arguments: as direct isolation has it.
		work := filepath.Join(dir, "work")
		if !strings.Contains(got["arguments"], "[-x="+work+"/opt/ml/processing/input/Raw]\n") || !strings.Contains(got["arguments"], "[/opt/mlx]\n") {
			t.Errorf("time %d: arguments %q", i, got["arguments"])
		}
		delete(got, "arguments")
		want := map[string]string{}
		for name, text := range recorded {
			if name != "arguments" {
				want[name] = text
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("time %d: %s", i, diff)
		}
		// So the arguments file differs, and is named.
		if code != 1 || !strings.Contains(out, "Out/arguments: FAILED") || strings.Contains(out, "Out/data: FAILED") {
			t.Errorf("time %d: exit code %d\n%s", i, code, out)
		}
	}
}

// TestReproducedArgumentsAreExact runs the same job in a namespace, where the recorded
// arguments hold no folder of this machine.
func TestReproducedArgumentsAreExact(t *testing.T) {
	t.Parallel()
	p := oddProject(t, "direct")
	// Without the places, which differ by nature.
	text := strings.NewReplacer(`"-x=/opt/ml/processing/input/Raw", `, "", `"/opt/ml/processing/output/Out", "/opt/mlx"`, `"/opt/mlx"`).Replace(string(p.definition.ASL))
	p.definition.ASL = []byte(text)
	o := p.succeed(`{}`)
	done := p.reproduce(o.Run, "Odd")
	out, code := runScript(t, done.Script)
	if code != 0 || !strings.Contains(out, "outputs equal those of run "+o.Run+" (files compared: 5)") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	// Files that should not be there are seen, and so is a changed input.
	script := filepath.Join(done.Dir, "inputs/opt/ml/processing/input/code/odd.sh")
	p.appendTo(script, "touch \"$OUT/more\"\n")
	if out, code = runScript(t, done.Script); code != 1 || !strings.Contains(out, "hold other files than the 5 of run") {
		t.Errorf("with another file: exit code %d\n%s", code, out)
	}
	p.appendTo(script, "rm \"$OUT/more\"; exit 7\n")
	if out, code = runScript(t, done.Script); code != 7 || !strings.Contains(out, "the step ended with exit code 7; in run "+o.Run+" it ended with exit code 0") {
		t.Errorf("that fails: exit code %d\n%s", code, out)
	}
}

func (p *project) appendTo(file, text string) {
	p.t.Helper()
	before, err := os.ReadFile(file)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(file, append(before, text...), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// TestReproducedPipeline lays out each job of a training run, in both isolations: the
// script's outputs equal the run's.
func TestReproducedPipeline(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, isolation string) {
		p := training(t, isolation)
		o := p.succeed(`{}`)
		for step, files := range map[string]int{"Preprocess": 3, "Train": 1, "Evaluate": 1} {
			done := p.reproduce(o.Run, step)
			out, code := runScript(t, done.Script)
			if code != 0 || done.Files != files || !strings.Contains(out, "outputs equal those of run "+o.Run) {
				t.Errorf("step %s: %d files, exit code %d\n%s", step, done.Files, code, out)
			}
		}
		model := tree(t, filepath.Join(p.reproduceAndRun(o.Run, "Train"), "outputs/model"))
		if diff := cmp.Diff(map[string]string{"model.txt": "age,income\n39,low\n"}, model); diff != "" {
			t.Error(diff)
		}
	})
}

func (p *project) reproduceAndRun(run, step string) string {
	p.t.Helper()
	done := p.reproduce(run, step)
	if out, code := runScript(p.t, done.Script); code != 0 {
		p.t.Fatalf("exit code %d\n%s", code, out)
	}
	return done.Dir
}

// TestReproducedFailure lays out the step in which a run failed.
func TestReproducedFailure(t *testing.T) {
	t.Parallel()
	p := training(t, "direct")
	p.write("steps/train/train.sh", "#!/bin/sh\necho no luck >&2\nexit 3\n", 0o755)
	o := p.fails(t.Context(), `{}`)
	done := p.reproduce(o.Run, "Train")
	out, code := runScript(t, done.Script)
	if code != 3 || !strings.Contains(out, "no luck") || !strings.Contains(out, "in run "+o.Run+" it ended with exit code 3, FAILED") {
		t.Errorf("exit code %d\n%s", code, out)
	}
}

// TestReproducedCachedStep wants the try that the outputs were taken from.
func TestReproducedCachedStep(t *testing.T) {
	t.Parallel()
	p := training(t, "direct")
	o := p.succeed(`{}`)
	db := p.record()
	steps, err := db.Steps(t.Context(), o.Run)
	if err != nil {
		t.Fatal(err)
	}
	err = db.StartRun(t.Context(), record.Run{ID: "later", Status: "RUNNING"}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.StartStep(t.Context(), record.Step{Run: "later", Name: "Preprocess", Kind: processingKind, Status: "SUCCEEDED", CachedFrom: steps[0].ID}, nil); err != nil {
		t.Fatal(err)
	}
	done := p.reproduce("later", "Preprocess")
	if done.Step.Run != o.Run || done.Files != 3 {
		t.Errorf("laid out: %+v", done)
	}
}

func TestReproductionsThatCannotBe(t *testing.T) {
	t.Parallel()
	p := training(t, "direct")
	o := p.succeed(`{}`)
	full := t.TempDir()
	p.appendOrMake(filepath.Join(full, "x"))
	ask := func(run, step, dir string) error {
		_, err := Reproduce(t.Context(), Repro{Workspace: p.workspace(), Run: run, Step: step, Dir: dir, Now: time.Now})
		return err
	}
	for want, err := range map[string]error{
		"is not empty; name another one":                                      ask(o.Run, "Train", full),
		`has no job of a step "Register"; it has Preprocess, Train, Evaluate`: ask(o.Run, "Register", t.TempDir()),
		"came to no step that is a job":                                       ask("none", "Train", t.TempDir()),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	// What was changed is not laid out.
	data := o.Artifacts[0].Path
	if err := errors.Join(os.Chmod(data, 0o644), os.WriteFile(data, []byte("age,income\n40,low\n50,high\n"), 0o644)); err != nil {
		t.Fatal(err)
	}
	if err := ask(o.Run, "Preprocess", t.TempDir()); err == nil || !strings.Contains(err.Error(), `read input "Raw" of step Preprocess`) {
		t.Errorf("error %v", err)
	}
}

func (p *project) appendOrMake(file string) {
	p.t.Helper()
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		p.t.Fatal(err)
	}
}
