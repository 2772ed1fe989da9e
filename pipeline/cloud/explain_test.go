package cloud

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/mlmax/mlmax/internal/awsfake"
	"github.com/mlmax/mlmax/pipeline/asl"
)

// noon is a clock that stands still.
type noon struct{ asl.Clock }

func (noon) Now() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }

// inWords is a place that nothing was asked of.
func inWords() *Place {
	p := &Place{Target: demo(prefixed), Account: "123456789012", Caller: "arn:aws:iam::123456789012:user/ada", Region: "eu-west-1", Partition: "aws", Bucket: "data", Clock: noon{}}
	p.Profile = "ml"
	p.Parameters = map[string]string{"Bucket": "data", "Prefix": "ml/"}
	return p
}

// of is an error as the SDK gives it, of a service's operation.
func of(service, operation string, err error) error {
	return &smithy.OperationError{ServiceID: service, OperationName: operation, Err: err}
}

// said is what a service answers.
func said(code, message string) error { return &smithy.GenericAPIError{Code: code, Message: message} }

// answer is an answer of that status without more.
func answer(status int, err error) error {
	return &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}}, Err: err}
}

const roleARN = "arn:aws:sts::123456789012:assumed-role/dev-demo-TrainRole-1A2B3C/SageMaker"

// TestExplain has a row for every fault of the world: LIMITS rows 18, 32, 33 and 34.
func TestExplain(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"expired", of("S3", "PutObject", said("ExpiredToken", "The provided token has expired.")),
			"AWS credentials expired at 11:30 (profile ml)\n\thint: aws sso login --profile ml"},
		{"expired, JSON", of("SFN", "DescribeExecution", said("ExpiredTokenException", "The security token included in the request is expired")),
			"AWS credentials expired at 11:30 (profile ml)\n\thint: aws sso login --profile ml"},
		{"SSO", of("STS", "GetCallerIdentity", fmt.Errorf("get identity: %w", &ssocreds.InvalidTokenError{Err: errors.New("expired")})),
			"AWS credentials expired at 11:30 (profile ml)\n\thint: aws sso login --profile ml"},
		{"aws login", of("STS", "GetCallerIdentity", errors.New("login session has expired, please reauthenticate")),
			"AWS credentials expired at 11:30 (profile ml)\n\thint: aws sso login --profile ml"},
		{"MFA", config.AssumeRoleTokenProviderNotSetError{},
			"the credentials (profile ml) need an MFA code, which is not asked for here\n\thint: get a session first: eval \"$(aws configure export-credentials --profile ml --format env)\", then without --profile"},
		{"none", errors.New("failed to refresh cached credentials, no EC2 IMDS role found"),
			"no AWS credentials were found (profile ml)\n\thint: log in: aws sso login --profile ml, or see aws configure list --profile ml"},
		{"unknown", of("STS", "GetCallerIdentity", said("InvalidClientTokenId", "The security token included in the request is invalid.")),
			"AWS does not know these credentials (profile ml): they were deleted, or are of another partition, or the Region is not enabled in the account\n\thint: see whose they are: aws sts get-caller-identity --profile ml"},
		{"secret", of("STS", "GetCallerIdentity", said("SignatureDoesNotMatch", "The request signature we calculated does not match. The Canonical String for this request should have been x-amz-security-token:SECRET")),
			"the secret key (profile ml) does not fit the access key\n\thint: set both anew: aws configure --profile ml"},
		{"profile", config.SharedConfigProfileNotExistError{Profile: "ml"},
			"there is no profile \"ml\" in the AWS configuration\n\thint: see which there are: aws configure list-profiles"},
		{"Region", of("S3", "PutObject", &aws.MissingRegionError{}), "no Region is known\n\thint: put it into the environment, or say --region"},
		{"clock", of("S3", "PutObject", said("RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")),
			"this machine's clock says 2026-11-24 12:00:00 UTC, which is too far from AWS's\n\thint: set the clock, for example: sudo timedatectl set-ntp true"},
		{"clock, JSON", of("SFN", "X", said("InvalidSignatureException", "Signature expired: 20261124T110000Z is now earlier than 20261124T115500Z")),
			"this machine's clock says 2026-11-24 12:00:00 UTC, which is too far from AWS's\n\thint: set the clock, for example: sudo timedatectl set-ntp true"},
		{"denied", of("S3", "PutObject", said("AccessDenied", `User: arn:aws:iam::123456789012:user/ada is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::data/k" because no identity-based policy allows the s3:PutObject action`)),
			"arn:aws:iam::123456789012:user/ada may not s3:PutObject on arn:aws:s3:::data/k (no identity-based policy allows it)\n\thint: let that identity do s3:PutObject on arn:aws:s3:::data/k; docs/aws.md, \"Before you begin\", has everything that deploying takes"},
		{"denied without a text", of("S3", "HeadObject", answer(403, said("Forbidden", "Forbidden"))),
			"arn:aws:iam::123456789012:user/ada may not s3:GetObject\n\thint: let that identity do s3:GetObject; docs/aws.md, \"Before you begin\", has everything that deploying takes"},
		{"role", said("X", "User: "+roleARN+" is not authorized to perform: s3:PutObject on resource: arn:aws:s3:::data/ml/runs/demo/r1/Train/x because no identity-based policy allows the s3:PutObject action"),
			"role TrainRole (" + roleARN + ") may not s3:PutObject on arn:aws:s3:::data/ml/runs/demo/r1/Train/x (no identity-based policy allows it): statement WriteOutputs should allow it, since step Train writes its outputs\n\thint: the deployed role may be older than the template: demo deploy --env dev --profile ml; else a boundary, bucket, key or organisation policy denies it"},
		{"role, boundary", said("X", "User: "+roleARN+" is not authorized to perform: s3:PutObject on resource: arn:aws:s3:::data/ml/runs/x because no permissions boundary allows the s3:PutObject action"),
			"role TrainRole (" + roleARN + ") may not s3:PutObject on arn:aws:s3:::data/ml/runs/x (no permissions boundary allows it): statement WriteOutputs should allow it, since step Train writes its outputs\n\thint: it is denied from above: ask whoever keeps the account's boundary, bucket and organisation policies"},
		{"role, elsewhere", said("X", "User: "+roleARN+" is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::other/x because no identity-based policy allows the s3:GetObject action"),
			"role TrainRole (" + roleARN + ") may not s3:GetObject on arn:aws:s3:::other/x (no identity-based policy allows it): statement ReadInputs allows it for arn:aws:s3:::data/ml/code/* only\n\thint: see what it is for: go tool mlmaxgen explain s3:GetObject ./specs/demo"},
		{"role, a conditional statement", said("X", "User: "+roleARN+" is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:eu-west-1:123456789012:key/1 with an explicit deny in a resource-based policy"),
			"role TrainRole (" + roleARN + ") may not kms:Decrypt on arn:aws:kms:eu-west-1:123456789012:key/1 (an explicit deny in a resource-based policy): statement UseKey should allow it\n\thint: it is denied from above: ask whoever keeps the account's boundary, bucket and organisation policies"},
		{"role, nothing", said("X", "User: "+roleARN+" is not authorized to perform: sqs:SendMessage"),
			"role TrainRole (" + roleARN + ") may not sqs:SendMessage: no statement of the template allows it\n\thint: see what it is for: go tool mlmaxgen explain sqs:SendMessage ./specs/demo"},
		{"throttled", of("SFN", "DescribeExecution", &retry.MaxAttemptsError{Attempt: 6, Err: said("ThrottlingException", "Rate exceeded")}),
			"SFN takes fewer calls than this account makes (ThrottlingException) after 6 attempts\n\thint: wait a minute, then run the same command again: nothing is done twice"},
		{"quota", said("ResourceLimitExceeded", "The account-level service limit 'ml.m5.xlarge for training job usage' is 0 Instances"),
			"ResourceLimitExceeded: The account-level service limit 'ml.m5.xlarge for training job usage' is 0 Instances\n\thint: choose another instance in the environment, or ask for a higher quota: https://eu-west-1.console.aws.amazon.com/servicequotas/home/services/sagemaker/quotas"},
		{"quota of another service", of("CloudFormation", "CreateChangeSet", said("LimitExceededException", "Limit for stack has been exceeded")),
			"LimitExceededException: Limit for stack has been exceeded\n\thint: see the quotas: aws service-quotas list-service-quotas --service-code cloudformation --profile ml"},
		{"trouble", of("S3", "PutObject", &retry.MaxAttemptsError{Attempt: 6, Err: answer(500, said("InternalError", "We encountered an internal error. Please try again."))}),
			"S3 has trouble of its own after 6 attempts (InternalError: We encountered an internal error. Please try again)\n\thint: run the same command again: nothing is done twice; if it lasts, see https://health.aws.amazon.com/health/status"},
		{"slow down", of("S3", "PutObject", answer(503, said("SlowDown", "Please reduce your request rate."))),
			"S3 takes fewer calls than this account makes (SlowDown)\n\thint: wait a minute, then run the same command again: nothing is done twice"},
		{"refused connection", of("STS", "GetCallerIdentity", &net.OpError{Op: "dial", Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9}, Err: syscall.ECONNREFUSED}),
			"the connection was refused (127.0.0.1:9)\n\thint: see to the network, or to a proxy (HTTPS_PROXY), then run the same command again: nothing is done twice"},
		{"reset", of("S3", "PutObject", &net.OpError{Op: "read", Err: syscall.ECONNRESET}),
			"the connection was cut\n\thint: see to the network, or to a proxy (HTTPS_PROXY), then run the same command again: nothing is done twice"},
		{"no host", of("STS", "X", &net.DNSError{Name: "sts.mars-1.amazonaws.com", IsNotFound: true}),
			"there is no host sts.mars-1.amazonaws.com: no network, or no such Region as eu-west-1\n\thint: see to the network, or to a proxy (HTTPS_PROXY), then run the same command again: nothing is done twice"},
		{"time-out", context.DeadlineExceeded, "no answer in time\n\thint: run the same command again: nothing is done twice"},
		{"cancelled", of("S3", "PutObject", context.Canceled), "interrupted"},
		{"no bucket", of("S3", "PutObject", answer(404, said("NoSuchBucket", "The specified bucket does not exist"))),
			"bucket data does not exist\n\thint: make it: aws s3 mb s3://data --region eu-west-1 --profile ml, or name another with --bucket"},
		{"something else", of("CloudFormation", "CreateChangeSet", said("ValidationError", "Template \x1b[31mformat error.")),
			"CreateChangeSet was refused: ValidationError: Template format error"},
		{"not AWS", errors.New("disk full"), "disk full"},
	} {
		p := inWords()
		p.expires = p.Clock.Now().Add(-30 * time.Minute).In(time.Local)
		c.want = strings.ReplaceAll(c.want, "11:30", p.expires.Local().Format("15:04"))
		err := p.Explain(c.err, "doing it")
		if want := "doing it: " + c.want; err.Error() != want {
			t.Errorf("%s:\n%s\nwant:\n%s", c.name, err, want)
		}
		if errors.Unwrap(err).Error() != c.err.Error() {
			t.Errorf("%s: the error is lost", c.name)
		}
		if outer := p.Explain(err, "more"); outer.Error() != "more: "+err.Error() {
			t.Errorf("%s: explained twice: %v", c.name, outer)
		}
	}
	if p := inWords(); p.Explain(nil, "x") != nil {
		t.Error("nothing was explained")
	}
}

