package awsfake

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// role makes a role with one policy of the statements.
func (w *World) role(name, statements string) string {
	arn := "arn:aws:iam::123456789012:role/" + name
	w.roles[name] = &Role{
		Name: name, ARN: arn, Policies: map[string]json.RawMessage{"Needed": json.RawMessage(`{"Version":"2012-10-17","Statement":` + statements + `}`)},
	}
	return arn
}

// TestAllowed asks policies for what they are known to allow and not to.
func TestAllowed(t *testing.T) {
	t.Parallel()
	const (
		read    = `{"Effect":"Allow","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::b/data/*"]}`
		list    = `{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::b","Condition":{"StringLike":{"s3:prefix":["data/*","code/*"]}}}`
		ifThere = `{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::b","Condition":{"StringLikeIfExists":{"s3:prefix":"runs/*"}}}`
		pass    = `{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::123456789012:role/job","Condition":{"StringEquals":{"iam:PassedToService":"sagemaker.amazonaws.com"}}}`
		grant   = `{"Effect":"Allow","Action":"kms:CreateGrant","Resource":"*","Condition":{"Bool":{"kms:GrantIsForAWSResource":true}}}`
		both    = `[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Action":"s3:Put*","Resource":"arn:aws:s3:::b/runs/?/*"}]`
		but     = `{"Effect":"Allow","NotAction":"iam:*","NotResource":"arn:aws:s3:::secret/*"}`
		tls     = `{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`
		denied  = "User: arn:aws:sts::123456789012:assumed-role/r/session is not authorized to perform: "
	)
	for _, test := range []struct {
		statements, action, resource string
		context                      string // key=value
		want                         string // what follows the resource in the denial, or ""
	}{
		{read, "s3:GetObject", "arn:aws:s3:::b/data/x/y.csv", "", ""},
		{read, "S3:getobject", "arn:aws:s3:::b/data/x", "", ""},
		{read, "s3:GetObject", "arn:aws:s3:::b/other", "", " because no identity-based policy allows the s3:GetObject action"},
		{read, "s3:PutObject", "arn:aws:s3:::b/data/x", "", " because no identity-based policy allows the s3:PutObject action"},
		{read, "s3:GetObject", "arn:aws-cn:s3:::b/data/x", "", " because no identity-based policy allows the s3:GetObject action"},
		{list, "s3:ListBucket", "arn:aws:s3:::b", "s3:prefix=data/2026/", ""},
		{list, "s3:ListBucket", "arn:aws:s3:::b", "s3:prefix=runs/", " because no identity-based policy allows the s3:ListBucket action"},
		{list, "s3:ListBucket", "arn:aws:s3:::b", "", " because no identity-based policy allows the s3:ListBucket action"},
		{ifThere, "s3:ListBucket", "arn:aws:s3:::b", "", ""},
		{ifThere, "s3:ListBucket", "arn:aws:s3:::b", "s3:prefix=data/", " because no identity-based policy allows the s3:ListBucket action"},
		{pass, "iam:PassRole", "arn:aws:iam::123456789012:role/job", "iam:PassedToService=sagemaker.amazonaws.com", ""},
		{pass, "iam:PassRole", "arn:aws:iam::123456789012:role/job", "iam:PassedToService=lambda.amazonaws.com", " because no identity-based policy allows the iam:PassRole action"},
		{pass, "iam:PassRole", "arn:aws:iam::123456789012:role/jobs", "iam:PassedToService=sagemaker.amazonaws.com", " because no identity-based policy allows the iam:PassRole action"},
		{grant, "kms:CreateGrant", "arn:aws:kms:eu-west-1:123456789012:key/k", "kms:GrantIsForAWSResource=true", ""},
		{grant, "kms:CreateGrant", "arn:aws:kms:eu-west-1:123456789012:key/k", "kms:GrantIsForAWSResource=false", " because no identity-based policy allows the kms:CreateGrant action"},
		{both, "s3:PutObject", "arn:aws:s3:::b/data/x", "", ""},
		{both, "s3:PutObject", "arn:aws:s3:::b/runs/1/x", "", " with an explicit deny in an identity-based policy"},
		{both, "s3:PutObject", "arn:aws:s3:::b/runs/12/x", "", ""},
		{but, "s3:GetObject", "arn:aws:s3:::b/x", "", ""},
		{but, "iam:CreateRole", "arn:aws:iam::123456789012:role/x", "", " because no identity-based policy allows the iam:CreateRole action"},
		{but, "s3:GetObject", "arn:aws:s3:::secret/x", "", " because no identity-based policy allows the s3:GetObject action"},
		{"[" + tls + "," + read + "]", "s3:GetObject", "arn:aws:s3:::b/data/x", "", ""},
	} {
		w := New(Options{})
		role := w.role("r", test.statements)
		context := map[string][]string{}
		if key, value, ok := strings.Cut(test.context, "="); ok {
			context[key] = []string{value}
		}
		err := w.Allowed(role, test.action, test.resource, context)
		var refused *Refused
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", test.statements, err)
		case test.want != "" && (!errors.As(err, &refused) || err.Error() != denied+test.action+" on resource: "+test.resource+test.want):
			t.Errorf("%s: %s on %s (%s): %v, want …%s", test.statements, test.action, test.resource, test.context, err, test.want)
		}
	}
}

