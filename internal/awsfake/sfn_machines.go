package awsfake

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/pipeline/asl"
)

// maxName is how many characters a machine's and an execution's name may have.
const maxName = 80

// logged are the names of machines and executions whose logs CloudWatch can hold. Others are
// accepted by AWS, too, and lose their logs: nothing here makes such a name.
var logged = regexp.MustCompile(`^[0-9A-Za-z_-]{1,80}$`)

// createMachine makes a state machine of m, whose ARN it sets. The errors are those of
// CreateStateMachine, each an *apiError.
func (w *World) createMachine(m *Machine) error {
	if !logged.MatchString(m.Name) {
		return refusal("InvalidName", "Invalid Name: '%s'", m.Name)
	}
	m.ARN = w.ARN("states", "stateMachine:"+m.Name)
	if before := w.machines[m.ARN]; before != nil {
		if sameMachine(before, m) {
			return nil // the call is idempotent
		}
		return refusal("StateMachineAlreadyExists", "State Machine Already Exists: '%s'", m.ARN)
	}
	if err := w.checkMachine(m); err != nil {
		return err
	}
	m.Created, m.Revision = w.now(), ""
	w.machines[m.ARN] = m
	return nil
}

// updateMachine puts m in the place of the machine of its ARN. Executions that run keep the
// machine that they began with. The revision changes with what an execution depends on.
func (w *World) updateMachine(m *Machine) error {
	before := w.machines[m.ARN]
	if before == nil {
		return machineMissing(m.ARN)
	}
	if err := w.checkMachine(m); err != nil {
		return err
	}
	m.Created, m.Revision, m.updated = before.Created, before.Revision, before.updated
	if !sameMachine(before, m) {
		m.Revision, m.updated = w.uuid(), w.now()
	}
	w.machines[m.ARN] = m
	return nil
}

// deleteMachine removes a machine with its executions, which end where they are. One that is
// not there is no error.
func (w *World) deleteMachine(arn string) error {
	if !strings.HasPrefix(arn, w.ARN("states", "stateMachine:")) {
		return refusal("InvalidArn", "Invalid Arn: '%s'", arn)
	}
	for key, e := range w.states.executions {
		if e.machine.ARN == arn {
			e.lap.stop(errDeleted)
			delete(w.states.executions, key)
		}
	}
	delete(w.machines, arn)
	return nil
}

// errDeleted is the cause of the end of executions whose machine was deleted.
var errDeleted = errors.New("the state machine was deleted")

func machineMissing(arn string) error {
	return refusal("StateMachineDoesNotExist", "State Machine Does Not Exist: '%s'", arn)
}

func sameMachine(a, b *Machine) bool {
	return bytes.Equal(a.Definition, b.Definition) && a.RoleARN == b.RoleARN && a.LogGroup == b.LogGroup && a.LogLevel == b.LogLevel &&
		a.LogData == b.LogData && a.Tracing == b.Tracing
}

// uuid is a new one. They count up, so that tests repeat.
func (w *World) uuid() string {
	w.next++
	return fmt.Sprintf("00000000-0000-4000-8000-%012x", w.next)
}

// checkMachine refuses what CreateStateMachine refuses.
func (w *World) checkMachine(m *Machine) error {
	decoded, problems := w.problems(m.Definition)
	if len(problems) > 0 {
		return refusal("InvalidDefinition", "Invalid State Machine Definition: '%s'", strings.Join(problems, ", "))
	}
	if err := w.checkMachineRole(m.RoleARN, m.ARN); err != nil {
		return err
	}
	if err := w.checkManagedRules(m.RoleARN, decoded); err != nil {
		return err
	}
	return w.checkLogging(m)
}

// problems are what is wrong with a definition, in the words of Step Functions.
func (w *World) problems(text []byte) (*asl.Machine, []string) {
	m, err := asl.Decode("definition", text)
	var wrong *asl.DecodeError
	switch {
	case errors.As(err, &wrong):
		var list []string
		for _, p := range wrong.Problems {
			list = append(list, fmt.Sprintf("SCHEMA_VALIDATION_FAILED: %s at %s", p.Message, p.Path))
		}
		return nil, list
	case err != nil:
		return nil, []string{"INVALID_JSON_DESCRIPTION: " + err.Error()}
	}
	var list []string
	walkStates(m, "", func(s *asl.State, path string) {
		if s.Type == asl.TaskState && !w.recognizes(s.Resource) {
			list = append(list, fmt.Sprintf("SCHEMA_VALIDATION_FAILED: The resource provided %s is not recognized. "+
				"The value is not a valid resource ARN, or the resource is not available in this region. at %s/Resource", s.Resource, path))
		}
	})
	return m, list
}

// walkStates calls f with each state of a machine, those in branches too, and its path.
func walkStates(m *asl.Machine, at string, f func(s *asl.State, path string)) {
	for _, s := range m.States {
		path := at + "/States/" + s.Name
		f(s, path)
		for i, branch := range s.Branches {
			walkStates(branch, fmt.Sprintf("%s/Branches[%d]", path, i), f)
		}
		if s.ItemProcessor != nil {
			walkStates(s.ItemProcessor, path+"/ItemProcessor", f)
		}
	}
}

// recognizes says whether a resource is one of the integrations that this account has, of
// its partition.
func (w *World) recognizes(resource string) bool {
	name, ok := strings.CutPrefix(resource, "arn:"+w.Partition+":states:::")
	return ok && integrations[name] != nil
}

// rules are the managed rules by which Step Functions learns of a job's end, by integration.
var rules = map[string]string{
	processingSync: "StepFunctionsGetEventsForSageMakerProcessingJobsRule",
	trainingSync:   "StepFunctionsGetEventsForSageMakerTrainingJobsRule",
}

// checkManagedRules refuses a role that may not make the rules that a machine's jobs need.
func (w *World) checkManagedRules(role string, m *asl.Machine) error {
	var needed []string
	walkStates(m, "", func(s *asl.State, _ string) {
		if rule := rules[strings.TrimPrefix(s.Resource, "arn:"+w.Partition+":states:::")]; rule != "" && !slices.Contains(needed, rule) {
			needed = append(needed, rule)
		}
	})
	for _, rule := range needed {
		for _, action := range []string{"events:PutRule", "events:PutTargets", "events:DescribeRule"} {
			if w.permit(role, action, w.ARN("events", "rule/"+rule), nil) != nil {
				return refusal("AccessDeniedException", "'%s' is not authorized to create managed-rule.", role)
			}
		}
	}
	return nil
}

// logDelivery are the actions by which a role has its machine's log delivered.
var logDelivery = []string{
	"logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery", "logs:ListLogDeliveries",
	"logs:PutResourcePolicy", "logs:DescribeResourcePolicies", "logs:DescribeLogGroups",
}

// checkLogging refuses a log group that is not there, or that the role may not deliver to.
func (w *World) checkLogging(m *Machine) error {
	if m.LogLevel == "" || m.LogLevel == "OFF" {
		return nil
	}
	if w.groups[m.LogGroup] == nil {
		return refusal("InvalidLoggingConfiguration", "Invalid Logging Configuration: The log group %s does not exist.", m.LogGroup)
	}
	for _, action := range logDelivery {
		if w.permit(m.RoleARN, action, "*", nil) != nil {
			return refusal("AccessDeniedException", "The state machine IAM Role is not authorized to access the Log Destination")
		}
	}
	return nil
}
