package awsfake

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// cli is the AWS CLI from PyPI, as tools/aws installs it, and a world that it talks to.
type cli struct {
	program string
	env     []string
	dir     string
}

// newCLI finds the AWS CLI, or skips the test. Where MLMAX_NEED_AWSCLI is 1 it must be there.
func newCLI(t *testing.T, w *World, url string) *cli {
	if testing.Short() {
		t.Skip("each command of the AWS CLI takes half a second of Python")
	}
	program, err := filepath.Abs("../../.tools/aws/bin/aws")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(program); err != nil {
		if os.Getenv("MLMAX_NEED_AWSCLI") == "1" {
			t.Fatalf("the AWS CLI is not installed (run tools/aws): %v", err)
		}
		t.Skip("the AWS CLI is not installed: run tools/aws")
	}
	// Nothing of the person who runs the test is told to the CLI.
	return &cli{program, append(w.Env(url), "PATH="+os.Getenv("PATH"), "HOME="+t.TempDir(), "AWS_PAGER=", "AWS_DEFAULT_OUTPUT=json"), t.TempDir()}
}

// run runs one command and returns what it printed, and the error's text if it failed.
func (c *cli) run(args ...string) (stdout, failed string) {
	cmd := exec.Command(c.program, args...)
	cmd.Env, cmd.Dir = c.env, c.dir
	var out, told bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &told
	if err := cmd.Run(); err != nil {
		return out.String(), strings.TrimSpace(told.String())
	}
	return out.String(), ""
}

// must runs one command that has to succeed.
func (c *cli) must(t *testing.T, args ...string) string {
	t.Helper()
	out, failed := c.run(args...)
	if failed != "" {
		t.Fatalf("aws %s: %s", strings.Join(args, " "), failed)
	}
	return out
}

// answer runs one command and decodes what it printed.
func (c *cli) answer(t *testing.T, args ...string) map[string]any {
	t.Helper()
	out := c.must(t, args...)
	var v map[string]any
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		t.Fatalf("aws %s printed %q: %v", strings.Join(args, " "), out, err)
	}
	return v
}

// TestCLI drives the account with a client that others have written.
func TestCLI(t *testing.T) {
	t.Parallel()
	w := New(Options{}, "bucket")
	c := newCLI(t, w, serve(t, w))
	if got := c.answer(t, "sts", "get-caller-identity"); got["Account"] != w.Account || got["Arn"] != w.Caller() {
		t.Errorf("%v", got)
	}
	for name, drive := range map[string]func(*testing.T, *World){"s3": c.objects, "logs": c.logs, "sagemaker": c.registry} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			drive(t, w)
		})
	}
}

