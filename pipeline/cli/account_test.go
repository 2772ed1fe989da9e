package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/mlmax/mlmax/internal/awsfake"
	"github.com/mlmax/mlmax/internal/censustest"
	"github.com/mlmax/mlmax/pipeline/asl"
)

// there runs a command against an account, and returns its exit code and what it wrote.
func there(t *testing.T, account *censustest.Account, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err lockedBuffer
	a := newApp(account.Module.Definition, strings.NewReader(""), &out, &err)
	a.command, a.cloud = "training", account.Options
	workspace := account.Module.Workspace()
	if err := os.MkdirAll(workspace, 0o700); err != nil {
		t.Fatal(err)
	}
	code = a.main(append([]string{"--workspace", workspace}, args...))
	return code, out.String(), err.String()
}

// shows runs a command that must succeed, and whose output must hold some texts.
func shows(t *testing.T, account *censustest.Account, command []string, texts ...string) string {
	t.Helper()
	code, stdout, stderr := there(t, account, command...)
	if code != 0 {
		t.Fatalf("%q ended %d:\n%s", command, code, stderr)
	}
	for _, text := range texts {
		if !strings.Contains(stdout, text) {
			t.Errorf("%q does not say %q, but:\n%s", command, text, stdout)
		}
	}
	return stdout
}

// refuses runs a command that must end so, saying some texts.
func refuses(t *testing.T, account *censustest.Account, want int, command []string, texts ...string) {
	t.Helper()
	code, _, stderr := there(t, account, command...)
	if code != want {
		t.Errorf("%q ended %d, want %d:\n%s", command, code, want, stderr)
	}
	for _, text := range texts {
		if !strings.Contains(stderr, text) {
			t.Errorf("%q does not say %q, but:\n%s", command, text, stderr)
		}
	}
}

func TestAnEmptyEnvironment(t *testing.T) {
	t.Parallel()
	account := censustest.From(t, "testdata/steps").Deploy()
	refuses(t, account, 0, []string{"models", "--env", "dev"}, "dev-census has no version here; train first: training run --env dev")
	refuses(t, account, exitFailed, []string{"models", "show", "1", "--env", "dev"}, "dev-census has no version 1 here\n\thint: see training models --env dev")
	refuses(t, account, exitFailed, []string{"models", "approve", "latest", "--env", "dev", "--by", "A", "--note", "n"}, "hint: train first: training run --env dev")
	refuses(t, account, exitTrouble, []string{"report", "--env", "dev"}, "census-training has no runs in ", "hint: start one with: training run --env dev")
	refuses(t, account, exitTrouble, []string{"report", "nobody", "--env", "dev"}, `environment dev has no run "nobody"`, "hint: see training runs --env dev")
	refuses(t, account, exitTrouble, []string{"logs", "nobody", "--env", "dev"}, `environment dev has no run "nobody"`, "hint: see training runs --env dev")
	refuses(t, account, exitFailed, []string{"lineage", "s3://acme-ml-dev/x/y", "--env", "dev"}, "no run of environment dev has s3://acme-ml-dev/x/y")
	refuses(t, account, exitTrouble, []string{"lineage", "latest", "--region", "eu-west-1"}, "no environment is named\n\thint: say which with --env")
	refuses(t, account, exitTrouble, []string{"models", "--env", "nowhere"}, `census-training has no environment "nowhere"`)
	refuses(t, account, exitTrouble, []string{"logs", "latest", "-f"}, "--follow is for a run on AWS")
}

