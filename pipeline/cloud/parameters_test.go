package cloud

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParameterFile(t *testing.T) {
	t.Parallel()
	to := demo(prefixed)
	to.Bucket, to.Region = "other", "us-east-1"
	values, err := Values(to)
	if err != nil {
		t.Fatal(err)
	}
	digests := map[string]string{"PrepareCode": "d1", "TrainCode": "d2"}
	got, err := ParameterFile(to.Definition, values, digests)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]Parameter{
		{"Env", "dev"}, {"Region", "us-east-1"}, {"Bucket", "other"}, {"Prefix", "ml/"}, {"PrepareCode", "d1"}, {"TrainCode", "d2"}, {"LogsExists", "false"},
	}, got); d != "" {
		t.Error(d)
	}
	values["Odd"] = "1"
	for want, digests := range map[string]map[string]string{
		"the template has no parameter Odd, for which the environment has a value\n\thint: run go generate ./... again, since template and environment do not fit": digests,
		"nothing gives the template's parameter TrainCode a value\n\thint: run go generate ./... again, since template and environment do not fit":                 {"PrepareCode": "d1"},
	} {
		if _, err := ParameterFile(to.Definition, values, digests); err == nil || err.Error() != want {
			t.Errorf("error is %v, want %s", err, want)
		}
	}
	to.Definition.Template = []byte("{")
	if _, err := ParameterFile(to.Definition, values, digests); err == nil {
		t.Error("a torn template was read")
	}
}

// TestLogin has what a person does about credentials that ran out, by where they come from.
func TestLogin(t *testing.T) {
	expired := said("ExpiredToken", "")
	p := inWords()
	p.source = "LoginProvider"
	if got := p.Explain(expired, "x").Error(); got != "x: AWS credentials expired (profile ml)\n\thint: aws login --profile ml" {
		t.Errorf("%q", got)
	}
	p.Profile = ""
	t.Setenv("AWS_SESSION_TOKEN", "t")
	t.Setenv("AWS_PROFILE", "")
	if got := p.Explain(expired, "x").Error(); got != "x: AWS credentials expired\n\thint: set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN anew, or unset them and say --profile" {
		t.Errorf("%q", got)
	}
}