// TestWords has what Step Functions and SageMaker say of a failed job.
func TestWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"SageMaker.ResourceLimitExceededException", "The account-level service limit 'ml.p3.2xlarge for training job usage' is 0 Instances. (Service: AmazonSageMaker; Status Code: 400; Error Code: ResourceLimitExceeded; Request ID: 1; Proxy: null)",
			"ResourceLimitExceeded: The account-level service limit 'ml.p3.2xlarge for training job usage' is 0 Instances | choose another instance in the environment, or ask for a higher quota: https://eu-west-1.console.aws.amazon.com/servicequotas/home/services/sagemaker/quotas"},
		{"SageMaker.AmazonSageMakerException", "User: " + strings.ReplaceAll(roleARN, "TrainRole", "MachineRole") + " is not authorized to perform: iam:PassRole on resource: arn:aws:iam::1:role/x because no identity-based policy allows the iam:PassRole action (Service: AmazonSageMaker; Status Code: 400; Error Code: AccessDeniedException; Request ID: 1; Proxy: null)",
			strings.ReplaceAll(roleARN, "TrainRole", "MachineRole") + " may not iam:PassRole on arn:aws:iam::1:role/x (no identity-based policy allows it) | let that identity do iam:PassRole on arn:aws:iam::1:role/x; docs/aws.md, \"Before you begin\", has everything that deploying takes"},
		{"States.TaskFailed", "CapacityError: Unable to provision requested ML compute capacity", "CapacityError: Unable to provision requested ML compute capacity | the Region has no such instance free: run it again later, or choose another instance in the environment"},
		{"States.TaskFailed", "AlgorithmError: ExecuteUserScriptError", "TaskFailed: AlgorithmError: ExecuteUserScriptError | "},
	} {
		fact, hint := inWords().Words(c.name, c.text)
		if got := fact + " | " + hint; got != c.want {
			t.Errorf("%s\nwant\n%s", got, c.want)
		}
	}
}

