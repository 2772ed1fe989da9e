package stack

import (
	"strings"
)

// kinds are the words for types of resources: what people call one whose logical id
// is just the kind, and one of several.
var kinds = map[string]struct{ one, of string }{
	"AWS::CloudFormation::Stack":            {"Stack", "Stack"},
	"AWS::CloudWatch::Alarm":                {"Alarm", "Alarm"},
	"AWS::Events::Rule":                     {"Rule for notices", "Rule"},
	"AWS::IAM::Role":                        {"Role", "Role"},
	"AWS::Logs::LogGroup":                   {"Log of the machine", "Log"},
	"AWS::SageMaker::ModelPackageGroup":     {"Model group", "Model group"},
	"AWS::Scheduler::Schedule":              {"Schedule", "Schedule"},
	"AWS::SNS::Subscription":                {"Address for notices", "Address"},
	"AWS::SNS::Topic":                       {"Topic for notices", "Topic"},
	"AWS::SNS::TopicPolicy":                 {"Permissions of the topic", "Permissions of topic"},
	"AWS::SQS::Queue":                       {"Queue of missed starts", "Queue"},
	"AWS::SQS::QueuePolicy":                 {"Permissions of the queue", "Permissions of queue"},
	"AWS::StepFunctions::StateMachine":      {"State machine", "State machine"},
	"AWS::StepFunctions::StateMachineAlias": {"Alias of the machine", "Alias"},
}

// suffixes are how logical ids say their type.
var suffixes = map[string][]string{
	"AWS::IAM::Role":                    {"Role"},
	"AWS::SageMaker::ModelPackageGroup": {"ModelGroup"},
	"AWS::CloudWatch::Alarm":            {"Alarm"},
}

// readable is what people call a resource: its kind, and what is left of its logical id
// without it.
func readable(logical, kind string) string {
	words, ok := kinds[kind]
	if !ok {
		return kind[strings.LastIndex(kind, ":")+1:] + " " + logical
	}
	of := logical
	for _, s := range suffixes[kind] {
		of = strings.TrimSuffix(strings.TrimPrefix(of, s), s)
	}
	switch {
	case of == "Machine" && kind == "AWS::IAM::Role":
		return "Role of the machine"
	case of == logical || of == "":
		return words.one
	case kind == "AWS::IAM::Role":
		return "Role of " + of
	}
	return words.of + " " + of
}
