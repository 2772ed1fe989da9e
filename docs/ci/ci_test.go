// Package ci_test holds the workflow files beside it to the commands of this module and to
// the rules by which they are safe: what a pull request says is data, and what may write
// runs nothing of it.
package ci_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.yaml.in/yaml/v3"
)

// A script is a piece of shell in a workflow file.
type script struct{ where, text string }

// A workflow is GitHub's, as far as it is looked at.
type workflow struct {
	On          map[string]any
	Permissions map[string]string
	Env         map[string]string
	Jobs        map[string]job
}

type job struct {
	If          string
	Needs       string
	Environment string
	Permissions map[string]string
	Steps       []struct {
		Name, Uses, Run string
		With            map[string]any
		Env             map[string]string
	}
}

// A buildspec is CodeBuild's.
type buildspec struct {
	Version   float64
	Env       map[string]any
	Phases    map[string]phase
	Artifacts struct{ Files []string }
}

type phase struct {
	Commands  []string
	OnFailure string         `yaml:"on-failure"`
	Runtime   map[string]any `yaml:"runtime-versions"`
}

// decode reads a file; a key that its type lacks is a mistake where known says so.
func decode(t *testing.T, file string, into any, known bool) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(known)
	if err := d.Decode(into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

func github(t *testing.T) workflow {
	t.Helper()
	var w workflow
	decode(t, "github-actions.yml", &w, false)
	return w
}

// scripts are those of all files.
func scripts(t *testing.T) []script {
	t.Helper()
	var all []script
	jobs := github(t).Jobs
	for _, name := range slices.Sorted(maps.Keys(jobs)) {
		for i, s := range jobs[name].Steps {
			if s.Run != "" {
				all = append(all, script{fmt.Sprintf("github-actions.yml: job %s, step %d", name, i+1), s.Run})
			}
		}
	}
	files, err := filepath.Glob("buildspec-*.yml")
	if err != nil || len(files) != 2 {
		t.Fatalf("buildspecs are %v (%v)", files, err)
	}
	for _, file := range files {
		var b buildspec
		decode(t, file, &b, true)
		if b.Version != 0.2 || b.Phases["build"].OnFailure != "ABORT" {
			t.Errorf("%s: version %v; a build that failed goes on", file, b.Version)
		}
		for i, command := range b.Phases["build"].Commands {
			if !strings.HasPrefix(command, "set -euo pipefail\n") {
				t.Errorf("%s: command %d does not end at its first failure", file, i+1)
			}
			all = append(all, script{fmt.Sprintf("%s: command %d", file, i+1), command})
		}
	}
	return all
}

// find is the text of a script.
func find(t *testing.T, where string) string {
	t.Helper()
	for _, s := range scripts(t) {
		if s.where == where {
			return s.text
		}
	}
	t.Fatalf("there is no %s", where)
	return ""
}

// built is the folder of the commands that the files run, once they are built.
var built string

// binaries builds them.
var binaries = sync.OnceValues(func() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "ci-test-"); err != nil {
		return "", err
	}
	built = dir
	c := exec.Command("go", "build", "-o", dir+"/", "./cmd/mlmaxgen", "./generated/training", "./generated/inference")
	c.Dir = "../.."
	if out, err := c.CombinedOutput(); err != nil {
		return dir, fmt.Errorf("%w\n%s", err, out)
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if built != "" {
		os.RemoveAll(built)
	}
	os.Exit(code)
}

// ours is a command of this module that begins a line of a script.
var ours = regexp.MustCompile(`(?m)^\s*"?bin/(mlmaxgen|training|inference|\$PIPELINE|\$pipeline)"? ([a-z]+)([^\n>|]*)`)

// TestCommandsExist asks the built commands whether they have the verbs and flags that the
// files use.
func TestCommandsExist(t *testing.T) {
	t.Parallel()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	for _, s := range scripts(t) {
		for _, match := range ours.FindAllStringSubmatch(s.text, -1) {
			names := []string{match[1]}
			if strings.HasPrefix(match[1], "$") {
				names = []string{"training", "inference"}
			}
			for _, name := range names {
				help, err := exec.Command(filepath.Join(bin, name), match[2], "--help").Output()
				if err != nil {
					t.Errorf("%s: %s %s: %v", s.where, name, match[2], err)
				}
				if !strings.Contains(string(help), name+" "+match[2]+" ") {
					t.Errorf("%s: %s has no command %s", s.where, name, match[2])
				}
				for _, word := range strings.Fields(match[3]) {
					if flag, ok := strings.CutPrefix(word, "--"); ok && !regexp.MustCompile(`(?m)^\s+(-\w, )?--`+flag+`\b`).Match(help) {
						t.Errorf("%s: %s %s has no flag --%s", s.where, name, match[2], flag)
					}
				}
			}
			found[match[2]]++
		}
	}
	for _, verb := range []string{"check", "plan", "deploy"} {
		if found[verb] < 2 {
			t.Errorf("%s is used %d times: once on GitHub and once in CodeBuild is the least", verb, found[verb])
		}
	}
}

// TestScriptsAreShell has bash read each script.
func TestScriptsAreShell(t *testing.T) {
	t.Parallel()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash here")
	}
	for _, s := range scripts(t) {
		c := exec.Command(bash, "-n")
		c.Stdin = strings.NewReader(s.text)
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", s.where, err, out)
		}
	}
}

