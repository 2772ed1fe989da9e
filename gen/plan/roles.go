package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/gen/ir"
)

// Template conditions under which a statement exists.
const (
	ifKmsKey = "HasKmsKey"
	ifVpc    = "HasVpc"
)

// Logical ids of the roles that are no job's: logical gives them to no step.
const (
	machineRole  = "MachineRole"
	scheduleRole = "ScheduleRole"
)

// roles are the machine's, one for each job and the schedule's. Resources are exact, but for the
// actions that have no resource type (Service Authorization Reference): log
// delivery, X-Ray, the registry's token, metrics and network interfaces.
func roles(p *ir.Plan) []*ir.Role {
	all := []*ir.Role{{Name: machineRole, Principal: "states", Statements: machineStatements(p)}}
	for _, j := range p.Jobs() {
		all = append(all, &ir.Role{Name: j.RoleName, Principal: "sagemaker", For: j.Name, Statements: jobStatements(p, j)})
	}
	if p.Schedule != "" {
		all = append(all, &ir.Role{Name: scheduleRole, Principal: "scheduler", Statements: scheduleStatements(p)})
	}
	return all
}

// scheduleStatements are all that the schedule may do.
func scheduleStatements(p *ir.Plan) []*ir.Statement {
	return []*ir.Statement{{
		Sid: "StartMachine", Actions: []string{"states:StartExecution"},
		Resources: []string{arn("states", "stateMachine:${Env}-"+p.Name)},
		Reason:    "the schedule starts this machine, and no other",
	}, {
		Sid: "KeepFailures", Actions: []string{"sqs:SendMessage"}, Resources: []string{"${ScheduleFailures.Arn}"},
		Reason: "a start that did not come about is kept in the schedule's queue",
	}, {
		Sid: "UseKey", Actions: []string{"kms:Decrypt", "kms:GenerateDataKey"}, Resources: []string{"${KmsKey}"}, If: ifKmsKey,
		Reason: "the schedule's queue is encrypted with the environment's key",
	}}
}

// arn is the ARN of a resource in the stack's own partition, account and Region.
func arn(service, resource string) string {
	return "arn:${AWS::Partition}:" + service + ":${AWS::Region}:${AWS::AccountId}:" + resource
}

// object is the ARN of keys below the environment's prefix, bucket that of its bucket.
func object(key string) string { return "arn:${AWS::Partition}:s3:::${Bucket}/${Prefix}" + key }

// anyRun stands for the name of a run, which is twelve characters long. An asterisk would
// stand for slashes as well: a step could then write, below any folder that is called as
// it is, into the outputs of others.
const anyRun = "????????????"

// runsOf is where a pipeline's runs write what comes behind.
func runsOf(pipeline, below string) string { return "runs/" + pipeline + "/" + anyRun + "/" + below }

const bucket = "arn:${AWS::Partition}:s3:::${Bucket}"

// list allows to list what lies below prefixes of the bucket.
func list(sid, reason string, needs []string, prefixes ...string) *ir.Statement {
	values := make([]string, 0, len(prefixes))
	for _, p := range prefixes {
		values = append(values, "${Prefix}"+p)
	}
	return &ir.Statement{
		Sid: sid, Actions: []string{"s3:ListBucket"}, Resources: []string{bucket},
		Conditions: []*ir.Condition{{Operator: "StringLike", Key: "s3:prefix", Values: values}},
		Reason:     reason, Needs: needs,
	}
}

// kinds of jobs, as the statements name them.
var kinds = []struct {
	kind         ir.Kind
	action, path string // CreateProcessingJob, processing-job
	rule         string
}{
	{ir.Processing, "ProcessingJob", "processing-job", "StepFunctionsGetEventsForSageMakerProcessingJobsRule"},
	{ir.Training, "TrainingJob", "training-job", "StepFunctionsGetEventsForSageMakerTrainingJobsRule"},
}

func machineStatements(p *ir.Plan) []*ir.Statement {
	var all []*ir.Statement
	var rules, passed, jobs []string
	for _, k := range kinds {
		var names, middles []string
		for _, j := range p.Jobs() {
			if j.Kind == k.kind {
				names = append(names, j.Name)
				middles = append(middles, j.JobName+"-")
			}
		}
		if names == nil {
			continue
		}
		var resources []string
		for _, m := range together(middles) {
			resources = append(resources, arn("sagemaker", k.path+"/${Env}-"+m+"*"))
		}
		all = append(all, &ir.Statement{
			Sid: k.action + "s",
			Actions: []string{"sagemaker:Create" + k.action, "sagemaker:Describe" + k.action, "sagemaker:Stop" + k.action,
				"sagemaker:AddTags", "sagemaker:ListTags"},
			Resources: resources,
			Reason: fmt.Sprintf("the machine starts the %s jobs of %s, asks how far they are, stops them when it is aborted, and tags them (Step Functions adds tags of its own)",
				k.kind, and(names)),
			Needs: names,
		})
		rules = append(rules, arn("events", "rule/"+k.rule))
	}
	for _, j := range p.Jobs() {
		jobs = append(jobs, j.Name)
		passed = append(passed, "${"+j.RoleName+".Arn}")
	}
	if jobs != nil {
		all = append(all, &ir.Statement{
			Sid: "PassJobRoles", Actions: []string{"iam:PassRole"}, Resources: passed,
			Conditions: []*ir.Condition{{Operator: "StringEquals", Key: "iam:PassedToService", Values: []string{"sagemaker.amazonaws.com"}}},
			Reason:     "each job runs under its own role, which the machine hands to SageMaker and to no other service",
			Needs:      jobs,
		}, &ir.Statement{
			Sid: "JobEvents", Actions: []string{"events:PutTargets", "events:PutRule", "events:DescribeRule"}, Resources: rules,
			Reason: "Step Functions learns that a job ended from a rule that it manages; the machine cannot be created without",
			Needs:  jobs,
		})
	}
	all = append(all, artifactStatements(p)...)
	all = append(all, versionStatements(p)...)
	all = append(all, registryStatements(p)...)
	return append(all, observingStatements()...)
}

