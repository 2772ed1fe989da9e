package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mlmax/mlmax/internal/awsfake"
	"github.com/mlmax/mlmax/internal/censustest"
	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/cloud"
)

// An accountTest is a module, an account, and the real command between them.
type accountTest struct {
	*censustest.Module
	t     *testing.T
	world *awsfake.World
	url   string
}

func newAccountTest(t *testing.T) *accountTest {
	t.Helper()
	w := awsfake.New(awsfake.Options{}, "acme-ml-dev")
	server := w.Serve()
	t.Cleanup(func() {
		server.Close()
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	a := &accountTest{Module: censustest.From(t, "testdata/steps"), t: t, world: w, url: server.URL}
	a.Write("go.mod", "module github.com/mlmax/mlmax\n", 0o644)
	return a
}

// deploy deploys what the module has.
func (a *accountTest) deploy() {
	a.t.Helper()
	p, err := cloud.Open(a.t.Context(), cloud.Target{Definition: a.Definition, Environment: "dev", Command: "training"}, cloud.Options{
		Load: awsfake.Config(a.url),
	})
	if err != nil {
		a.t.Fatal(err)
	}
	a.DeployTo(a.world, p)
}

// command is the real command, in the module and the account.
func (a *accountTest) command(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, "training", args...)
	c.Dir = a.Dir
	c.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + a.Dir, "TZ=UTC"}, a.world.Env(a.url)...)
	return c
}

// does runs the command, which must exit with a code and write what patterns say, to
// either stream. It returns both.
func (a *accountTest) does(code int, args string, patterns ...string) (stdout, stderr string) {
	a.t.Helper()
	var out, told bytes.Buffer
	c := a.command(a.t.Context(), strings.Fields(args)...)
	c.Stdout, c.Stderr = &out, &told
	err := c.Run()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		a.t.Fatal(err)
	}
	if got := c.ProcessState.ExitCode(); got != code {
		a.t.Errorf("%s: exit code %d, want %d\n%s%s", args, got, code, out.String(), told.String())
	}
	for _, p := range patterns {
		if !regexp.MustCompile("(?m)" + p).MatchString(out.String() + told.String()) {
			a.t.Errorf("%s: no %s in\n%s%s", args, p, out.String(), told.String())
		}
	}
	return out.String(), told.String()
}