// TestScriptsTakeNothingIn demands that no expression is put into a script's text: that is
// how a branch's name becomes a command.
func TestScriptsTakeNothingIn(t *testing.T) {
	t.Parallel()
	for _, s := range scripts(t) {
		if strings.Contains(s.text, "${{") || strings.Contains(s.text, "eval ") {
			t.Errorf("%s: an expression is put into the script", s.where)
		}
	}
}

// TestPermissions demands that a job may do what it is for, and nothing else.
func TestPermissions(t *testing.T) {
	t.Parallel()
	w := github(t)
	if _, dangerous := w.On["pull_request_target"]; dangerous || len(w.On) != 2 {
		t.Errorf("it starts on %v", w.On)
	}
	if len(w.Permissions) != 0 {
		t.Errorf("jobs that say nothing may %v", w.Permissions)
	}
	want := map[string]string{
		"check": "contents: read", "plan": "contents: read", "comment": "pull-requests: write", "deploy": "contents: read, id-token: write",
	}
	if len(w.Jobs) != len(want) {
		t.Errorf("there are %d jobs, want %d", len(w.Jobs), len(want))
	}
	for name, j := range w.Jobs {
		var may []string
		for key, value := range j.Permissions {
			may = append(may, key+": "+value)
		}
		slices.Sort(may)
		if got := strings.Join(may, ", "); got != want[name] {
			t.Errorf("job %s may %q, want %q", name, got, want[name])
		}
		for _, s := range j.Steps {
			if strings.HasPrefix(s.Uses, "actions/checkout@") && s.With["persist-credentials"] != false {
				t.Errorf("job %s leaves the token in the tree", name)
			}
			if strings.HasPrefix(s.Uses, "actions/checkout@") && name == "comment" {
				t.Errorf("job %s can write, and has code of the pull request", name)
			}
			if s.Uses != "" && !regexp.MustCompile(`^(actions|aws-actions)/[a-z-]+@(v\d+|[0-9a-f]{40})$`).MatchString(s.Uses) {
				t.Errorf("job %s uses %s", name, s.Uses)
			}
		}
	}
	if d := w.Jobs["deploy"]; d.Environment == "" || !strings.Contains(d.If, "refs/heads/main") || d.Needs != "check" {
		t.Errorf("deploy runs in environment %q if %s, after %s", d.Environment, d.If, d.Needs)
	}
	if !strings.Contains(w.Jobs["comment"].If, "head.repo.full_name == github.repository") {
		t.Error("a fork's pull request would be commented, for which its token has no right")
	}
}

