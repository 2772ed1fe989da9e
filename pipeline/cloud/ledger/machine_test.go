package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/mlmax/mlmax/generated/inference/inference"
	"github.com/mlmax/mlmax/generated/training/training"
	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/cloud"
)

// A service answers the calls of the committed machines as AWS would, without running
// anything.
type service struct {
	// fails says by state with which error a call fails, and how often.
	fails map[string]*asl.Error
	times map[string]int
	// manifest is what the machine wrote last.
	manifest json.RawMessage
	packages map[string]json.RawMessage // by ARN: what describes it
	// registry, if not nil, is where versions are registered; arn is the last one's.
	registry *cloud.Place
	arn      string
	runs     int
}

// ask makes a call of the machine's in the registry.
func (s *service) ask(operation string, in json.RawMessage) (json.RawMessage, error) {
	var out json.RawMessage
	err := s.registry.SageMaker(context.Background(), operation, in, &out)
	return out, err
}

func (s *service) Do(_ context.Context, t asl.Task) (json.RawMessage, error) {
	if err := s.fails[t.State]; err != nil && s.times[t.State] != 0 {
		s.times[t.State]--
		return nil, err
	}
	var request map[string]json.RawMessage
	if err := json.Unmarshal(t.Arguments, &request); err != nil {
		return nil, err
	}
	switch t.Resource[strings.LastIndex(t.Resource, ":")+1:] {
	case "createProcessingJob.sync":
		request["ProcessingJobStatus"] = json.RawMessage(`"Completed"`)
	case "createTrainingJob.sync":
		var out struct {
			TrainingJobName  string
			OutputDataConfig struct{ S3OutputPath string }
		}
		if err := json.Unmarshal(t.Arguments, &out); err != nil {
			return nil, err
		}
		request["TrainingJobStatus"] = json.RawMessage(`"Completed"`)
		request["ModelArtifacts"] = json.RawMessage(fmt.Sprintf(`{"S3ModelArtifacts":"%s/%s/output/model.tar.gz"}`, out.OutputDataConfig.S3OutputPath, out.TrainingJobName))
	case "getObject":
		return json.RawMessage(`{"Body":"{\"roc_auc\":0.91,\"average_precision\":0.8,\"accuracy\":0.85,\"rows\":100,\"positives\":20}"}`), nil
	case "createModelPackage":
		if s.registry != nil {
			answer, err := s.ask("CreateModelPackage", t.Arguments)
			var made struct{ ModelPackageArn string }
			err = errors.Join(err, json.Unmarshal(answer, &made))
			s.arn = made.ModelPackageArn
			return answer, err
		}
		arn := "arn:aws:sagemaker:eu-west-1:123456789012:model-package/dev-census/1"
		request["ModelPackageArn"], request["ModelPackageStatus"], request["ModelApprovalStatus"] = json.RawMessage(`"`+arn+`"`), json.RawMessage(`"Completed"`), json.RawMessage(`"Approved"`)
		described, err := json.Marshal(request)
		s.packages = map[string]json.RawMessage{arn: described}
		return json.RawMessage(`{"ModelPackageArn":"` + arn + `"}`), err
	case "listModelPackages":
		if s.registry != nil {
			return s.ask("ListModelPackages", t.Arguments)
		}
		for arn := range s.packages {
			return json.RawMessage(`{"ModelPackageSummaryList":[{"ModelPackageArn":"` + arn + `"}]}`), nil
		}
	case "describeModelPackage":
		if s.registry != nil {
			return s.ask("DescribeModelPackage", t.Arguments)
		}
		for _, described := range s.packages {
			return described, nil
		}
	case "putObject":
		s.manifest = request["Body"]
		return json.RawMessage(`{"ETag":"\"1\""}`), nil
	}
	return json.Marshal(request)
}

// dev is a place as Open makes it, which is not asked for anything.
func dev(d *pipeline.Definition) *cloud.Place {
	return &cloud.Place{
		Target:     cloud.Target{Definition: d, Environment: "dev", Command: "training"},
		Parameters: map[string]string{"Env": "dev", "Bucket": "data", "Prefix": "team/"},
		Account:    "123456789012", Region: "eu-west-1", Partition: "aws", Bucket: "data", Prefix: "team/", Clock: asl.NewVirtualClock(start),
	}
}

var start = time.Date(2026, 11, 24, 12, 0, 0, 250_000_000, time.UTC)

// deployed is the text of a machine as CloudFormation fills it in.
func deployed(t *testing.T, d *pipeline.Definition, p *cloud.Place) []byte {
	t.Helper()
	values := map[string]string{"Account": p.Account, "Region": p.Region, "Partition": p.Partition, "KmsKey": "", "Subnets": "", "SecurityGroups": ""}
	maps.Copy(values, p.Parameters)
	for i, j := range d.Jobs {
		values[j.RoleName] = "arn:aws:iam::123456789012:role/dev-" + j.Name
		values[j.ImageName] = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
		values[j.InstanceName] = "ml.m5.large"
		values[j.CodeName] = strings.Repeat(fmt.Sprint(i+1), 64)
	}
	delete(values, "") // a pinned step runs another run's code
	text, err := asl.Substitute(d.ASL, values)
	if err != nil {
		t.Fatal(err)
	}
	if left := asl.Unresolved(text); len(left) > 0 {
		t.Fatalf("the machine of %s still has %v", d.Name, left)
	}
	return text
}

// execute runs a committed machine, and gives what Step Functions would say of it.
func execute(t *testing.T, d *pipeline.Definition, p *cloud.Place, s *service, input string, redrives int) (Description, []asl.HistoryEvent) {
	t.Helper()
	return executeAs(t, d, p, s, input, "r1", start, redrives)
}

func executeAs(t *testing.T, d *pipeline.Definition, p *cloud.Place, s *service, input, name string, start time.Time, redrives int) (Description, []asl.HistoryEvent) {
	t.Helper()
	m, err := asl.Decode(d.Name, deployed(t, d, p))
	if err != nil {
		t.Fatal(err)
	}
	var events []asl.HistoryEvent
	x := Description{ARN: p.ExecutionARN(name), Started: start}
	result, err := asl.Run(context.Background(), m, json.RawMessage(input), asl.Options{
		Handler: s, Clock: p.Clock, Observe: func(e asl.HistoryEvent) { events = append(events, e) },
		Context: asl.ExecutionContext{ExecutionID: x.ARN, ExecutionName: name, MachineID: p.MachineARN(), StartTime: start, RedriveCount: redrives},
	})
	if err != nil {
		t.Fatal(err)
	}
	x.Status, x.Ended = result.Status, p.Clock.Now()
	if result.Err != nil {
		x.Error, x.Cause = result.Err.Name, result.Err.Cause
	}
	return x, events
}

func trainingDefinition() *pipeline.Definition  { return training.Definition() }
func inferenceDefinition() *pipeline.Definition { return inference.Definition() }
