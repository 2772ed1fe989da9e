package delta

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/mlmax/mlmax/pipeline/asl"
)

// small is a template with every intrinsic function, and the least of a machine.
const small = `{
	"Parameters": {
		"Env": {"Type": "String"}, "KmsKey": {"Type": "String", "Default": ""}, "Account": {"Type": "String", "Default": ""},
		"Boundary": {"Type": "String", "Default": ""}
	},
	"Mappings": {"Accounts": {"eu-west-1": {"sklearn": "1415"}}},
	"Conditions": {
		"HasKey": {"Fn::Not": [{"Fn::Equals": [{"Ref": "KmsKey"}, ""]}]},
		"Dev": {"Fn::Equals": [{"Ref": "Env"}, "dev"]},
		"Both": {"Fn::And": [{"Condition": "HasKey"}, {"Condition": "Dev"}]},
		"Either": {"Fn::Or": [{"Condition": "HasKey"}, {"Condition": "Dev"}]},
		"Circle": {"Fn::Not": [{"Condition": "Circle"}]}
	},
	"Resources": {
		"Role": {"Type": "AWS::IAM::Role", "Properties": {
			"PermissionsBoundary": {"Fn::If": ["HasKey", {"Ref": "Boundary"}, {"Ref": "AWS::NoValue"}]},
			"Policies": [{"PolicyDocument": {"Statement": [{"Sid": "No", "Effect": "Deny", "Action": "s3:*", "NotResource": ["a", "b"]}]}}]}},
		"Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {
			"StateMachineName": {"Fn::Sub": "${Env}-demo"}, "Definition": {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}}},
		"Queue": {"Type": "AWS::SQS::Queue", "Condition": "HasKey", "Properties": {}},
		"Odd": {"Type": "Custom::Thing", "Properties": {"A": {"Ref": "Env"}}}
	}
}`

