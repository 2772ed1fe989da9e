package awsfake

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// A resource is a resource of a stack.
type resource struct {
	logical, kind, physical string
	// ref is what Ref gives.
	ref            string
	attributes     map[string]any
	status, reason string
	properties     map[string]any // resolved
	metadata       map[string]any
	spec           *resourceSpec
	depends        []string
}

// A kind is a type of resource: what it takes, and what making it does.
type kind struct {
	properties, required, createOnly []string
	// make makes it, or fails; it sets physical, ref and attributes.
	make func(*World, *stack, *resource) error
	// change brings it to its new properties; nil is to do nothing.
	change func(*World, *resource) error
	remove func(*World, *resource) error
}

// kinds are the types that the templates of this project hold. (Properties: the registry
// schemas of CloudFormation.)
var kinds map[string]kind

func init() {
	kinds = map[string]kind{
		"AWS::IAM::Role": {
			properties: []string{"AssumeRolePolicyDocument", "Description", "PermissionsBoundary", "Policies", "Tags", "RoleName", "ManagedPolicyArns", "MaxSessionDuration", "Path"},
			required:   []string{"AssumeRolePolicyDocument"}, createOnly: []string{"RoleName", "Path"},
			make: (*World).makeRole, change: (*World).changeRole, remove: (*World).removeRole,
		},
		"AWS::Logs::LogGroup": {
			properties: []string{"LogGroupName", "RetentionInDays", "KmsKeyId", "Tags", "LogGroupClass"}, createOnly: []string{"LogGroupName"},
			make: (*World).makeLogGroup, change: (*World).changeLogGroup, remove: func(w *World, r *resource) error { delete(w.groups, r.physical); return nil },
		},
		"AWS::StepFunctions::StateMachine": {
			properties: []string{"StateMachineName", "StateMachineType", "RoleArn", "Definition", "DefinitionString", "DefinitionSubstitutions", "LoggingConfiguration", "TracingConfiguration", "EncryptionConfiguration", "Tags"},
			required:   []string{"RoleArn"}, createOnly: []string{"StateMachineName", "StateMachineType"},
			make: (*World).makeMachine, change: (*World).changeMachine, remove: func(w *World, r *resource) error { return w.deleteMachine(r.physical) },
		},
		"AWS::SageMaker::ModelPackageGroup": {
			properties: []string{"ModelPackageGroupName", "ModelPackageGroupDescription", "ModelPackageGroupPolicy", "Tags"},
			required:   []string{"ModelPackageGroupName"}, createOnly: []string{"ModelPackageGroupName", "ModelPackageGroupDescription"},
			make: (*World).makeModelGroup, remove: (*World).removeModelGroup,
		},
		"AWS::Scheduler::Schedule": {
			properties: []string{"Name", "Description", "ScheduleExpression", "ScheduleExpressionTimezone", "State", "FlexibleTimeWindow", "Target", "GroupName", "KmsKeyArn", "StartDate", "EndDate"},
			required:   []string{"FlexibleTimeWindow", "ScheduleExpression", "Target"}, createOnly: []string{"Name"},
			make: (*World).makeSchedule,
		},
		"AWS::SQS::Queue": {
			properties: []string{"QueueName", "MessageRetentionPeriod", "SqsManagedSseEnabled", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "VisibilityTimeout", "Tags"}, createOnly: []string{"QueueName"},
			make: (*World).makeQueue,
		},
		"AWS::SQS::QueuePolicy": {properties: []string{"PolicyDocument", "Queues"}, required: []string{"PolicyDocument", "Queues"}, make: (*World).makePlain},
		"AWS::SNS::Topic": {
			properties: []string{"TopicName", "DisplayName", "KmsMasterKeyId", "Subscription", "Tags", "TracingConfig", "SignatureVersion"}, createOnly: []string{"TopicName"},
			make: (*World).makeTopic,
		},
		"AWS::SNS::TopicPolicy":  {properties: []string{"PolicyDocument", "Topics"}, required: []string{"PolicyDocument", "Topics"}, make: (*World).makePlain},
		"AWS::SNS::Subscription": {properties: []string{"Endpoint", "Protocol", "TopicArn"}, required: []string{"Protocol", "TopicArn"}, createOnly: []string{"Endpoint", "Protocol", "TopicArn"}, make: (*World).makePlain},
		"AWS::Events::Rule": {
			properties: []string{"Name", "Description", "EventBusName", "EventPattern", "ScheduleExpression", "State", "Targets", "RoleArn", "Tags"}, createOnly: []string{"Name", "EventBusName"},
			make: byName("Name", 64, "events", "rule/"),
		},
		"AWS::CloudWatch::Alarm": {
			properties: []string{"AlarmName", "AlarmDescription", "AlarmActions", "OKActions", "Namespace", "MetricName", "Dimensions", "Statistic", "Period", "EvaluationPeriods", "DatapointsToAlarm", "Threshold",
				"ComparisonOperator", "TreatMissingData", "Tags", "ActionsEnabled"},
			required: []string{"ComparisonOperator", "EvaluationPeriods"}, createOnly: []string{"AlarmName"}, make: byName("AlarmName", 255, "cloudwatch", "alarm:"),
		},
	}
}