// TestKinds has the helpers by which others decide what to do.
func TestKinds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err                        error
		expired, throttled, denied bool
	}{
		{nil, false, false, false},
		{errors.New("x"), false, false, false},
		{said("ExpiredTokenException", ""), true, false, false},
		{said("Throttling", "Rate exceeded"), false, true, false},
		{said("SlowDown", ""), false, true, false},
		{said("LimitExceededException", ""), false, false, false},
		{said("AccessDeniedException", ""), false, false, true},
		{inWords().Explain(of("S3", "X", said("AccessDenied", "")), "x"), false, false, true},
		{said("ValidationError", "User: arn:x is not authorized to perform: iam:PassRole on resource: y"), false, false, true},
	} {
		if e, th, d := IsExpired(c.err), IsThrottled(c.err), IsDenied(c.err); e != c.expired || th != c.throttled || d != c.denied {
			t.Errorf("%v: expired %v, throttled %v, denied %v", c.err, e, th, d)
		}
	}
}

// TestNoCredentialsInWords has a message that tells too much.
func TestNoCredentialsInWords(t *testing.T) {
	t.Parallel()
	err := inWords().Explain(of("S3", "X", said("Odd", "key ASIAABCDEFGHIJKLMNOP: The Canonical String for this request should have been x-amz-security-token:TOKEN")), "x")
	if got := err.Error(); got != "x: X was refused: Odd: key ASIAAB…:" {
		t.Errorf("%q", got)
	}
}