// TestRunsOnAWS is what a person does with runs, through the real command.
func TestRunsOnAWS(t *testing.T) {
	t.Parallel()
	a := newAccountTest(t)
	broken := filepath.Join(a.Dir, "broken")
	train := "specs/census/steps/train/train.sh"
	script, err := os.ReadFile(filepath.Join(a.Dir, train))
	if err != nil {
		t.Fatal(err)
	}
	breakable := strings.Replace(string(script), "set -eu\n", "set -eu\necho 'fitting \x1b[1mmodel'\n[ ! -e '"+broken+"' ] || { echo 'ValueError: no column age' >&2; exit 3; }\n", 1)
	a.Write(train, breakable, 0o755)

	a.does(2, "run --env dev", `^census-training: pipeline census-training is not deployed in eu-west-1/123456789012$`, `hint: training deploy --env dev$`)
	a.does(2, "runs --env dev", `is not deployed in eu-west-1/123456789012$`)
	a.deploy()
	a.does(2, "watch --env dev", `census-training has no runs in eu-west-1/123456789012$`, `hint: start one with: training run --env dev$`)

	out, told := a.does(0, "run --env dev --run r1 --data specs/census/testdata/census.csv",
		`^uploading census.csv`, `^Run r1 started: https://eu-west-1.console.aws.amazon.com/states/home\?region=eu-west-1#/v2/executions/details/arn:aws:states:eu-west-1:123456789012:execution:dev-census-training:r1$`,
		`^census-training: run [0-9a-f]{12} started$`, `^Preprocess: started$`, `^Register: done in `, `^census-training SUCCEEDED in .* \(run [0-9a-f]{12}\)$`,
		`^  Evaluate.Report.ROCAUC +0.9$`, `^  Data +[0-9.]+ k?B +s3://acme-ml-dev/data/[0-9a-f]{64}/census.csv$`, `registered as version 1 of dev-census, PendingManualApproval`,
		`^  training models approve 1 --by NAME --note TEXT --env dev +let others take`, `^  training logs r1 --env dev +what its steps wrote$`, `^  training runs --env dev +all runs of this environment$`)
	if !strings.Contains(out, "SUCCEEDED") || strings.Contains(told, "Console") {
		t.Errorf("standard output is\n%s\nstandard error\n%s", out, told)
	}
	a.does(0, "run --env dev --run r1 --data specs/census/testdata/census.csv", `^Run r1 was started before, with the same values; this is that one$`, `SUCCEEDED`)
	a.does(2, "run --env dev --run r1", `^census-training: run r1 exists with other inputs; choose another --run$`)
	a.does(2, "run --env dev --data s3://acme-ml-dev/data/none.csv", `data for "Data" is missing: there is no s3://acme-ml-dev/data/none.csv; nothing was started$`, `hint: upload what is on this machine: training run --env dev --data specs/census/testdata/census.csv$`)
	a.does(2, "run --env dev --run latest --data go.mod", `^census-training: --run: "latest" cannot be the name of a run`)
	a.does(2, "run --env dev --run= --data go.mod", `^census-training: --run: "" cannot be the name of a run`)
	if keys := strings.Join(a.world.Keys("acme-ml-dev", "data/"), " "); strings.Contains(keys, "go.mod") {
		t.Errorf("something was uploaded for a run that cannot be: %s", keys)
	}
	a.does(1, "run --env dev --min-rocauc 2", `above its maximum 1`, `nothing was started`)

	if err := os.WriteFile(broken, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, told = a.does(1, "run --env dev --run r2", `^Train: failed after `,
		`^census-training FAILED in `, `^  in step Train: AlgorithmError: ExecuteUserScriptError:$`, `^  ErrorMessage "ValueError: no column age"$`, `; log: /aws/sagemaker/TrainingJobs dev-census-training-train-[0-9a-f]{12}-0-0/$`, `^  \(States.TaskFailed\)$`,
		`^    \| fitting model$`, `^    \| ValueError: no column age$`, `^Console$`,
		`^  execution  https://eu-west-1.console.aws.amazon.com/states/`, `^  job        https://eu-west-1.console.aws.amazon.com/sagemaker/home\?region=eu-west-1#/jobs/dev-census-training-train-`,
		`^  log        https://eu-west-1.console.aws.amazon.com/cloudwatch/`,
		`^  training logs r2 Train --env dev +what the step wrote$`, `^  training resume r2 --env dev +go on with its code and input; what is complete is kept \(until 20\d\d-\d\d-\d\d\)$`)
	if strings.Contains(told, "\x1b") {
		t.Error("a control character reached the terminal")
	}
	a.does(1, "status r2 --env dev", `^census-training FAILED in `, `ValueError: no column age`)
	if err := os.Remove(broken); err != nil {
		t.Fatal(err)
	}

	a.Write(train, breakable+"# edited\n", 0o755)
	a.does(2, "run --env dev", `^census-training: what is deployed in dev is not what this work tree has; nothing was started$`, `^	step Train: deployed [0-9a-f]{12}, here [0-9a-f]{12}$`,
		`hint: deploy it: training deploy --env dev; or run what is deployed: training run --deployed --env dev$`)
	a.does(2, "resume r2 --env dev", `^census-training: run r2 goes on with what it was started with, which is not what this work tree has; nothing was done$`, `^	step Train: started with [0-9a-f]{12}, here [0-9a-f]{12}$`)
	_, told = a.does(0, "resume r2 --env dev --same-code", `^Run r2 goes on: https://`, `^Preprocess: cached in .* \(complete before the run was resumed\)$`, `^Train: started$`, `^census-training SUCCEEDED in `)
	if strings.Contains(told, "Preprocess: started") {
		t.Errorf("what was over was told again:\n%s", told)
	}
	a.does(2, "resume r2 --env dev --same-code", `run r2 succeeded: nothing of it is left to do$`, `hint: start another: training run --env dev$`)

	out, _ = a.does(0, "run --env dev --deployed --min-rocauc 0.95 --json")
	var o pipeline.Outcome
	if err := json.Unmarshal([]byte(out), &o); err != nil || o.Status != pipeline.Succeeded || o.NotRegistered == "" || !regexp.MustCompile(`^\d{8}-\d{6}-[0-9a-f]{8}$`).MatchString(o.Execution) {
		t.Errorf("outcome is %s (%v)", out, err)
	}
	out, _ = a.does(0, "status "+o.Run+" --env dev --json")
	var again pipeline.Outcome
	if err := json.Unmarshal([]byte(out), &again); err != nil || again.Execution != o.Execution || again.Run != o.Run {
		t.Errorf("status is %s (%v)", out, err)
	}
	a.does(0, "runs --env dev", `^RUN +ID +PIPELINE +STARTED +SECONDS +STATUS\n`+o.Execution+` +`+o.Run+` .*\nr2 +[0-9a-f]{12} +census-training .* SUCCEEDED\nr1 +[0-9a-f]{12} +census-training .* SUCCEEDED\n$`)
	a.does(0, "runs --env dev --limit 1 --json", `"run": "`+o.Run+`",\n +"execution": "`+o.Execution+`"`)
	a.does(2, "status nobody --env dev", `census-training has no run "nobody" in dev \(eu-west-1/123456789012\)`)
	a.does(0, "stop r1 --env dev", `^run r1 had ended SUCCEEDED; nothing was stopped$`)
}

// TestDetachStopAndResume interrupts the command, and then stops what goes on.
func TestDetachStopAndResume(t *testing.T) {
	t.Parallel()
	a := newAccountTest(t)
	hold := filepath.Join(a.Dir, "hold")
	if err := os.WriteFile(hold, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	preprocess := "specs/census/steps/preprocess/preprocess.sh"
	script, err := os.ReadFile(filepath.Join(a.Dir, preprocess))
	if err != nil {
		t.Fatal(err)
	}
	a.Write(preprocess, "while [ -e '"+hold+"' ]; do sleep 0.05; done\n"+string(script), 0o644)
	a.deploy()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := a.command(ctx, "run", "--env", "dev", "--run", "r1")
	said := censustest.NewUntil("Preprocess: started")
	c.Stderr, c.Stdout = said, io.Discard
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-said.Seen:
	case <-ctx.Done():
		t.Fatalf("no step started:\n%s", said)
	}
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait() // its exit code says more
	if code := c.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{"\nRun r1 goes on, and is no longer watched\n", "\n  training watch r1 --env dev\n", "\n  training stop r1 --env dev\n"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("no %q in\n%s", want, said)
		}
	}
	a.does(0, "status --env dev", `^census-training RUNNING in `, `^  Preprocess  running`, `^  training watch r1 --env dev +follow it to its end$`)
	a.does(2, "resume r1 --env dev", `run r1 is still running, since \d\d:\d\d$`, `hint: training watch r1 --env dev$`)
	a.does(0, "stop r1 --env dev", `^run r1 is ABORTED; to go on with it \(until 20\d\d-\d\d-\d\d\): training resume r1 --env dev$`)
	a.does(1, "watch r1 --env dev", `^census-training ABORTED in `, `stopped by arn:aws:iam::123456789012:user/ada: training stop r1 --env dev`)
	if err := os.Remove(hold); err != nil {
		t.Fatal(err)
	}
	a.does(0, "resume r1 --env dev", `^Preprocess: started$`, `^census-training SUCCEEDED in `)
}

func TestFlagsOfAnotherPlaceAreRefused(t *testing.T) {
	t.Parallel()
	a := newAccountTest(t)
	a.does(2, "run --env dev --no-cache", `--no-cache has no meaning here$`, `hint: it is of runs on this machine: leave out --env, or --no-cache$`)
	a.does(2, "run --deployed", `--deployed has no meaning here$`, `hint: it is of AWS: say with --env which environment, or leave out --deployed$`)
	a.does(2, "runs --region eu-west-1", `--region has no meaning here$`)
	a.does(2, "resume x --env dev --from Train", `--from has no meaning here$`)
	a.does(2, "status", `no environment is named$`, `hint: say which with --env; this pipeline has dev`)
	a.does(2, "stop --env dev", `takes RUN$`, `hint: training stop latest --env dev$`)
	a.does(2, "logs --env dev", `takes RUN and perhaps STEP$`, `hint: training logs latest --env dev$`)
	a.does(2, "resume --env dev", `takes RUN$`, `hint: training resume latest --env dev$`)
	if calls := a.world.Calls(); len(calls) > 0 {
		t.Errorf("AWS was called: %v", calls)
	}
}
