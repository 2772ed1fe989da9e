package awsfake

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// scheduleGroup is the group of a schedule that names none: what EventBridge Scheduler takes
// roles for.
const scheduleGroup = "schedule-group/default"

// A Fired is what came of one time of a schedule: an execution, or a message in its queue, or,
// if both are empty, nothing: nobody ever hears of it.
type Fired struct {
	// Execution is its ARN.
	Execution string
	// Kept is why there is none, as the queue has it.
	Kept string
}

// Fire lets the schedule of a stack start its machine for a time, which is filled into the
// input. The schedule's role has to allow that, or else the message to the queue, and the use
// of the queue's key. One that is disabled is an error: it starts nothing.
func (w *World) Fire(stack string, at time.Time) (*Fired, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.stackNamed(stack)
	if s == nil || s.resources["Schedule"] == nil {
		return nil, fmt.Errorf("awsfake: stack %s has no schedule", stack)
	}
	schedule := s.resources["Schedule"]
	if state := schedule.text("State"); state != "ENABLED" {
		return nil, fmt.Errorf("awsfake: the schedule of stack %s is %s", stack, state)
	}
	var target struct {
		Arn, RoleArn, Input string
		DeadLetterConfig    struct{ Arn string }
	}
	text, err := json.Marshal(schedule.properties["Target"])
	if err == nil {
		err = json.Unmarshal(text, &target)
	}
	if err != nil {
		return nil, err
	}
	role := w.roleOf(target.RoleArn)
	if role == nil || !w.trusts(role, "scheduler.amazonaws.com", w.ARN("scheduler", scheduleGroup)) {
		return &Fired{}, nil
	}
	execution, err := w.startFor(role, target.Arn, strings.ReplaceAll(target.Input, "<aws.scheduler.scheduled-time>", at.UTC().Format(time.RFC3339)))
	if err != nil {
		return w.keep(s, role, target.DeadLetterConfig.Arn, err), nil
	}
	return &Fired{Execution: execution}, nil
}

// startFor starts an execution in a role's name, and returns its ARN.
func (w *World) startFor(role *Role, machine, input string) (string, error) {
	if err := w.permit(role.ARN, "states:StartExecution", machine, nil); err != nil {
		return "", err
	}
	name := w.uuid()
	body, err := json.Marshal(map[string]string{"stateMachineArn": machine, "name": name, "input": input})
	if err != nil {
		return "", err
	}
	_, err = w.startExecution(body)
	return strings.Replace(machine, ":stateMachine:", ":execution:", 1) + ":" + name, err
}

// keep sends a start that did not come about to the queue, if the schedule's role may.
func (w *World) keep(s *stack, role *Role, queue string, why error) *Fired {
	if w.permit(role.ARN, "sqs:SendMessage", queue, nil) != nil {
		return &Fired{}
	}
	for _, r := range s.resources {
		if key := r.text("KmsMasterKeyId"); r.kind == "AWS::SQS::Queue" && r.attributes["Arn"] == queue && key != "" {
			for _, action := range []string{"kms:GenerateDataKey", "kms:Decrypt"} {
				if w.permit(role.ARN, action, key, nil) != nil {
					return &Fired{}
				}
			}
		}
	}
	return &Fired{Kept: why.Error()}
}
