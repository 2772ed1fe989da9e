package awsfake

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/pipeline/asl"
)

// machine finds a machine by its ARN.
func (w *World) machine(arn string) (*Machine, error) {
	if !strings.HasPrefix(arn, "arn:") || !strings.Contains(arn, ":stateMachine:") {
		return nil, refusal("InvalidArn", "Invalid Arn: 'Resource type not valid in this context: %s'", arn)
	}
	m := w.machines[arn]
	if m == nil {
		return nil, machineMissing(arn)
	}
	return m, nil
}

func (w *World) describeStateMachine(body []byte) (any, error) {
	var in struct{ StateMachineArn, IncludedData string }
	if err := readStates(body, &in); err != nil {
		return nil, err
	}
	m, err := w.machine(in.StateMachineArn)
	if err != nil {
		return nil, err
	}
	all := m.describe()
	all["status"], all["type"], all["creationDate"] = "ACTIVE", "STANDARD", epoch(m.Created)
	if in.IncludedData == "METADATA_ONLY" {
		delete(all, "definition")
	}
	return all, nil
}

// describe is what both descriptions of a machine say.
func (m *Machine) describe() map[string]any {
	logging := map[string]any{"level": cmp.Or(m.LogLevel, "OFF"), "includeExecutionData": m.LogData}
	if m.LogGroup != "" {
		parts := strings.SplitN(m.ARN, ":", 6)
		arn := fmt.Sprintf("arn:%s:logs:%s:%s:log-group:%s:*", parts[1], parts[3], parts[4], m.LogGroup)
		logging["destinations"] = []any{map[string]any{"cloudWatchLogsLogGroup": map[string]any{"logGroupArn": arn}}}
	}
	all := map[string]any{
		"stateMachineArn": m.ARN, "name": m.Name, "definition": string(m.Definition), "roleArn": m.RoleARN, "loggingConfiguration": logging,
		"tracingConfiguration": map[string]any{"enabled": m.Tracing}, "encryptionConfiguration": map[string]any{"type": "AWS_OWNED_KEY"},
	}
	if m.Revision != "" {
		all["revisionId"] = m.Revision
	}
	return all
}

// describeMachineOf describes the machine as an execution began with it.
func (w *World) describeMachineOf(body []byte) (any, error) {
	var in struct{ ExecutionArn, IncludedData string }
	if err := readStates(body, &in); err != nil {
		return nil, err
	}
	e, err := w.execution(in.ExecutionArn)
	if err != nil {
		return nil, err
	}
	all := e.machine.describe()
	all["updateDate"] = epoch(cmp.Or(e.machine.updated, e.machine.Created))
	if in.IncludedData == "METADATA_ONLY" {
		delete(all, "definition")
	}
	return all, nil
}

func (w *World) listStateMachines(body []byte) (any, error) {
	var in struct {
		MaxResults int
		NextToken  string
	}
	if err := readStates(body, &in); err != nil {
		return nil, err
	}
	size, err := pageSize(in.MaxResults)
	if err != nil {
		return nil, err
	}
	from, err := w.readToken(in.NextToken, "machines", in.MaxResults)
	if err != nil {
		return nil, err
	}
	var names []*Machine
	for _, m := range w.machines {
		names = append(names, m)
	}
	slices.SortFunc(names, func(a, b *Machine) int { return strings.Compare(a.Name, b.Name) })
	list := []any{}
	for _, m := range names[min(int(from), len(names)):] {
		if len(list) == size {
			return map[string]any{"stateMachines": list, "nextToken": w.nextToken(from+int64(size), "machines", in.MaxResults)}, nil
		}
		list = append(list, map[string]any{"stateMachineArn": m.ARN, "name": m.Name, "type": "STANDARD", "creationDate": epoch(m.Created)})
	}
	return map[string]any{"stateMachines": list}, nil
}

func (w *World) validateDefinition(body []byte) (any, error) {
	var in struct {
		Definition, Type, Severity string
		MaxResults                 int
	}
	if err := readStates(body, &in); err != nil {
		return nil, err
	}
	_, found := w.problems([]byte(in.Definition))
	result, diagnostics := "OK", []any{}
	for _, p := range found {
		result = "FAIL"
		if in.MaxResults > 0 && len(diagnostics) == in.MaxResults {
			break
		}
		code, text, _ := strings.Cut(p, ": ")
		one := map[string]any{"severity": "ERROR", "code": code, "message": text}
		if i := strings.LastIndex(text, " at /"); i >= 0 {
			one["message"], one["location"] = text[:i], text[i+4:]
		}
		diagnostics = append(diagnostics, one)
	}
	return map[string]any{"result": result, "diagnostics": diagnostics, "truncated": len(diagnostics) < len(found)}, nil
}