// TestOpenFaults opens places where something is in the way, as a person meets it.
func TestOpenFaults(t *testing.T) {
	home := t.TempDir()
	write(t, filepath.Join(home, "config"), "[profile ml]\nregion=eu-west-1\n[profile sso]\nsso_session=s\nsso_account_id=1\nsso_role_name=r\n[sso-session s]\nsso_start_url=https://x.example\nsso_region=eu-west-1\n")
	t.Setenv("HOME", home)
	web := httptest.NewServer(http.NotFoundHandler())
	defer web.Close()
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	for _, c := range []struct {
		name, profile, endpoint string
		region                  string
		keys                    bool
		want                    string
	}{
		{"no credentials", "", "", "eu-west-1", false, "looking for AWS credentials: no AWS credentials were found\n\thint: log in: aws sso login, or see aws configure list"},
		{"unknown profile", "other", "", "eu-west-1", true, "reading the AWS configuration: there is no profile \"other\" in the AWS configuration\n\thint: see which there are: aws configure list-profiles"},
		{"never logged in", "sso", "", "eu-west-1", false, "looking for AWS credentials: nobody is logged in (profile sso)\n\thint: aws sso login --profile sso"},
		{"no Region", "", "", "", true, "no Region is known\n\thint: put it into the environment, or say --region"},
		{"nobody there", "", closed.URL, "eu-west-1", true, "finding out whose credentials these are: the connection was refused after 1 attempts"},
		{"not AWS", "", web.URL, "eu-west-1", true, "finding out whose credentials these are: what answered is not AWS, or the answer was cut off\n\thint: AWS_ENDPOINT_URL is " + web.URL + ": correct it, or unset it to talk to AWS"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for name, value := range map[string]string{
				"AWS_CONFIG_FILE": filepath.Join(home, "config"), "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true",
				"AWS_ENDPOINT_URL": c.endpoint, "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_REGION": "", "AWS_DEFAULT_REGION": "", "AWS_PROFILE": "", "AWS_SESSION_TOKEN": "",
			} {
				t.Setenv(name, value)
			}
			if c.keys {
				t.Setenv("AWS_ACCESS_KEY_ID", "AKIAFAKEFAKEFAKEFAKE")
				t.Setenv("AWS_SECRET_ACCESS_KEY", "fake")
			}
			to := demo(prefixed)
			if c.region == "" {
				to = demo(`[]`)
			}
			to.Profile = c.profile
			_, err := Open(t.Context(), to, Options{Load: []func(*config.LoadOptions) error{config.WithRetryer(func() aws.Retryer { return aws.NopRetryer{} })}})
			if err == nil || !strings.HasPrefix(err.Error(), strings.Replace(c.want, " after 1 attempts", "", 1)) {
				t.Errorf("error is\n%v\nwant\n%s", err, c.want)
			}
		})
	}
}