// missing are the required properties that are not there.
func (k kind) missing(r *resource) error {
	for _, name := range k.required {
		if _, ok := r.properties[name]; !ok {
			const text = "Properties validation failed for resource %s with message: #: required key [%s] not found"
			return &apiError{http.StatusBadRequest, "ValidationError", fmt.Sprintf(text, r.logical, name)}
		}
	}
	return nil
}

// handled is how CloudFormation tells what a resource's handler refused.
func handled(code, format string, args ...any) error {
	return fmt.Errorf("Resource handler returned message: %q (RequestToken: fake, HandlerErrorCode: %s)", fmt.Sprintf(format, args...), code)
}

// text is a property that is a text, or empty.
func (r *resource) text(name string) string {
	if v, ok := r.properties[name]; ok {
		return fmt.Sprint(v)
	}
	return ""
}

// named is the name that a resource asks for, or one made of the stack's and its own.
func (w *World) named(s *stack, r *resource, property string, most int) string {
	if name := r.text(property); name != "" {
		return name
	}
	w.next++
	end := fmt.Sprintf("-%s-%08X", r.logical, w.next)
	begin := s.name
	if len(begin)+len(end) > most {
		begin = begin[:most-len(end)]
	}
	return begin + end
}

func (w *World) makeRole(s *stack, r *resource) error {
	name := w.named(s, r, "RoleName", 64)
	if w.roles[name] != nil {
		return handled("AlreadyExists", "Role with name %s already exists.", name)
	}
	role := &Role{Name: name, ARN: "arn:" + w.Partition + ":iam::" + w.Account + ":role/" + name}
	r.physical, r.ref = name, name
	r.attributes = map[string]any{"Arn": role.ARN, "RoleId": "AROAFAKE" + name}
	w.roles[name] = role
	return w.changeRole(r)
}

func (w *World) changeRole(r *resource) error {
	role := w.roles[r.physical]
	trust, err := json.Marshal(r.properties["AssumeRolePolicyDocument"])
	if err != nil {
		return err
	}
	role.Trust, role.Boundary, role.Policies = trust, r.text("PermissionsBoundary"), map[string]json.RawMessage{}
	list, _ := r.properties["Policies"].([]any)
	size := 0
	for _, one := range list {
		policy, _ := one.(map[string]any)
		text, err := json.Marshal(policy["PolicyDocument"])
		if err != nil {
			return err
		}
		role.Policies[fmt.Sprint(policy["PolicyName"])] = text
		size += len(text)
	}
	if size > 10240 { // IAM quotas: characters of inline policies, white space aside
		return handled("ServiceLimitExceeded", "Maximum policy size of 10240 bytes exceeded for role %s", r.physical)
	}
	return nil
}

func (w *World) removeRole(r *resource) error {
	delete(w.roles, r.physical)
	return nil
}

func (w *World) makeLogGroup(s *stack, r *resource) error {
	name := w.named(s, r, "LogGroupName", 512)
	if err := w.createLogGroup(name, 0); errors.Is(err, ErrExists) {
		return handled("AlreadyExists", "Resource of type 'AWS::Logs::LogGroup' with identifier '{\"/properties/LogGroupName\":\"%s\"}' already exists.", name)
	}
	r.physical, r.ref = name, name
	r.attributes = map[string]any{"Arn": w.ARN("logs", "log-group:"+name+":*")}
	return w.changeLogGroup(r)
}