// execution finds an execution by its ARN.
func (w *World) execution(arn string) (*execution, error) {
	if !strings.HasPrefix(arn, "arn:") || !strings.Contains(arn, ":execution:") {
		return nil, refusal("InvalidArn", "Invalid Arn: 'Resource type not valid in this context: %s'", arn)
	}
	e := w.states.executions[arn]
	if e == nil {
		return nil, refusal("ExecutionDoesNotExist", "Execution Does Not Exist: '%s'", arn)
	}
	return e, nil
}

func (w *World) describeExecution(body []byte) (any, error) {
	var in struct{ ExecutionArn, IncludedData string }
	if err := readStates(body, &in); err != nil {
		return nil, err
	}
	if in.IncludedData != "" && in.IncludedData != "ALL_DATA" && in.IncludedData != "METADATA_ONLY" {
		return nil, violates("includedData", "satisfy enum value set: [ALL_DATA, METADATA_ONLY]")
	}
	e, err := w.execution(in.ExecutionArn)
	if err != nil {
		return nil, err
	}
	all := e.summary()
	reason := w.notRedrivable(e)
	all["redriveStatus"] = either(reason == "", "REDRIVABLE", "NOT_REDRIVABLE")
	if reason != "" {
		all["redriveStatusReason"] = reason
	}
	if in.IncludedData == "METADATA_ONLY" {
		return all, nil
	}
	included := map[string]any{"included": true}
	all["input"], all["inputDetails"] = e.input, included
	if e.status == asl.Succeeded {
		all["output"], all["outputDetails"] = string(e.output), included
	}
	if e.failure != nil {
		if e.failure.Name != "" {
			all["error"] = e.failure.Name
		}
		if e.failure.HasCause {
			all["cause"] = e.failure.Cause
		}
	}
	return all, nil
}

// summary is what lists and descriptions say of an execution.
func (e *execution) summary() map[string]any {
	all := map[string]any{
		"executionArn": e.arn, "stateMachineArn": e.machine.ARN, "name": e.name, "status": e.status, "startDate": epoch(e.started), "redriveCount": e.redrives,
	}
	if e.status != running {
		all["stopDate"] = epoch(e.stopped)
	}
	if e.redrives > 0 {
		all["redriveDate"] = epoch(e.redriven)
	}
	return all
}

func (w *World) listExecutions(body []byte) (any, error) {
	var in struct {
		StateMachineArn, StatusFilter, NextToken, MapRunArn, RedriveFilter string
		MaxResults                                                         int
	}
	if err := readStates(body, &in); err != nil {
		return nil, err
	}
	m, err := w.machine(in.StateMachineArn)
	if err != nil {
		return nil, err
	}
	statuses := []string{"", running, asl.Succeeded, asl.Failed, asl.TimedOut, asl.Aborted, "PENDING_REDRIVE"}
	if !slices.Contains(statuses, in.StatusFilter) {
		return nil, violates("statusFilter", "satisfy enum value set: [%s]", strings.Join(statuses[1:], ", "))
	}
	size, err := pageSize(in.MaxResults)
	if err != nil {
		return nil, err
	}
	request := []any{"executions", in.StateMachineArn, in.StatusFilter, in.RedriveFilter, in.MaxResults}
	from, err := w.readToken(in.NextToken, request...)
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, e := range slices.Backward(w.states.order) { // the newest first
		switch {
		case e.machine.ARN != m.ARN || w.states.executions[e.arn] != e || in.StatusFilter != "" && e.status != in.StatusFilter,
			in.RedriveFilter == "REDRIVEN" && e.redrives == 0, in.RedriveFilter == "NOT_REDRIVEN" && e.redrives > 0,
			from != 0 && e.number >= from:
			continue
		}
		if len(list) == size {
			return map[string]any{"executions": list, "nextToken": w.nextToken(from, request...)}, nil
		}
		list, from = append(list, e.summary()), e.number
	}
	return map[string]any{"executions": list}, nil
}