// TestBelongs refuses places that the credentials or the template are not for.
func TestBelongs(t *testing.T) {
	t.Parallel()
	w := awsfake.New(awsfake.Options{})
	for _, c := range []struct{ parameters, want string }{
		{`[{"ParameterKey":"Region","ParameterValue":"eu-west-1"},{"ParameterKey":"Account","ParameterValue":"999999999999"}]`,
			"environment dev belongs to account 999999999999, and these credentials to 123456789012 (arn:aws:iam::123456789012:user/ada); nothing was written\n\thint: choose other credentials with --profile, or correct Account in the environment"},
		{`[{"ParameterKey":"Region","ParameterValue":"cn-north-1"}]`,
			"region cn-north-1 is in partition aws-cn, and these credentials are of aws (arn:aws:iam::123456789012:user/ada); nothing was written\n\thint: choose other credentials with --profile, or another Region"},
		{`[{"ParameterKey":"Region","ParameterValue":"eu-north-1"}]`,
			"the template of demo is not for Region eu-north-1: there are no images for its steps; nothing was written\n\thint: it is for eu-west-1, us-east-1"},
	} {
		_, err := Open(t.Context(), demo(c.parameters), through(t, w))
		if err == nil || err.Error() != c.want {
			t.Errorf("error is\n%v\nwant\n%s", err, c.want)
		}
	}
}

// TestPreflight has a bucket that is not there, one of another account and one of another
// Region.
func TestPreflight(t *testing.T) {
	t.Parallel()
	w := awsfake.New(awsfake.Options{}, "data")
	w.AddBucket("far", "us-west-2", w.Account)
	w.AddBucket("foreign", w.Region, "999999999999")
	proxy := awsfake.NewProxy(w)
	for _, c := range []struct{ bucket, fault, want string }{
		{"data", "", ""},
		{"", "", "environment dev names no bucket; nothing was written\n\thint: put Bucket into the environment, or say --bucket"},
		{"none", "", "looking at bucket none before anything is written: bucket none does not exist\n\thint: make it: aws s3 mb s3://none --region eu-west-1, or name another with --bucket"},
		{"far", "", "looking at bucket far before anything is written: bucket far is in us-west-2, and the environment in eu-west-1: jobs take code and data from their own Region only\n\thint: name a bucket in eu-west-1 with --bucket, or deploy to us-west-2"},
		{"foreign", "", "looking at bucket foreign before anything is written: it is not account 123456789012's, or arn:aws:iam::123456789012:user/ada may not see it\n\thint: name a bucket of that account with --bucket, or let that identity do s3:ListBucket on arn:aws:s3:::foreign"},
		{"data", "Expired", "looking at bucket data before anything is written: AWS credentials expired\n\thint: aws sso login"},
		{"data", "Denied", "looking at bucket data before anything is written: arn:aws:iam::123456789012:user/ada may not s3:ListBucket on arn:aws:s3:::data (no identity-based policy allows it)\n\thint: let that identity do s3:ListBucket on arn:aws:s3:::data; docs/aws.md, \"Before you begin\", has everything that deploying takes"},
	} {
		p := open(t, proxy)
		p.Bucket = c.bucket
		proxy.Clear()
		if c.fault != "" {
			proxy.Inject(awsfake.Rule{On: "s3.*", Times: -1, Fault: awsfake.Fault(c.fault)})
		}
		got := ""
		if err := p.Preflight(t.Context()); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.bucket, got, c.want)
		}
	}
	for _, b := range []string{"data", "far", "foreign"} {
		if keys := w.Keys(b, ""); len(keys) > 0 {
			t.Errorf("%s holds %v", b, keys)
		}
	}
}