func (w *World) changeLogGroup(r *resource) error {
	if days := r.text("RetentionInDays"); days != "" {
		if _, err := fmt.Sscan(days, &w.groups[r.physical].Days); err != nil {
			return handled("InvalidRequest", "RetentionInDays %s is no number", days)
		}
	}
	return nil
}

func (w *World) makeModelGroup(_ *stack, r *resource) error {
	name := r.text("ModelPackageGroupName")
	if err := w.createModelGroup(name); errors.Is(err, ErrExists) {
		return handled("AlreadyExists", "Model Package Group %s already exists.", w.ARN("sagemaker", "model-package-group/"+strings.ToLower(name)))
	}
	arn := w.ARN("sagemaker", "model-package-group/"+name)
	r.physical, r.ref = arn, arn
	r.attributes = map[string]any{"ModelPackageGroupArn": arn, "ModelPackageGroupStatus": "Completed"}
	return nil
}

func (w *World) removeModelGroup(r *resource) error {
	name := r.physical[strings.LastIndex(r.physical, "/")+1:]
	if g := w.packages[name]; g != nil && len(g.versions) > 0 {
		return handled("ResourceConflict", "Cannot delete Model Package Group %s because it contains Model Packages", name)
	}
	delete(w.packages, name)
	return nil
}

func (w *World) makePlain(s *stack, r *resource) error {
	r.physical = w.named(s, r, "", 128)
	r.ref, r.attributes = r.physical, map[string]any{"Id": r.physical, "Arn": r.physical}
	return nil
}

// exists fails if a resource of that kind and physical id is in a stack that is there.
func (w *World) exists(kind, physical string) error {
	for _, s := range w.stacks {
		for _, r := range s.resources {
			if r.kind == kind && r.physical == physical && s.status != "DELETE_COMPLETE" {
				return handled("AlreadyExists", "%s already exists in stack %s", physical, s.id)
			}
		}
	}
	return nil
}

func (w *World) makeSchedule(s *stack, r *resource) error {
	target, _ := r.properties["Target"].(map[string]any)
	role := w.roleByARN(fmt.Sprint(target["RoleArn"]))
	if role == nil || !w.trusts(role, "scheduler.amazonaws.com", w.ARN("scheduler", scheduleGroup)) {
		return handled("InvalidRequest", "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.")
	}
	if input, ok := target["Input"].(string); ok && !json.Valid([]byte(input)) {
		return handled("InvalidRequest", "Invalid RequestJson provided. Reason The Input of the target is no JSON")
	}
	name := w.named(s, r, "Name", 64)
	r.physical, r.ref = name, name
	r.attributes = map[string]any{"Arn": w.ARN("scheduler", "schedule/default/"+name)}
	return w.exists(r.kind, name)
}

func (w *World) makeQueue(s *stack, r *resource) error {
	name := w.named(s, r, "QueueName", 80)
	url := "https://sqs." + w.Region + ".amazonaws.com/" + w.Account + "/" + name
	err := w.exists(r.kind, url)
	r.physical, r.ref = url, url
	r.attributes = map[string]any{"Arn": w.ARN("sqs", name), "QueueName": name, "QueueUrl": url}
	return err
}

func (w *World) makeTopic(s *stack, r *resource) error {
	name := w.named(s, r, "TopicName", 256)
	arn := w.ARN("sns", name)
	err := w.exists(r.kind, arn)
	r.physical, r.ref = arn, arn
	r.attributes = map[string]any{"TopicArn": arn, "TopicName": name}
	return err
}

// byName makes a resource whose physical id is its name, and which is known to nobody else here.
func byName(property string, most int, service, before string) func(*World, *stack, *resource) error {
	return func(w *World, s *stack, r *resource) error {
		name := w.named(s, r, property, most)
		err := w.exists(r.kind, name)
		r.physical, r.ref = name, name
		r.attributes = map[string]any{"Arn": w.ARN(service, before+name)}
		return err
	}
}

func (w *World) roleByARN(arn string) *Role { return w.roles[arn[strings.LastIndex(arn, "/")+1:]] }