// TestAnEnvironmentThatWasUsed asks the commands about two runs, of which one failed.
func TestAnEnvironmentThatWasUsed(t *testing.T) {
	t.Parallel()
	account := censustest.From(t, "testdata/steps").Deploy()
	account.Start("first", `{}`)
	if status := account.End("first"); status != asl.Succeeded {
		t.Fatalf("the first run ended %s", status)
	}
	account.Interfere(func(c awsfake.TaskCall) error {
		if c.State == "Train" {
			return awsfake.JobFailsWith("AlgorithmError: no such column")
		}
		return nil
	})
	account.Start("second", `{"Train.Strength":2}`)
	if status := account.End("second"); status != asl.Failed {
		t.Fatalf("the second run ended %s", status)
	}
	dev := func(args ...string) []string { return append(args, "--env", "dev") }

	shows(t, account, dev("models"), "VERSION", "PendingManualApproval", "ROCAUC 0.9")
	shows(t, account, dev("models", "show", "1"), "version 1 of dev-census, PendingManualApproval", "of census-training", "s3://acme-ml-dev/",
		"training models approve 1 --by NAME --note TEXT --env dev", "as it was registered")
	shows(t, account, dev("models", "approve", "1", "--by", "Ada L.", "--note", "as good: as ever"), "version 1 of dev-census is Approved, and was PendingManualApproval")
	shows(t, account, dev("models", "approve", "1", "--by", "Ada L.", "--note", "again"), "version 1 of dev-census is Approved already, since ", "by Ada L.: as good: as ever")
	shows(t, account, dev("models", "show", "latest"), "Ada L.: as good: as ever")
	shows(t, account, dev("models", "reject", "dev-census/1", "--by", "Grace H.", "--note", "stale"), "is Rejected, and was Approved", "no version of dev-census is Approved now")

	shows(t, account, dev("lineage", "first/Train.Model"), "Train.Model", "dev-census/1", "Rejected by Grace H.", "Made from", "Preprocess", "Data")
	shows(t, account, dev("lineage", "1", "--up"), "version dev-census/1")
	var graph struct{ Nodes []struct{ Kind string } }
	if err := json.Unmarshal([]byte(shows(t, account, dev("lineage", "first", "--json"))), &graph); err != nil || len(graph.Nodes) < 5 {
		t.Errorf("%d nodes, error %v", len(graph.Nodes), err)
	}

	page := shows(t, account, dev("report", "first", "--out", "-"), "<!DOCTYPE html>", "SUCCEEDED", "SageMaker", "Evaluate.Report.Accuracy")
	if !regexp.MustCompile(`(?s)training with strength|class="log"|<pre`).MatchString(page) {
		t.Error("the report holds no log")
	}
	shows(t, account, dev("report", "second", "--out", "-"), "FAILED", "AlgorithmError: no such column", "Train")
	var failed struct{ Status, FailedStep, Cause string }
	for _, key := range account.Keys("acme-ml-dev", "runs/census-training/") {
		if m := account.GetObject("acme-ml-dev", key); strings.HasSuffix(key, "/manifest.json") && strings.Contains(string(m), `"FAILED"`) {
			if err := json.Unmarshal(m, &failed); err != nil {
				t.Error(err)
			}
		}
	}
	if failed.FailedStep != "Train" || failed.Cause != "AlgorithmError: no such column" {
		t.Errorf("the manifest of the failed run says %+v", failed)
	}
	early := shows(t, account, dev("lineage", "second"), "FAILED", "step Train of run")
	if strings.Contains(early, "0 B") {
		t.Errorf("the lineage makes sizes up:\n%s", early)
	}
	refuses(t, account, exitFailed, dev("lineage", "nobody"), `environment dev has no run "nobody", and there is no such file`)
	shows(t, account, dev("report"), filepath.Join("aws", "dev", "runs"))

	shows(t, account, dev("logs", "first"), "==> Preprocess, try 1, succeeded <==", "==> Train, try 1, succeeded <==", "==> Evaluate, try 1, succeeded <==")
	one := shows(t, account, dev("logs", "latest", "preprocess"), "==> Preprocess, try 1, succeeded <==")
	if strings.Contains(one, "Train") {
		t.Errorf("the log of one step is:\n%s", one)
	}
	refuses(t, account, exitTrouble, dev("logs", "second", "Evaluate"), "step Evaluate did not begin in run second", "hint: see training logs second --env dev")
	refuses(t, account, exitTrouble, dev("logs", "second", "Evaluat"), `has no step "Evaluat"`, "did you mean Evaluate?")

	account.Interfere(func(c awsfake.TaskCall) error { return awsfake.JobFailsWith("AlgorithmError: no data") })
	account.Start("third", `{}`) // which nobody watches
	if status := account.End("third"); status != asl.Failed {
		t.Fatalf("the third run ended %s", status)
	}
	shows(t, account, dev("lineage", "third", "--up"), "FAILED", "step Preprocess of run")
	shows(t, account, dev("lineage", "latest", "--up"), "FAILED", "step Preprocess of run")
}

// held is an account in which the run r1 is at its step Train, until goOn is closed.
func held(t *testing.T) (account *censustest.Account, goOn chan bool) {
	t.Helper()
	account = censustest.From(t, "testdata/steps").Deploy()
	began, goOn := make(chan bool), make(chan bool)
	account.Interfere(func(c awsfake.TaskCall) error {
		if c.State == "Train" {
			close(began)
			<-goOn
		}
		return nil
	})
	account.Start("r1", `{}`)
	<-began
	return account, goOn
}

func TestLogsFollowARunToItsEnd(t *testing.T) {
	t.Parallel()
	account, goOn := held(t)
	shows(t, account, []string{"report", "latest", "--env", "dev", "--out", "-"}, "RUNNING", "Preprocess.Test", "SUCCEEDED")
	type ended struct {
		code           int
		stdout, stderr string
	}
	done := make(chan ended)
	go func() {
		code, stdout, stderr := there(t, account, "logs", "r1", "-f", "--env", "dev")
		done <- ended{code, stdout, stderr}
	}()
	close(goOn)
	e := <-done
	if e.code != 0 {
		t.Fatalf("it ended %d:\n%s", e.code, e.stderr)
	}
	whole := shows(t, account, []string{"logs", "r1", "--env", "dev"})
	state := regexp.MustCompile(`, (running|succeeded) <==`)
	if got, want := state.ReplaceAllString(e.stdout, " <=="), state.ReplaceAllString(whole, " <=="); got != want {
		t.Errorf("followed:\n%s\nafterwards:\n%s", got, want)
	}
}

func TestLogsAreNoLongerFollowed(t *testing.T) {
	t.Parallel()
	account, goOn := held(t)
	var out, err lockedBuffer
	a := newApp(account.Module.Definition, strings.NewReader(""), &out, &err)
	signals := make(chan os.Signal, 1)
	a.command, a.cloud, a.notify = "training", account.Options, func() (<-chan os.Signal, func()) { return signals, func() {} }
	signals <- os.Interrupt
	if code := a.main([]string{"logs", "r1", "-f", "--env", "dev"}); code != exitInterrupted {
		t.Errorf("it ended %d", code)
	}
	if want := "no longer followed; the run goes on: training status r1 --env dev"; !strings.Contains(err.String(), want) {
		t.Errorf("it does not say %q, but:\n%s", want, err.String())
	}
	close(goOn)
	if status := account.End("r1"); status != asl.Succeeded {
		t.Errorf("the run ended %s", status)
	}
}