// objects copies small and large files there and back, lists and deletes them.
func (c *cli) objects(t *testing.T, w *World) {
	large := bytes.Repeat([]byte("0123456789abcdef"), 17<<20/16)
	for name, content := range map[string][]byte{"small.csv": []byte("a,b\n"), "large.bin": large} {
		if err := os.WriteFile(filepath.Join(c.dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
		c.must(t, "s3", "cp", "--only-show-errors", name, "s3://bucket/data/"+name)
		c.must(t, "s3", "cp", "--only-show-errors", "s3://bucket/data/"+name, "back-"+name)
		back, err := os.ReadFile(filepath.Join(c.dir, "back-"+name))
		if err != nil || !bytes.Equal(back, content) {
			t.Errorf("%s came back with %d bytes, %v", name, len(back), err)
		}
	}
	if o := w.Object("bucket", "data/large.bin"); len(o.parts) != 3 {
		t.Errorf("the large file came in %d parts", len(o.parts))
	}
	if got := c.must(t, "s3", "ls", "s3://bucket/"); strings.TrimSpace(got) != "PRE data/" {
		t.Errorf("%q", got)
	}
	if got := c.must(t, "s3", "ls", "--recursive", "s3://bucket/"); !strings.Contains(got, "17825792 data/large.bin") || !strings.Contains(got, "4 data/small.csv") {
		t.Errorf("%q", got)
	}
	if got := c.must(t, "s3", "ls"); !strings.Contains(got, "bucket") {
		t.Errorf("%q", got)
	}
	_, failed := c.run("s3api", "put-object", "--bucket", "bucket", "--key", "data/small.csv", "--body", "small.csv", "--if-none-match", "*", "--checksum-algorithm", "SHA256")
	if want := "An error occurred (PreconditionFailed) when calling the PutObject operation: At least one of the pre-conditions you specified did not hold"; !strings.HasSuffix(failed, want) {
		t.Errorf("%s", failed)
	}
	if got := c.answer(t, "s3api", "head-object", "--bucket", "bucket", "--key", "data/large.bin", "--checksum-mode", "ENABLED"); got["ContentLength"] != float64(len(large)) || !strings.HasSuffix(got["ETag"].(string), `-3"`) {
		t.Errorf("%v", got)
	}
	c.must(t, "s3", "rm", "--only-show-errors", "--recursive", "s3://bucket/data/")
	if keys := w.Keys("bucket", ""); len(keys) != 0 {
		t.Errorf("left over: %q", keys)
	}
	if n := w.Uploads("bucket"); n != 0 {
		t.Errorf("%d uploads are left over", n)
	}
	if _, failed := c.run("s3", "cp", "s3://none/x", "-"); !strings.Contains(failed, "(404)") {
		t.Errorf("%s", failed)
	}
	c.must(t, "s3", "mb", "s3://another-bucket")
}

// logs writes and reads log events.
func (c *cli) logs(t *testing.T, _ *World) {
	c.must(t, "logs", "create-log-group", "--log-group-name", "/aws/g")
	c.must(t, "logs", "create-log-stream", "--log-group-name", "/aws/g", "--log-stream-name", "s")
	now := time.Now().UnixMilli()
	events, err := json.Marshal([]map[string]any{{"timestamp": now - 1, "message": "one"}, {"timestamp": now, "message": "two"}})
	if err != nil {
		t.Fatal(err)
	}
	c.must(t, "logs", "put-log-events", "--log-group-name", "/aws/g", "--log-stream-name", "s", "--log-events", string(events))
	got := c.answer(t, "logs", "get-log-events", "--log-group-name", "/aws/g", "--log-stream-name", "s", "--start-from-head")
	if events := got["events"].([]any); len(events) != 2 || events[0].(map[string]any)["message"] != "one" {
		t.Errorf("%v", got)
	}
	got = c.answer(t, "logs", "filter-log-events", "--log-group-name", "/aws/g", "--filter-pattern", "two")
	if events := got["events"].([]any); len(events) != 1 || events[0].(map[string]any)["logStreamName"] != "s" {
		t.Errorf("%v", got)
	}
	c.must(t, "logs", "put-retention-policy", "--log-group-name", "/aws/g", "--retention-in-days", "30")
	_, failed := c.run("logs", "get-log-events", "--log-group-name", "/aws/none", "--log-stream-name", "s")
	if want := "An error occurred (ResourceNotFoundException) when calling the GetLogEvents operation: The specified log group does not exist."; !strings.HasSuffix(failed, want) {
		t.Error(failed)
	}
}

// registry makes a version, approves and lists it.
func (c *cli) registry(t *testing.T, _ *World) {
	c.must(t, "sagemaker", "create-model-package-group", "--model-package-group-name", "dev-census")
	made := c.answer(t, "sagemaker", "create-model-package", "--model-package-group-name", "dev-census", "--customer-metadata-properties", "run=r1",
		"--inference-specification", `{"Containers":[{"Image":"i","ModelDataUrl":"s3://bucket/m.tar.gz"}]}`)
	arn := made["ModelPackageArn"].(string)
	c.must(t, "sagemaker", "update-model-package", "--model-package-arn", arn, "--model-approval-status", "Approved")
	got := c.answer(t, "sagemaker", "list-model-packages", "--model-package-group-name", "dev-census", "--model-approval-status", "Approved", "--sort-order", "Descending")
	list := got["ModelPackageSummaryList"].([]any)
	if len(list) != 1 || list[0].(map[string]any)["ModelPackageArn"] != arn {
		t.Errorf("%v", got)
	}
	if got := c.answer(t, "sagemaker", "describe-model-package", "--model-package-name", arn); got["CustomerMetadataProperties"].(map[string]any)["run"] != "r1" {
		t.Errorf("%v", got)
	}
	_, failed := c.run("sagemaker", "list-model-packages", "--model-package-group-name", "none")
	if want := "does not exist."; !strings.HasSuffix(failed, want) || !strings.Contains(failed, "(ValidationException)") {
		t.Error(failed)
	}
}

// TestCLIThroughFaults has the CLI go on where a service is throttled, breaks off or is down.
func TestCLIThroughFaults(t *testing.T) {
	t.Parallel()
	w := New(Options{}, "bucket")
	p := NewProxy(w)
	server := p.Serve()
	t.Cleanup(server.Close)
	c := newCLI(t, w, server.URL)
	for _, fault := range []Fault{Throttle, Unavailable, Reset} {
		p.Clear()
		p.Inject(Rule{On: "logs.DescribeLogGroups", Fault: fault})
		c.must(t, "logs", "describe-log-groups")
		if got, want := hitTexts(p.Hits()), []string{"logs.DescribeLogGroups #1 " + string(fault), "logs.DescribeLogGroups #2"}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	p.Clear()
	p.Inject(Rule{On: "logs.DescribeLogGroups", Fault: Expired})
	if _, failed := c.run("logs", "describe-log-groups"); !strings.HasSuffix(failed, "An error occurred (ExpiredTokenException) when calling the DescribeLogGroups operation: The security token included in the request is expired") {
		t.Error(failed)
	}
}