func TestResolve(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, value, want string }{
		{"parameter", `{"Ref": "Env"}`, `"dev"`},
		{"pseudo parameters", `{"Fn::Sub": "${AWS::Partition} ${AWS::Region} ${AWS::URLSuffix} ${AWS::AccountId}"}`, `"aws eu-west-1 amazonaws.com ${AWS::AccountId}"`},
		{"resource", `[{"Ref": "Machine"}, {"Fn::GetAtt": ["Role", "Arn"]}, {"Fn::GetAtt": "Role.Arn"}]`, `["${Machine}","${Role.Arn}","${Role.Arn}"]`},
		{"substitution", `{"Fn::Sub": ["${A}/${Env}/${!Env}", {"A": {"Fn::FindInMap": ["Accounts", {"Ref": "AWS::Region"}, "sklearn"]}}]}`, `"1415/dev/${Env}"`},
		{"map without the row", `{"Fn::FindInMap": ["Accounts", "mars-1", "sklearn"]}`, `"${Accounts.mars-1.sklearn}"`},
		{"condition", `{"Fn::If": ["HasKey", 1, {"a": {"Fn::If": ["Dev", 2, 3]}}]}`, `{"a":2}`},
		{"no value", `{"a": {"Ref": "AWS::NoValue"}, "b": [{"Ref": "AWS::NoValue"}, 1]}`, `{"b":[1]}`},
		{"lists", `{"Fn::Join": ["-", [{"Ref": "Env"}, {"Fn::Select": [1, {"Fn::Split": [",", "a,b"]}]}]]}`, `"dev-b"`},
		{"unknown function", `{"Fn::Base64": {"Ref": "Env"}}`, `{"Fn::Base64":"dev"}`},
	}
	d, err := read(&Side{Template: []byte(small), Parameters: map[string]string{"Env": "dev"}, Region: "eu-west-1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		var o asl.Object
		if err := json.Unmarshal([]byte(`{"v": `+c.value+`}`), &o); err != nil {
			t.Fatal(err)
		}
		if got := encode(d.resolve(o[0].Value)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestConditions(t *testing.T) {
	t.Parallel()
	d, err := read(&Side{Template: []byte(small), Parameters: map[string]string{"Env": "dev"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"HasKey": false, "Dev": true, "Both": false, "Either": true, "None": false} {
		if got := d.holds(name); got != want {
			t.Errorf("%s holds: %v", name, got)
		}
	}
	d.holds("Circle") // ends
	if d.find("Queue") != nil {
		t.Error("a resource is there though its condition does not hold")
	}
}

// sides compares the small template with itself, for other parameters or with a text
// replaced.
func sides(t *testing.T, before, after map[string]string, replace ...string) *Plan {
	t.Helper()
	text := strings.NewReplacer(replace...).Replace(small)
	p, err := Compare(&Side{Template: []byte(small), Parameters: before}, Side{Template: []byte(text), Parameters: after}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestWidens(t *testing.T) {
	t.Parallel()
	dev := map[string]string{"Env": "dev", "KmsKey": "k", "Boundary": "b"}
	cases := []struct {
		name string
		plan *Plan
		want bool
	}{
		{"nothing", sides(t, dev, dev), false},
		{"denied no more", sides(t, dev, dev, `"Action": "s3:*"`, `"Action": "s3:Get*"`), true},
		{"denied more", sides(t, dev, dev, `"Action": "s3:*"`, `"Action": ["s3:*", "sqs:*"]`), false},
		{"another boundary", sides(t, dev, map[string]string{"Env": "dev", "KmsKey": "k", "Boundary": "c"}), true},
		{"a boundary where there was none", sides(t, map[string]string{"Env": "dev"}, dev), false},
	}
	for _, c := range cases {
		if got := c.plan.Widens(); got != c.want {
			t.Errorf("%s: widens %v\n%+v", c.name, got, c.plan.Permissions)
		}
	}
}

func TestLoses(t *testing.T) {
	t.Parallel()
	dev := map[string]string{"Env": "dev"}
	p := sides(t, dev, dev, "${Env}-demo", "${Env}-other", `"A": {"Ref": "Env"}`, `"A": 1`)
	if lost := p.Loses(); len(lost) != 1 || lost[0].Logical != "Machine" || lost[0].Change != Replaced || lost[0].Physical != "dev-demo" {
		t.Errorf("lost is %+v", lost)
	}
	if len(p.Resources) != 2 || p.Resources[1].Logical != "Odd" || !p.Resources[1].Maybe {
		t.Errorf("resources are %+v", p.Resources)
	}
	p.Resources[0].Kept, p.Resources[0].Change = true, Removed
	if lost := p.Loses(); len(lost) != 0 {
		t.Errorf("what is removed and kept is lost: %+v", lost)
	}
}

func TestCompareRefusesWhatIsNotOurs(t *testing.T) {
	t.Parallel()
	ours := Side{Template: []byte(small), Parameters: map[string]string{"Env": "dev"}}
	for text, want := range map[string]string{
		`nonsense`: "read the template", `{"Resources": {}}`: "has no state machine",
		`{"Resources": {"M": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"DefinitionString": "{}"}}}}`: "has no Definition",
	} {
		if _, err := Compare(&Side{Template: []byte(text)}, ours, nil); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "what is deployed") {
			t.Errorf("%s: %v", text, err)
		}
		if _, err := Compare(nil, Side{Template: []byte(text)}, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestTextInColour(t *testing.T) {
	t.Parallel()
	dev := map[string]string{"Env": "dev"}
	var plain, colour bytes.Buffer
	p := sides(t, dev, dev, "${Env}-demo", "${Env}-other")
	if err := p.Text(&plain, false); err != nil {
		t.Fatal(err)
	}
	if err := p.Text(&colour, true); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(plain.String(), "\x1b") || !strings.Contains(colour.String(), "\x1b[1;31m! Machine") {
		t.Errorf("plain:\n%s\nin colour:\n%q", plain.String(), colour.String())
	}
	if !strings.Contains(plain.String(), "no step that is paid by the hour") {
		t.Errorf("cost of a machine without jobs:\n%s", plain.String())
	}
}

func TestSpan(t *testing.T) {
	t.Parallel()
	for seconds, want := range map[int]string{1200: "20m", 3600: "1h", 5400: "1h30m", 90: "1m30s", 86400: "24h", 3601: "1h0m1s"} {
		if got := span(seconds); got != want {
			t.Errorf("%d seconds are %s, want %s", seconds, got, want)
		}
	}
}
