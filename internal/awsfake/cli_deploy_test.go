package awsfake

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// small is a template with what every one of ours has: a role, a log group, a machine.
const small = `{
  "Parameters": {"Greeting": {"Type": "String", "Default": "hello", "AllowedPattern": "[a-z]+"}},
  "Resources": {
    "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": {"Fn::Sub": "/aws/vendedlogs/states/${AWS::StackName}"}, "RetentionInDays": 30}},
    "Role": {"Type": "AWS::IAM::Role", "Properties": {
      "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}}]},
      "Policies": [{"PolicyName": "Needed", "PolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/data/*"}]}}]}},
    "Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {
      "StateMachineName": {"Ref": "AWS::StackName"}, "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
      "DefinitionSubstitutions": {"Greeting": {"Ref": "Greeting"}},
      "Definition": {"QueryLanguage": "JSONata", "StartAt": "Greet", "States": {"Greet": {"Type": "Pass", "Output": {"said": "{% '${Greeting}, ' & $states.input.name %}"}, "End": true}}}}}
  },
  "Outputs": {"MachineArn": {"Value": {"Ref": "Machine"}}}
}`

// TestCLIDeploys has the AWS CLI deploy a machine, run it, and delete it.
func TestCLIDeploys(t *testing.T) {
	t.Parallel()
	w := New(Options{}, "bucket")
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	c := newCLI(t, w, serve(t, w))
	if err := os.WriteFile(filepath.Join(c.dir, "template.json"), []byte(small), 0o600); err != nil {
		t.Fatal(err)
	}
	deploy := []string{"cloudformation", "deploy", "--stack-name", "dev-greet", "--template-file", "template.json"}
	if _, failed := c.run(deploy...); !strings.Contains(failed, "(InsufficientCapabilitiesException)") || !strings.Contains(failed, "Requires capabilities : [CAPABILITY_IAM]") {
		t.Error(failed)
	}
	deploy = append(deploy, "--capabilities", "CAPABILITY_IAM", "--no-fail-on-empty-changeset")
	if got := c.must(t, deploy...); !strings.Contains(got, "Successfully created/updated stack - dev-greet") {
		t.Errorf("%q", got)
	}
	stack := c.answer(t, "cloudformation", "describe-stacks", "--stack-name", "dev-greet")["Stacks"].([]any)[0].(map[string]any)
	machine := stack["Outputs"].([]any)[0].(map[string]any)["OutputValue"].(string)
	if stack["StackStatus"] != "CREATE_COMPLETE" || machine != w.ARN("states", "stateMachine:dev-greet") {
		t.Errorf("%v", stack)
	}

	execution := c.answer(t, "stepfunctions", "start-execution", "--state-machine-arn", machine, "--name", "r1", "--input", `{"name":"ada"}`)["executionArn"].(string)
	if _, err := w.Ended(t.Context(), execution); err != nil {
		t.Fatal(err)
	}
	if got := c.answer(t, "stepfunctions", "describe-execution", "--execution-arn", execution); got["status"] != "SUCCEEDED" || got["output"] != `{"said":"hello, ada"}` {
		t.Errorf("%v", got)
	}
	if got := c.answer(t, "stepfunctions", "get-execution-history", "--execution-arn", execution)["events"].([]any); len(got) != 4 {
		t.Errorf("%v", got)
	}
	if _, failed := c.run("stepfunctions", "start-execution", "--state-machine-arn", machine, "--name", "r1", "--input", `{"name":"bob"}`); !strings.HasSuffix(failed, "An error occurred (ExecutionAlreadyExists) when calling the StartExecution operation: Execution Already Exists: '"+execution+"'") {
		t.Error(failed)
	}

	// The CLI names a change set by the second, which has passed since the first one.
	if got := c.must(t, deploy...); !strings.Contains(got, "No changes to deploy. Stack dev-greet is up to date") {
		t.Errorf("%q", got)
	}

	c.must(t, "cloudformation", "delete-stack", "--stack-name", "dev-greet")
	c.must(t, "cloudformation", "wait", "stack-delete-complete", "--stack-name", "dev-greet")
	if left := w.Machines(); len(left) != 0 {
		t.Errorf("left over: %v", left[0].ARN)
	}
	if _, failed := c.run("cloudformation", "describe-stacks", "--stack-name", "dev-greet"); !strings.HasSuffix(failed, "An error occurred (ValidationError) when calling the DescribeStacks operation: Stack with id dev-greet does not exist") {
		t.Error(failed)
	}
}