// machineOf is the machine that a resource describes.
func (w *World) machineOf(r *resource) (*Machine, error) {
	text, err := definitionText(r.properties)
	if err != nil {
		return nil, err
	}
	m := &Machine{
		Name: r.text("StateMachineName"), RoleARN: r.text("RoleArn"), Definition: []byte(text), Created: w.now(),
	}
	m.ARN = w.ARN("states", "stateMachine:"+m.Name)
	tracing, _ := r.properties["TracingConfiguration"].(map[string]any)
	m.Tracing = fmt.Sprint(tracing["Enabled"]) == "true"
	logging, _ := r.properties["LoggingConfiguration"].(map[string]any)
	m.LogLevel, _ = logging["Level"].(string)
	m.LogData = fmt.Sprint(logging["IncludeExecutionData"]) == "true"
	if list, _ := logging["Destinations"].([]any); len(list) == 1 {
		destination, _ := list[0].(map[string]any)
		group, _ := destination["CloudWatchLogsLogGroup"].(map[string]any)
		arn := fmt.Sprint(group["LogGroupArn"])
		if !strings.HasSuffix(arn, ":*") {
			return nil, handled("InvalidRequest", "Invalid Logging Configuration: Log Destination ARN must end in :*")
		}
		m.LogGroup = strings.TrimSuffix(arn[strings.Index(arn, ":log-group:")+len(":log-group:"):], ":*")
		if w.groups[m.LogGroup] == nil {
			return nil, handled("InvalidRequest", "Invalid Logging Configuration: The CloudWatch Logs Resource Policy or log group %s does not exist.", m.LogGroup)
		}
	}
	return m, nil
}

func (w *World) makeMachine(_ *stack, r *resource) error {
	m, err := w.machineOf(r)
	if err != nil {
		return err
	}
	if w.machines[m.ARN] != nil {
		return handled("AlreadyExists", "State Machine Already Exists: '%s'", m.ARN)
	}
	if err := w.createMachine(m); err != nil {
		return handled("InvalidRequest", "%v", err)
	}
	r.physical, r.ref = m.ARN, m.ARN
	r.attributes = map[string]any{"Arn": m.ARN, "Name": m.Name, "StateMachineRevisionId": "INITIAL"}
	return nil
}

func (w *World) changeMachine(r *resource) error {
	m, err := w.machineOf(r)
	if err != nil {
		return err
	}
	if err := w.updateMachine(m); err != nil {
		return handled("InvalidRequest", "%v", err)
	}
	r.attributes["StateMachineRevisionId"] = w.machines[m.ARN].Revision
	return nil
}

// substitution finds the names that a definition can have filled in.
var substitution = regexp.MustCompile(`\$\{[^}]*\}`)

// definitionText is the text that the handler of state machines sends to Step Functions
// (AWS.md section 4): the object with sorted keys and an indent, then plain replacement,
// repeated, with nothing escaped; a name that is not known stays.
func definitionText(properties map[string]any) (string, error) {
	object, has := properties["Definition"]
	text, isText := properties["DefinitionString"].(string)
	if has == isText {
		return "", handled("InvalidRequest", "Property validation failure: exactly one of Definition, DefinitionString, DefinitionS3Location")
	}
	if has {
		var pretty bytes.Buffer
		e := json.NewEncoder(&pretty)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(object); err != nil {
			return "", err
		}
		text = pretty.String()
	}
	values, _ := properties["DefinitionSubstitutions"].(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(values)) {
		switch values[key].(type) {
		case string, bool, json.Number:
		default:
			return "", handled("InvalidRequest", "Invalid definition substitution type of %s", key)
		}
	}
	for round := 0; ; round++ {
		changed := false
		text = substitution.ReplaceAllStringFunc(text, func(match string) string {
			value, ok := values[match[2:len(match)-1]]
			if !ok {
				return match
			}
			changed = true
			return fmt.Sprint(value)
		})
		if !changed {
			break
		}
		if round > len(values) {
			return "", handled("InternalFailure", "Internal Failure")
		}
	}
	if len([]rune(text)) > 1048576 {
		return "", handled("InvalidRequest", "Invalid State Machine Definition: the definition is longer than 1048576 characters")
	}
	return text, nil
}
