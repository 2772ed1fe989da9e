package cli

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mlmax/mlmax/generated/training/training"
	"github.com/mlmax/mlmax/internal/awsfake"
	"github.com/mlmax/mlmax/pipeline/cloud"
)

// TestPackage uploads the example's code, and prints what its template needs.
func TestPackage(t *testing.T) {
	t.Parallel()
	r := newTree(t)
	w := awsfake.New(awsfake.Options{}, "my-bucket")
	server := w.Serve()
	defer server.Close()
	code, out, said := r.command(w.Env(server.URL), "package", "--env", "dev", "--bucket", "my-bucket")
	if code != 0 {
		t.Fatalf("exit code %d\n%s", code, said)
	}
	if n := strings.Count(said, "uploaded code of "); n != 3 {
		t.Errorf("said\n%s", said)
	}
	var parameters []cloud.Parameter
	if err := json.Unmarshal([]byte(out), &parameters); err != nil {
		t.Fatal(err)
	}
	var template struct{ Parameters map[string]any }
	if err := json.Unmarshal(training.Definition().Template, &template); err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, p := range parameters {
		if _, ok := template.Parameters[p.Key]; !ok {
			t.Errorf("the template has no %s", p.Key)
		}
		values[p.Key] = p.Value
	}
	if len(values) != len(template.Parameters) || values["Bucket"] != "my-bucket" || values["LogRetentionDays"] != "30" {
		t.Errorf("parameters %v", values)
	}
	for _, step := range []string{"Preprocess", "Train", "Evaluate"} {
		if w.GetObject("my-bucket", "code/"+values[step+"Code"]+".json") == nil {
			t.Errorf("the code of %s is not marked", step)
		}
	}
	var mark cloud.Mark
	if err := json.Unmarshal(w.GetObject("my-bucket", "code/"+values["TrainCode"]+".json"), &mark); err != nil {
		t.Fatal(err)
	}
	if len(mark.Commit) < 40 || mark.Dirty || mark.Pipeline != "census-training" || mark.Step != "Train" {
		t.Errorf("mark %+v", mark)
	}

	// Once more, into a file; and without AWS.
	if code, printed, said := r.command(w.Env(server.URL), "package", "--env", "dev", "--bucket", "my-bucket", "--out", "p.json"); code != 0 || printed != "" || said != "" {
		t.Errorf("exit code %d, %q, %q", code, printed, said)
	}
	written, err := os.ReadFile(filepath.Join(r.dir, "p.json"))
	if err != nil || string(written) != out {
		t.Errorf("%v: p.json differs: %s", err, cmp.Diff(out, string(written)))
	}
	calls := len(w.Calls())
	if code, printed, said := r.training("package", "--env", "dev", "--bucket", "my-bucket", "--no-upload"); code != 0 || printed != out || said != "" {
		t.Errorf("without AWS: exit code %d\n%s%s", code, cmp.Diff(out, printed), said)
	}
	if len(w.Calls()) != calls {
		t.Error("--no-upload made calls")
	}
}

func TestPackageRefuses(t *testing.T) {
	t.Parallel()
	r := newTree(t)
	w := awsfake.New(awsfake.Options{}, "my-bucket")
	server := w.Serve()
	defer server.Close()
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "no environment is named\n\thint: say which with --env; this pipeline has dev\n"},
		{[]string{"--env", "prod"}, "census-training has no environment \"prod\"\n\thint: it has dev\n"},
		{[]string{"--env", "dev"}, "bucket acme-ml-dev before anything is written: bucket acme-ml-dev does not exist\n\thint: make it: aws s3 mb s3://acme-ml-dev --region eu-west-1, or name another with --bucket\n"},
		{[]string{"--env", "dev", "--bucket", "my-bucket", "--out", "specs"}, "specs is a folder\n"},
		{[]string{"--env", "dev", "--region", "mars-1"}, "the template of census-training is not for Region mars-1: there are no images for its steps; nothing was written\n"},
	} {
		code, out, said := r.command(w.Env(server.URL), append([]string{"package"}, c.args...)...)
		if i := strings.Index(said, "hint: it is for "); i > 0 {
			said = strings.TrimRight(said[:i], "\t\n") + "\n"
		}
		if code != 2 || out != "" || !strings.HasSuffix(said, c.want) {
			t.Errorf("%v: exit code %d, %q\n%swant\n%s", c.args, code, out, said, c.want)
		}
	}
	if keys := w.Keys("my-bucket", ""); slices.ContainsFunc(keys, func(k string) bool { return !strings.HasPrefix(k, "code/") }) {
		t.Errorf("the bucket holds %v", keys)
	}
}

// TestPackageIsDeployed has the AWS CLI deploy what was packaged, by the command that help
// and documents name; then nothing is left for deploy to change.
func TestPackageIsDeployed(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("each command of the AWS CLI takes half a second of Python")
	}
	aws, err := filepath.Abs("../../.tools/aws/bin")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(aws, "aws")); err != nil {
		if os.Getenv("MLMAX_NEED_AWSCLI") == "1" {
			t.Fatalf("the AWS CLI is not installed (run tools/aws): %v", err)
		}
		t.Skip("the AWS CLI is not installed: run tools/aws")
	}
	for _, program := range []string{"bash", "jq"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("no %s here", program)
		}
	}
	r := newTree(t)
	w := awsfake.New(awsfake.Options{}, "acme-ml-dev")
	server := w.Serve()
	defer server.Close()
	if code, _, said := r.command(w.Env(server.URL), "package", "--env", "dev", "--out", "parameters.json"); code != 0 {
		t.Fatalf("exit code %d\n%s", code, said)
	}
	c := exec.Command("bash", "-c", `aws cloudformation deploy --template-file generated/training/training/template.json --stack-name dev-census-training \
  --parameter-overrides "$(jq '[.[] | .ParameterKey + "=" + .ParameterValue]' parameters.json)" \
  --capabilities CAPABILITY_IAM --s3-bucket acme-ml-dev --tags mlmax:pipeline=census-training mlmax:environment=dev`)
	c.Dir, c.Env = r.dir, append(w.Env(server.URL), "PATH="+aws+":"+os.Getenv("PATH"), "HOME="+r.dir, "AWS_PAGER=")
	if out, err := c.CombinedOutput(); err != nil || !strings.Contains(string(out), "Successfully created/updated stack - dev-census-training") {
		t.Fatalf("%v\n%s", err, out)
	}
	if code, _, said := r.command(w.Env(server.URL), "plan", "--env", "dev"); code != 0 {
		t.Errorf("after that, plan ends with exit code %d\n%s", code, said)
	}
}
