package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mlmax/mlmax/generated/training/training"
	"github.com/mlmax/mlmax/internal/awsfake"
	"github.com/mlmax/mlmax/pipeline/cloud"
	"github.com/mlmax/mlmax/pipeline/cloud/stack"
	"github.com/mlmax/mlmax/pipeline/delta"
)

// A tree is a module with the census example in a git repository of its own.
type tree struct {
	t   *testing.T
	dir string
}

func newTree(t *testing.T) *tree {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("no git here")
	}
	r := &tree{t, t.TempDir()}
	for _, dir := range []string{"generated/training", "specs/census/steps"} {
		if err := os.CopyFS(filepath.Join(r.dir, dir), os.DirFS(filepath.Join("../..", dir))); err != nil {
			t.Fatal(err)
		}
	}
	r.write("go.mod", "module github.com/mlmax/mlmax\n")
	r.git("init", "-q", "-b", "main")
	r.git("add", "-A")
	r.git("commit", "-q", "-m", "the pipeline")
	return r
}

func (r *tree) git(args ...string) {
	r.t.Helper()
	c := exec.Command("git", append([]string{"-C", r.dir, "-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"}, args...)...)
	if out, err := c.CombinedOutput(); err != nil {
		r.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func (r *tree) write(name, text string) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, filepath.FromSlash(name)), []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// training runs the built command there, in an environment without AWS.
func (r *tree) training(args ...string) (code int, stdout, stderr string) {
	r.t.Helper()
	return r.command([]string{"AWS_ENDPOINT_URL=http://127.0.0.1:1", "AWS_EC2_METADATA_DISABLED=true"}, args...)
}

// command runs the built command there, with more variables.
func (r *tree) command(env []string, args ...string) (code int, stdout, stderr string) {
	r.t.Helper()
	c := exec.Command("training", args...)
	c.Dir = r.dir
	c.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + r.dir, "STEPS=py"}, env...)
	var out, said bytes.Buffer
	c.Stdout, c.Stderr = &out, &said
	err := c.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), out.String(), said.String()
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return 0, out.String(), said.String()
}

// TestPlanOffline runs the built command, with nothing of AWS to be had.
func TestPlanOffline(t *testing.T) {
	t.Parallel()
	r := newTree(t)
	code, out, said := r.training("plan", "--env", "dev", "--offline")
	if code != 0 || !strings.Contains(out, "Nothing would change") || !strings.Contains(out, "(HEAD)") || said != "" {
		t.Errorf("unchanged: exit code %d\n%s%s", code, out, said)
	}
	r.git("checkout", "-q", "-b", "topic")
	r.write("specs/census/steps/train/train.py", "print('another')\n")
	r.write("specs/census/steps/train/.note", "none of the code's\n")
	code, out, _ = r.training("plan", "--env", "dev", "--offline")
	if code != 1 || !strings.Contains(out, "~ Train\n      code  ") || strings.Contains(out, "Preprocess") {
		t.Errorf("a changed script: exit code %d\n%s", code, out)
	}
	r.git("add", "-A")
	r.git("commit", "-q", "-m", "another script")
	code, out, _ = r.training("plan", "--env", "dev", "--offline", "--json")
	var p delta.Plan
	if err := json.Unmarshal([]byte(out), &p); err != nil || code != 1 {
		t.Fatalf("exit code %d, %v\n%s", code, err, out)
	}
	if len(p.Steps) != 1 || p.Steps[0].Name != "Train" || p.Steps[0].Differs[0].Name != "code" || !strings.Contains(p.Against, "left main") {
		t.Errorf("the plan is %s", out)
	}
	if code, out, _ = r.training("plan", "--env", "dev", "--offline", "--against", "HEAD"); code != 0 {
		t.Errorf("against HEAD: exit code %d\n%s", code, out)
	}
	code, out, _ = r.training("plan", "--env", "dev", "--offline", "--markdown", "--against", "main")
	if code != 1 || !strings.HasPrefix(out, "<!-- mlmax plan: census-training dev -->\n### Plan for `census-training` in `dev`\n") {
		t.Errorf("Markdown: exit code %d\n%s", code, out)
	}
}