// run runs a script in a folder as a runner does, with commands of this module in bin/.
func run(t *testing.T, dir, text string, env ...string) (string, error) {
	t.Helper()
	c := exec.Command("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", text)
	c.Dir = dir
	c.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}, env...)
	out, err := c.CombinedOutput()
	return string(out), err
}

// repository is one with the shipped pipelines, in which a branch changes a script and others
// have merged a change of another meanwhile. What is checked out is what a merge would make.
func repository(t *testing.T) (dir string) {
	t.Helper()
	for _, program := range []string{"git", "bash"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("no %s here", program)
		}
	}
	dir = t.TempDir()
	for _, name := range []string{"generated", "specs/census/steps"} {
		if err := os.CopyFS(filepath.Join(dir, name), os.DirFS(filepath.Join("../..", name))); err != nil {
			t.Fatal(err)
		}
	}
	text := `echo 'module github.com/mlmax/mlmax' >go.mod
git init -q -b main && git config user.name a && git config user.email a@example.com && git config commit.gpgsign false
git add -A && git commit -q -m base && git update-ref refs/remotes/origin/main HEAD && git checkout -q -b topic
echo 'print(2)' >specs/census/steps/train/train.py && git commit -q -a -m topic
git checkout -q main && echo 'print(3)' >specs/census/steps/evaluate/evaluate.py && git commit -q -a -m others && git update-ref refs/remotes/origin/main HEAD
git checkout -q --detach && git merge -q --no-ff -m merge topic`
	if out, err := run(t, dir, text); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

// builds takes the place of building: what "go build -o bin/X" would make is there already.
func builds(t *testing.T, dir string) string {
	t.Helper()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "tools"), 0o755), os.Symlink(bin, filepath.Join(dir, "bin")),
		os.WriteFile(filepath.Join(dir, "tools/go"), []byte("#!/bin/sh\nexit 0\n"), 0o755)); err != nil {
		t.Fatal(err)
	}
	return "PATH=" + filepath.Join(dir, "tools") + ":" + os.Getenv("PATH")
}

// TestPlanScripts runs the scripts that make plans, of GitHub's file and CodeBuild's, on a
// branch that changes a step's script.
func TestPlanScripts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, where, plan string }{
		{"github", "github-actions.yml: job plan, step 3", "plan.md"},
		{"codebuild", "buildspec-pull-request.yml: command 2", "plan-training.md"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := repository(t)
			text := find(t, c.where)
			out, err := run(t, dir, text, builds(t, dir), "PIPELINE=training", "PIPELINES=training inference", "ENVIRONMENT=dev",
				"CODEBUILD_WEBHOOK_BASE_REF=refs/heads/main", "GITHUB_STEP_SUMMARY="+filepath.Join(dir, "summary.md"))
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			plan, err := os.ReadFile(filepath.Join(dir, c.plan))
			if err != nil || !strings.HasPrefix(string(plan), "<!-- mlmax plan: census-training dev -->\n") || !strings.Contains(string(plan), "| `Train` | changed | code |") || strings.Contains(string(plan), "Evaluate") {
				t.Errorf("%v\n%s", err, plan)
			}
			if out, err := run(t, dir, text, "PATH="+filepath.Join(dir, "tools")+":"+os.Getenv("PATH"), "PIPELINE=training", "PIPELINES=training",
				"ENVIRONMENT=nowhere", "CODEBUILD_WEBHOOK_BASE_REF=refs/heads/main", "GITHUB_STEP_SUMMARY=/dev/null"); err == nil {
				t.Errorf("trouble does not fail the job:\n%s", out)
			}
		})
	}
}