// maxNamed is how many jobs a statement names one by one. The inline policies of a
// role have 10,240 characters together (IAM quotas).
const maxNamed = 20

// together are the beginnings of names, or what they all begin with if there are many.
func together(names []string) []string {
	if len(names) <= maxNamed {
		return names
	}
	common := names[0]
	for _, n := range names {
		for !strings.HasPrefix(n, common) {
			common = common[:len(common)-1]
		}
	}
	return []string{common}
}

// artifactStatements are what the machine itself does in the bucket.
func artifactStatements(p *ir.Plan) []*ir.Statement {
	all := []*ir.Statement{{
		Sid: "WriteManifest", Actions: []string{"s3:PutObject"}, Resources: []string{object(runsOf(p.Name, "manifest.json"))},
		Reason: "the machine writes what each run was made of",
	}}
	var reports, names, folders []string
	for _, r := range p.Reports() {
		names = append(names, r.Step+"."+r.Output)
		reports = append(reports, object(runsOf(p.Name, r.Step+"/*/"+r.Output+"/"+r.FileName)))
		folders = append(folders, runsOf(p.Name, r.Step+"/*"))
	}
	if names != nil {
		all = append(all, &ir.Statement{
			Sid: "ReadReports", Actions: []string{"s3:GetObject"}, Resources: reports,
			Reason: "the machine reads the values of " + and(names), Needs: names,
		}, findReports(names, folders))
	}
	return append(all, &ir.Statement{
		Sid: "UseKey", Actions: []string{"kms:Decrypt", "kms:GenerateDataKey"}, Resources: []string{"${KmsKey}"}, If: ifKmsKey,
		Reason: "reports and manifests are encrypted with the environment's key",
	})
}

// findReports lets S3 say NoSuchKey of a report that a step did not write, in place
// of AccessDenied: GetObject carries no prefix, hence IfExists.
func findReports(names, folders []string) *ir.Statement {
	s := list("FindReports", "of a report that a step did not write, S3 says that it is missing and not that access is denied", names, folders...)
	s.Conditions[0].Operator = "StringLikeIfExists"
	return s
}

// versionStatements are for the model groups that the pipeline starts from. Data of
// ListModelPackages' authorization name both kinds of resources.
func versionStatements(p *ir.Plan) []*ir.Statement {
	var names, resources []string
	for _, v := range p.Versions {
		names = append(names, v.Name)
		resources = addGroup(resources, v.Group)
	}
	if names == nil {
		return nil
	}
	return []*ir.Statement{{
		Sid: "ReadModels", Actions: []string{"sagemaker:ListModelPackages", "sagemaker:DescribeModelPackage"}, Resources: resources,
		Reason: "the machine looks for the version " + and(names) + " and reads what it was made of", Needs: names,
	}}
}

// addGroup adds a model group and its versions to resources, once.
func addGroup(resources []string, group string) []string {
	for _, resource := range []string{
		arn("sagemaker", "model-package-group/${Env}-"+group),
		arn("sagemaker", "model-package/${Env}-"+group+"/*"),
	} {
		if !slices.Contains(resources, resource) {
			resources = append(resources, resource)
		}
	}
	return resources
}

// registryStatements are for the model groups that the pipeline registers to.
func registryStatements(p *ir.Plan) []*ir.Statement {
	var names, resources []string
	for _, r := range p.Registrations() {
		names = append(names, r.Name)
		resources = addGroup(resources, r.Group)
	}
	if names == nil {
		return nil
	}
	return []*ir.Statement{{
		Sid: "RegisterModels", Actions: []string{"sagemaker:CreateModelPackage", "sagemaker:AddTags"}, Resources: resources,
		Reason: "the machine adds versions to the model groups of " + and(names) + "; creating one depends on the right to tag", Needs: names,
	}}
}

// observingStatements are what the machine is watched by.
func observingStatements() []*ir.Statement {
	return []*ir.Statement{{
		Sid: "DeliverLogs",
		Actions: []string{"logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery",
			"logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies", "logs:DescribeLogGroups"},
		Resources: []string{"*"},
		Reason:    "the machine's history is delivered to its log group; these actions have no resource type",
	}, {
		Sid:       "Trace",
		Actions:   []string{"xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets"},
		Resources: []string{"*"},
		Reason:    "executions are traced by X-Ray; these actions have no resource type",
	}}
}

// and lists names as a sentence does.
func and(names []string) string {
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names, "")
}