func TestPlanMistakes(t *testing.T) {
	t.Parallel()
	r := newTree(t)
	for _, c := range []struct {
		args string
		want string
	}{
		{"plan", "no environment is named"},
		{"plan --offline", "no environment is named"},
		{"plan --offline --env nowhere", `has no environment "nowhere"`},
		{"plan --offline --env dev --against nowhere", `git knows no revision "nowhere"`},
		{"plan --env dev --against main", "add --offline"},
		{"plan --env dev --offline --profile x", "leave one of them out"},
		{"plan --env dev --offline --json --markdown", "none of the others can be"},
		{"plan --env dev", "credentials"},
	} {
		code, out, said := r.training(strings.Fields(c.args)...)
		if code != 2 || out != "" || !strings.Contains(said, c.want) {
			t.Errorf("%s: exit code %d, want 2 and %q\n%s%s", c.args, code, c.want, out, said)
		}
	}
	r.write("specs/census/steps/train/train.py", "print(2)\n")
	if err := os.RemoveAll(filepath.Join(r.dir, ".git")); err != nil {
		t.Fatal(err)
	}
	if code, _, said := r.training("plan", "--env", "dev", "--offline"); code != 2 || !strings.Contains(said, "has to be in a git repository") {
		t.Errorf("without a repository: exit code %d\n%s", code, said)
	}
}

// TestPlanOfAStack compares with what is deployed in an account, which is as it was
// afterwards.
func TestPlanOfAStack(t *testing.T) {
	r := newTree(t)
	t.Chdir(r.dir)
	w := awsfake.New(awsfake.Options{}, "acme-ml-dev")
	server := w.Serve()
	t.Cleanup(server.Close)
	for _, v := range w.Env(server.URL) {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
	plan := func() (code int, out string) {
		t.Helper()
		var stdout, stderr bytes.Buffer
		code = newApp(training.Definition(), nil, &stdout, &stderr).main([]string{"plan", "--env", "dev"})
		if code == 2 {
			t.Fatal(stderr.String())
		}
		return code, stdout.String()
	}
	if code, out := plan(); code != 1 || !strings.Contains(out, "nothing is deployed yet") {
		t.Errorf("before the first deployment: exit code %d\n%s", code, out)
	}
	for _, call := range w.Calls() {
		if strings.Contains(call.Action, "ChangeSet") {
			t.Errorf("for a stack that is not there %s was called", call.Action)
		}
	}
	deploy(t, r.dir)
	if code, out := plan(); code != 0 || !strings.Contains(out, "Nothing would change") {
		t.Errorf("after it: exit code %d\n%s", code, out)
	}
	r.write("specs/census/steps/train/train.py", "print('another')\n")
	deployed := len(w.Calls())
	code, out := plan()
	if code != 1 || !strings.Contains(out, "~ Train\n      code  ") || !strings.Contains(out, "~ Machine  AWS::StepFunctions::StateMachine  changed in place") {
		t.Errorf("a changed script: exit code %d\n%s", code, out)
	}
	var calls []string
	for _, call := range w.Calls()[deployed:] {
		calls = append(calls, call.Action)
	}
	said := strings.Join(calls, " ")
	if !strings.Contains(said, "CreateChangeSet") || !strings.Contains(said, "DeleteChangeSet") || strings.Contains(said, "ExecuteChangeSet") {
		t.Errorf("calls were %s", said)
	}
	if code, again := plan(); code != 1 || again != out {
		t.Errorf("once more: exit code %d\n%s", code, again)
	}
}

// deploy makes the stack of the tree in the folder.
func deploy(t *testing.T, module string) {
	t.Helper()
	d := training.Definition()
	p, err := cloud.Open(t.Context(), cloud.Target{Definition: d, Environment: "dev", Command: "training"}, cloud.Options{})
	if err != nil {
		t.Fatal(err)
	}
	code, err := cloud.Tree(d, module)
	if err != nil {
		t.Fatal(err)
	}
	want, err := stack.Wanted(t.Context(), p, nil, cloud.Digests(code), "")
	if err != nil {
		t.Fatal(err)
	}
	display := stack.Plain(io.Discard)
	defer display.Close()
	set, err := stack.New(p, display).Propose(t.Context(), nil, want)
	if err != nil || set == nil {
		t.Fatalf("no change set: %v", err)
	}
	if _, err := set.Execute(t.Context()); err != nil {
		t.Fatal(err)
	}
}