// TestAllowedUnknown has what this account does not know: an error, neither yes nor no.
func TestAllowedUnknown(t *testing.T) {
	t.Parallel()
	with := func(condition string) string {
		return `{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":` + condition + `}`
	}
	for _, test := range []struct{ statements, want string }{
		{with(`{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`), `statement "": awsfake: the condition operator IpAddress is not known`},
		{with(`{"ForNoValue:StringLike":{"s3:prefix":"x"}}`), `statement "": awsfake: there is no condition operator ForNoValue:StringLike`},
		{with(`{"StringEquals":{"aws:SourceVpce":"x"}}`), `awsfake: statement "" has a condition on aws:SourceVpce, of which nothing is known`},
		{`{"Effect":"allow","Action":"s3:*","Resource":"*"}`, `awsfake: statement "" has the effect "allow"`},
		{`{"Effect":"Allow","Action":"s3:*","Resources":"*"}`, `awsfake: read a policy: json: unknown field "Resources"`},
		{`{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:username}"}`, `awsfake: statement "" has a variable in "arn:aws:s3:::b/${aws:username}"`},
		{`{"Effect":"Allow","Action":"s3:*","Resource":"*","Principal":{"Service":"x"}}`, `awsfake: an identity-based policy cannot have a principal`},
	} {
		w := New(Options{})
		err := w.Allowed(w.role("r", test.statements), "s3:GetObject", "arn:aws:s3:::b/k", nil)
		if want := "role r: policy Needed: " + test.want; err == nil || err.Error() != want {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
	w := New(Options{})
	many := w.Allowed(w.role("r", with(`{"StringLike":{"s3:prefix":"x"}}`)), "s3:ListBucket", "arn:aws:s3:::b", map[string][]string{"s3:prefix": {"x", "y"}})
	if fmt.Sprint(many) != `statement "": awsfake: s3:prefix has several values, and StringLike is for one` {
		t.Error(many)
	}
	if err := w.Allowed("arn:aws:iam::123456789012:role/none", "s3:GetObject", "*", nil); fmt.Sprint(err) != "awsfake: there is no role arn:aws:iam::123456789012:role/none" {
		t.Error(err)
	}
}

// TestConditions has each operator with a value that fits, one that does not, and none.
func TestConditions(t *testing.T) {
	t.Parallel()
	const key = "s3:prefix"
	for _, test := range []struct {
		operator         string
		wanted           texts
		fits, not        string
		hold, fail, none bool
	}{
		{"StringEquals", texts{"a", "b"}, "b", "B", true, false, false},
		{"StringNotEquals", texts{"a", "b"}, "b", "c", false, true, true},
		{"StringEqualsIgnoreCase", texts{"a"}, "A", "b", true, false, false},
		{"StringNotEqualsIgnoreCase", texts{"a"}, "A", "b", false, true, true},
		{"StringLike", texts{"a*c?"}, "abbcd", "abbc", true, false, false},
		{"StringNotLike", texts{"a*"}, "ab", "b", false, true, true},
		{"StringLikeIfExists", texts{"a*"}, "ab", "b", true, false, true},
		{"Bool", texts{"true"}, "True", "false", true, false, false},
		{"ArnLike", texts{"arn:aws:s3:::b/*"}, "arn:aws:s3:::b/k:l/m", "arn:aws:s3:x::b/k", true, false, false},
		{"ArnEquals", texts{"arn:aws:s*:::b"}, "arn:aws:sns:::b", "arn:aws:s3:::c", true, false, false},
		{"ArnNotLike", texts{"arn:aws:s3:::b"}, "arn:aws:s3:::b", "arn:aws:s3:::c", false, true, true},
		{"Null", texts{"true"}, "x", "y", false, false, true},
		{"Null", texts{"false"}, "x", "y", true, true, false},
		{"ForAllValues:StringEquals", texts{"a"}, "a", "b", true, false, true},
		{"ForAnyValue:StringEquals", texts{"a"}, "a", "b", true, false, false},
	} {
		for value, want := range map[string]bool{test.fits: test.hold, test.not: test.fail, "": test.none} {
			context := map[string][]string{}
			if value != "" {
				context[key] = []string{value}
			}
			if got, err := condition(test.operator, key, test.wanted, context); err != nil || got != want {
				t.Errorf("%s %v of %q: %t, %v", test.operator, test.wanted, value, got, err)
			}
		}
	}
}

// TestBoundary needs a boundary to allow what the policies allow.
func TestBoundary(t *testing.T) {
	t.Parallel()
	w := New(Options{})
	role := w.role("r", `{"Effect":"Allow","Action":"*","Resource":"*"}`)
	w.roles["r"].Boundary = "arn:aws:iam::123456789012:policy/edge"
	if err := w.Allowed(role, "s3:GetObject", "*", nil); err == nil || !strings.Contains(err.Error(), "there is no policy arn:aws:iam::123456789012:policy/edge") {
		t.Error(err)
	}
	w.AddPolicy("arn:aws:iam::123456789012:policy/edge", []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Action":"s3:Delete*","Resource":"*"}]}`))
	for action, want := range map[string]string{
		"s3:GetObject":    "<nil>",
		"s3:DeleteObject": "User: arn:aws:sts::123456789012:assumed-role/r/session is not authorized to perform: s3:DeleteObject on resource: * with an explicit deny in a permissions boundary",
		"kms:Decrypt":     "User: arn:aws:sts::123456789012:assumed-role/r/session is not authorized to perform: kms:Decrypt on resource: * because no permissions boundary allows the kms:Decrypt action",
	} {
		if got := fmt.Sprint(w.Allowed(role, action, "*", nil)); got != want {
			t.Errorf("%s: %s", action, got)
		}
	}
}

// TestMayAssume holds trust policies against a confused deputy.
func TestMayAssume(t *testing.T) {
	t.Parallel()
	w := New(Options{})
	role := w.role("r", `[]`)
	w.roles["r"].Trust = json.RawMessage(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"states.amazonaws.com"},"Action":"sts:AssumeRole",
		"Condition":{"StringEquals":{"aws:SourceAccount":"123456789012"},"ArnLike":{"aws:SourceArn":"arn:aws:states:eu-west-1:123456789012:stateMachine:*"}}}]}`)
	const machine = "arn:aws:states:eu-west-1:123456789012:stateMachine:m"
	for _, test := range []struct {
		service, source string
		ok              bool
	}{
		{"states.amazonaws.com", machine, true},
		{"sagemaker.amazonaws.com", machine, false},
		{"states.amazonaws.com", "arn:aws:states:eu-west-1:999999999999:stateMachine:m", false},
		{"states.amazonaws.com", "arn:aws:states:eu-west-2:123456789012:stateMachine:m", false},
		{"states.amazonaws.com", "", false},
	} {
		err := w.MayAssume(role, test.service, test.source)
		if (err == nil) != test.ok {
			t.Errorf("%s for %s: %v", test.service, test.source, err)
		}
		if want := "User: " + test.service + " is not authorized to perform: sts:AssumeRole on resource: " + role; !test.ok && err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
