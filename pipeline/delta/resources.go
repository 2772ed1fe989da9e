package delta

import (
	"slices"
	"strings"
)

// createOnly are the properties of a type that cannot change: CloudFormation replaces
// the resource. From the types' schemas (createOnlyProperties), for what mlmax emits.
var createOnly = map[string][]string{
	machineType:                         {"StateMachineName", "StateMachineType"},
	"AWS::CloudWatch::Alarm":            {"AlarmName"},
	"AWS::Events::Rule":                 {"EventBusName", "Name"},
	"AWS::IAM::Role":                    {"Path", "RoleName"},
	"AWS::Logs::LogGroup":               {"LogGroupName"},
	"AWS::SNS::Subscription":            {"Endpoint", "Protocol", "TopicArn"},
	"AWS::SNS::Topic":                   {"FifoTopic", "TopicName"},
	"AWS::SNS::TopicPolicy":             {},
	"AWS::SQS::Queue":                   {"FifoQueue", "QueueName"},
	"AWS::SQS::QueuePolicy":             {},
	"AWS::SageMaker::ModelPackageGroup": {"ModelPackageGroupDescription", "ModelPackageGroupName"},
	"AWS::Scheduler::Schedule":          {"Name"},
}

// nameOf is the property that names a resource of a type on AWS.
var nameOf = map[string]string{
	machineType:                         "StateMachineName",
	"AWS::Logs::LogGroup":               "LogGroupName",
	"AWS::SageMaker::ModelPackageGroup": "ModelPackageGroupName",
	"AWS::SNS::Topic":                   "TopicName",
	"AWS::SQS::Queue":                   "QueueName",
	"AWS::S3::Bucket":                   "BucketName",
}

// keepsData are the types whose going loses data or history: executions, logs, models.
var keepsData = map[string]bool{
	machineType: true, "AWS::Logs::LogGroup": true, "AWS::SageMaker::ModelPackageGroup": true, "AWS::S3::Bucket": true, "AWS::KMS::Key": true,
}

// compareResources finds by the templates alone which resources differ: those of the new
// template in its order, then those that go.
func compareResources(from, to *deployment) []Resource {
	var all []Resource
	for _, r := range to.resources {
		was := from.find(r.id)
		if was == nil {
			all = append(all, r.as(Added))
			continue
		}
		if was.all == r.all {
			continue
		}
		changed := r.as(Changed)
		only, known := createOnly[r.kind]
		switch {
		case was.kind != r.kind:
			changed = was.as(Replaced)
		case slices.ContainsFunc(only, func(name string) bool { return property(was, name) != property(r, name) }):
			changed = was.as(Replaced)
		case !known:
			changed.Maybe = true
		}
		all = append(all, changed)
	}
	for _, r := range from.resources {
		if to.find(r.id) == nil {
			all = append(all, r.as(Removed))
		}
	}
	return all
}

// property is a property as JSON, or empty.
func property(r *resource, name string) string {
	v, ok := r.properties.Get(name)
	if !ok {
		return ""
	}
	return encode(sorted(v))
}

// as is the resource as a plan tells of it.
func (r *resource) as(change Change) Resource {
	name := text(r.properties, nameOf[r.kind])
	if strings.Contains(name, "${") {
		name = ""
	}
	return Resource{
		Logical: r.id, Type: r.kind, Physical: name, Change: change,
		Data: keepsData[r.kind], Kept: r.kept(change),
	}
}

// kept says that what is on AWS stays there though the stack has it no more.
func (r *resource) kept(change Change) bool {
	switch change {
	case Removed:
		return strings.HasPrefix(r.deletion, "Retain") || r.deletion == "Snapshot"
	case Replaced:
		return r.update == "Retain" || r.update == "Snapshot"
	}
	return false
}

// marked are a change set's resources, with what only the deployed template knows.
func marked(resources []Resource, from *deployment) []Resource {
	all := slices.Clone(resources)
	for i := range all {
		r := &all[i]
		r.Data = r.Data || keepsData[r.Type]
		if was := from.find(r.Logical); was != nil {
			r.Kept = r.Kept || was.kept(r.Change)
		}
	}
	return all
}