// TestCommentScript runs the script that writes the comment against a gh that notes what it
// is asked for: there is no GitHub here.
func TestCommentScript(t *testing.T) {
	t.Parallel()
	text := find(t, "github-actions.yml: job comment, step 2")
	const marker = "<!-- mlmax plan: census-training dev -->"
	long := marker + "\n### Plan\n\n1 step differs.\n" + strings.Repeat("x", 70000)
	for _, c := range []struct{ name, plan, id, want, body string }{
		{"first", marker + "\nplan\n", "", "--method POST repos/o/r/issues/7/comments", "plan"},
		{"again", marker + "\nplan\n", "42", "--method PATCH repos/o/r/issues/comments/42", "plan"},
		{"long", long, "", "--method POST", "The plan is too long for a comment"},
		{"no plan", "@everyone\n", "42", "", ""},
		{"empty", "", "42", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			gh := "#!/bin/sh\necho \"$@\" >>calls\n[ \"$2\" = --paginate ] && echo $ID\ncp plan.md body\nexit 0\n"
			if err := errors.Join(os.WriteFile(filepath.Join(dir, "gh"), []byte(gh), 0o755), os.WriteFile(filepath.Join(dir, "plan.md"), []byte(c.plan), 0o644)); err != nil {
				t.Fatal(err)
			}
			out, err := run(t, dir, text, "PATH="+dir+":"+os.Getenv("PATH"), "ID="+c.id, "REPOSITORY=o/r", "NUMBER=7")
			if (err == nil) != (c.want != "") {
				t.Fatalf("%v\n%s", err, out)
			}
			calls, _ := os.ReadFile(filepath.Join(dir, "calls"))
			body, _ := os.ReadFile(filepath.Join(dir, "body"))
			if !strings.Contains(string(calls), c.want) || !strings.Contains(string(body), c.body) || len(body) > 65536 || c.want == "" && len(calls) > 0 {
				t.Errorf("calls:\n%s\nbody:\n%.200s", calls, body)
			}
		})
	}
}

// TestCodeBuildCommentScript does the same for CodeBuild's, with a curl that notes what it
// is asked for.
func TestCodeBuildCommentScript(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("jq"); err != nil {
		t.Skip("no jq here")
	}
	text := find(t, "buildspec-pull-request.yml: command 3")
	const marker = "<!-- mlmax plan: census-training dev -->"
	for _, c := range []struct{ name, plan, comments, want string }{
		{"first", marker + "\nplan\n", `[{"id": 1, "body": "other"}]`, "--data @body.json https://api.github.com/repos/o/r/issues/7/comments"},
		{"again", marker + "\nplan\n", `[{"id": 1, "body": "other"}, {"id": 42, "body": "` + marker + `\nold"}]`, "--request PATCH --data @body.json https://api.github.com/repos/o/r/issues/comments/42"},
		{"no plan", "x\n", `[]`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			curl := "#!/bin/sh\necho \"$@\" >>calls\ncat comments.json\n"
			if err := errors.Join(os.WriteFile(filepath.Join(dir, "curl"), []byte(curl), 0o755), os.WriteFile(filepath.Join(dir, "plan-training.md"), []byte(c.plan), 0o644),
				os.WriteFile(filepath.Join(dir, "comments.json"), []byte(c.comments), 0o644)); err != nil {
				t.Fatal(err)
			}
			out, err := run(t, dir, text, "PATH="+dir+":"+os.Getenv("PATH"), "PIPELINES=training", "GH_TOKEN=secret",
				"CODEBUILD_SOURCE_REPO_URL=https://github.com/o/r.git", "CODEBUILD_SOURCE_VERSION=pr/7")
			if (err == nil) != (c.want != "") {
				t.Fatalf("%v\n%s", err, out)
			}
			calls, _ := os.ReadFile(filepath.Join(dir, "calls"))
			if !strings.Contains(string(calls), c.want) || strings.Contains(string(calls)+out, "secret") {
				t.Errorf("calls:\n%s\n%s", calls, out)
			}
		})
	}
}
