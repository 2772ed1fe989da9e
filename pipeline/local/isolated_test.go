package local

import (
	"strings"
	"testing"
)

// isolate makes the training job of a project one without a network: as generated,
// its code comes by a channel.
func (p *project) isolate(submit string) {
	p.t.Helper()
	const channel = `        "InputDataConfig": [
          {
            "ChannelName": "code",
            "DataSource": {
              "S3DataSource": {
                "S3DataType": "S3Prefix",
                "S3Uri": "s3://${Bucket}/${Prefix}code/${TrainCode}.tar.gz",
                "S3DataDistributionType": "FullyReplicated"
              }
            }
          },`
	text := string(p.definition.ASL)
	for old, changed := range map[string]string{
		`        "InputDataConfig": [`:                       channel,
		`s3://${Bucket}/${Prefix}code/${TrainCode}.tar.gz\"`: submit + `\"`,
		`"RetryStrategy": {`:                                 `"EnableNetworkIsolation": true, "RetryStrategy": {`,
	} {
		if strings.Count(text, old) != 1 {
			p.t.Fatalf("%q is not there once", old)
		}
		text = strings.Replace(text, old, changed, 1)
	}
	p.definition.ASL = []byte(text)
}

func TestIsolatedTrainingGetsItsCodeByChannel(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, isolation string) {
		p := training(t, isolation)
		p.isolate("/opt/ml/input/data/code/${TrainCode}.tar.gz")
		p.write("steps/train/train.sh", trainScript+"echo \"from $SM_MODULE_DIR\"; [ -f \"$SM_CHANNEL_CODE/\"*.tar.gz ]\n", 0o755)
		o := p.succeed(`{}`)
		matches(t, "the log", strings.Join(p.said("StepLog"), "\n"), `Train from .*/opt/ml/input/data/code/[0-9a-f]{64}\.tar\.gz|Train from /opt/ml/input/data/code/[0-9a-f]{64}\.tar\.gz`)
		// The code is no artifact that the step read.
		edges, err := p.record().Edges(t.Context(), o.Run)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range edges {
			if e.Step == "Train" && e.Port == "code" {
				t.Errorf("the code is recorded as an input: %+v", e)
			}
		}
	})
}

func TestCodeThatNoChannelHolds(t *testing.T) {
	t.Parallel()
	for name, submit := range map[string]string{
		"no such channel": "/opt/ml/input/data/other/${TrainCode}.tar.gz",
		"another file":    "/opt/ml/input/data/code/other.tar.gz",
		"a way out":       "/opt/ml/input/data/train/../../../../../etc/passwd",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := training(t, "direct")
			p.isolate(submit)
			_, err := p.run(t.Context(), `{}`)
			if err == nil {
				t.Fatal("it ran")
			}
			matches(t, "the error", err.Error(), `unpacking the code of step Train from .*: sagemaker_submit_directory: no channel of the job holds /`)
			if len(p.said("StepSucceeded")) != 1 {
				t.Errorf("succeeded: %q", p.said("StepSucceeded"))
			}
		})
	}
}
