package cloud

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/mlmax/mlmax/internal/awsfake"
	"github.com/mlmax/mlmax/pipeline"
)

// prefixed are the parameters of an environment in bucket data below ml/.
const prefixed = `[{"ParameterKey":"Env","ParameterValue":"dev"},{"ParameterKey":"Region","ParameterValue":"eu-west-1"},` +
	`{"ParameterKey":"Bucket","ParameterValue":"data"},{"ParameterKey":"Prefix","ParameterValue":"ml/"}]`

// through are options by which a place talks to a handler, and tries again without a pause.
func through(t *testing.T, h http.Handler) Options {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return Options{Load: append(awsfake.Config(server.URL), config.WithRetryer(func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts = attempts
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		})
	}))}
}

// open is a place of the demo in an account behind a handler.
func open(t *testing.T, h http.Handler) *Place {
	t.Helper()
	p, err := Open(context.Background(), demo(prefixed), through(t, h))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// demo is a pipeline of a processing and a training step, and one that runs the code of a
// model version.
func demo(parameters string) Target {
	to := target(parameters)
	to.Definition.Module, to.Definition.Spec = "example.com/m", "example.com/m/specs/demo"
	to.Definition.Jobs = []pipeline.Job{
		{Name: "Prepare", Kind: "processing", CodeDir: "steps/prepare", Script: "prepare.py", CodeName: "PrepareCode"},
		{Name: "Train", Kind: "training", CodeDir: "steps/train", Script: "train.py", CodeName: "TrainCode"},
		{Name: "Predict", Kind: "processing", CodeDir: "steps/predict", Script: "predict.py", Pin: "Model"},
	}
	to.Definition.Template = []byte(template)
	return to
}

// template is what is read of a template here.
const template = `{
  "Parameters": {"Env": {}, "Region": {}, "Bucket": {}, "Prefix": {}, "PrepareCode": {}, "TrainCode": {}, "LogsExists": {"Default": "false"}},
  "Mappings": {"ImageAccounts": {"eu-west-1": {"sklearn": "141502667606"}, "us-east-1": {"sklearn": "683313688378"}}},
  "Resources": {
    "TrainRole": {"Type": "AWS::IAM::Role", "Properties": {"Policies": [{"PolicyDocument": {"Statement": [
      {"Sid": "ReadInputs", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [{"Fn::Sub": "arn:${AWS::Partition}:s3:::${Bucket}/${Prefix}code/*"}]},
      {"Fn::If": ["HasKmsKey", {"Sid": "UseKey", "Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": [{"Ref": "KmsKey"}]}, {"Ref": "AWS::NoValue"}]},
      {"Sid": "PullImage", "Effect": "Allow", "Action": ["ecr:BatchGetImage"], "Resource": [{"Fn::Sub": ["arn:${AWS::Partition}:ecr:${AWS::Region}:${A}:repository/x", {"A": "1"}]}]},
      {"Sid": "WriteOutputs", "Effect": "Allow", "Action": ["s3:PutObject"], "Resource": [{"Fn::Sub": "arn:${AWS::Partition}:s3:::${Bucket}/${Prefix}runs/*"}]}
    ]}}]}, "Metadata": {"mlmax": {"reasons": {"WriteOutputs": "step Train writes its outputs"}}}}
  }
}`

// module makes a work tree with code of the demo's steps.
func module(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"steps/prepare/prepare.py": "print(1)\n", "steps/prepare/lib/a.py": "A = 1\n", "steps/train/train.py": "print(2)\n", "steps/train/.hidden": "x",
	} {
		write(t, filepath.Join(dir, filepath.FromSlash(name)), text)
	}
	return dir
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// tree is the code in a work tree.
func tree(t *testing.T, p *Place, module string) []Code {
	t.Helper()
	all, err := Tree(p.Definition, module)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// actions are the calls that an account answered, by name.
func calls(w *awsfake.World) []string {
	var all []string
	for _, c := range w.Calls() {
		all = append(all, c.Action)
	}
	return all
}
