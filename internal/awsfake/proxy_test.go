package awsfake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// faulty is a world behind a proxy, and the configuration to call it.
func faulty(t *testing.T) (*World, *Proxy, aws.Config) {
	w := New(Options{}, "b")
	p := NewProxy(w)
	server := p.Serve()
	t.Cleanup(server.Close)
	return w, p, configuration(w, server.URL)
}

// TestProxyFaults lets every fault hit a call: what the client is told, and whether
// the call had its effect.
func TestProxyFaults(t *testing.T) {
	t.Parallel()
	const denied = "AccessDenied: User: arn:aws:iam::123456789012:user/ada is not authorized to perform: "
	for _, test := range []struct {
		fault   Fault
		put     string // what PutObject is told
		effect  bool
		whoAmI  string // what GetCallerIdentity is told
		retried bool   // by the SDK
	}{
		{Throttle, "503 SlowDown: Please reduce your request rate.", false, "400 Throttling: Rate exceeded", true},
		{
			ServerError, "500 InternalError: We encountered an internal error. Please try again.", false,
			"500 InternalFailure: The request processing has failed because of an unknown error, exception or failure.", true,
		},
		{
			Unavailable, "503 ServiceUnavailable: Service is unable to handle request.", false,
			"503 ServiceUnavailable: The request has failed due to a temporary failure of the server.", true,
		},
		{Expired, "400 ExpiredToken: The provided token has expired.", false, "403 ExpiredToken: The security token included in the request is expired", false},
		{
			Denied, "403 " + denied + `s3:PutObject on resource: "arn:aws:s3:::b/k" because no identity-based policy allows the s3:PutObject action`, false,
			"403 " + denied + "sts:GetCallerIdentity on resource: * because no identity-based policy allows the sts:GetCallerIdentity action", false,
		},
		{Reset, "broken", false, "broken", true},
		{LostAnswer, "broken", true, "broken", true},
		{Truncated, "broken", true, "broken", true},
	} {
		w, p, conf := faulty(t)
		c := s3.NewFromConfig(conf, func(o *s3.Options) { o.UsePathStyle = true })
		p.Inject(Rule{On: "*", Times: 2, Fault: test.fault})
		put := &s3.PutObjectInput{Bucket: aws.String("b"), Key: aws.String("k"), Body: bytes.NewReader([]byte("text"))}
		_, err := c.PutObject(t.Context(), put)
		if got := told(err); got != test.put {
			t.Errorf("%s: PutObject is told\n\t%s\nwant\n\t%s", test.fault, got, test.put)
		}
		if effect := w.Object("b", "k") != nil; effect != test.effect {
			t.Errorf("%s: the effect is %t", test.fault, effect)
		}
		_, err = sts.NewFromConfig(conf).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
		if got := told(err); got != test.whoAmI {
			t.Errorf("%s: GetCallerIdentity is told\n\t%s\nwant\n\t%s", test.fault, got, test.whoAmI)
		}
		want := []string{"s3.PutObject #1 " + string(test.fault), "sts.GetCallerIdentity #1 " + string(test.fault)}
		if got := hitTexts(p.Struck()); !slices.Equal(got, want) {
			t.Errorf("%s: struck %q, want %q", test.fault, got, want)
		}

		// The same with the SDK's own repetitions: the second try goes through.
		p.Clear()
		p.Inject(Rule{On: "s3.PutObject", Fault: test.fault})
		conf.Retryer = func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
			})
		}
		c = s3.NewFromConfig(conf, func(o *s3.Options) { o.UsePathStyle = true })
		put.Body = bytes.NewReader([]byte("text"))
		if _, err = c.PutObject(t.Context(), put); (err == nil) != test.retried {
			t.Errorf("%s: with repetitions: %v", test.fault, err)
		}
		if n := p.Counts()["s3.PutObject"]; (n == 2) != test.retried {
			t.Errorf("%s: %d calls", test.fault, n)
		}
	}
}

// told is what an error tells of the service's answer, or that there was none.
func told(err error) string {
	var api smithy.APIError
	var response *smithyhttp.ResponseError
	switch {
	case err == nil:
		return "success"
	case errors.As(err, &api) && errors.As(err, &response):
		return fmt.Sprintf("%d %s: %s", response.HTTPStatusCode(), api.ErrorCode(), api.ErrorMessage())
	case strings.Contains(err.Error(), "connection reset") || strings.Contains(err.Error(), "EOF"):
		return "broken"
	}
	return err.Error()
}

func hitTexts(hits []Hit) []string {
	var out []string
	for _, h := range hits {
		out = append(out, h.String())
	}
	return out
}

// TestProxyRules picks calls by name and number.
func TestProxyRules(t *testing.T) {
	t.Parallel()
	_, p, conf := faulty(t)
	c := s3.NewFromConfig(conf, func(o *s3.Options) { o.UsePathStyle = true })
	p.Inject(Rule{On: "s3.HeadBucket", Nth: 2, Times: 2, Fault: Throttle}, Rule{On: "s3.*", Nth: 4, Times: -1, Fault: Reset})
	for range 4 {
		_, _ = c.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: aws.String("b")})
	}
	_, _ = c.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("b")})
	want := []string{"s3.HeadBucket #1", "s3.HeadBucket #2 Throttle", "s3.HeadBucket #3 Throttle", "s3.HeadBucket #4 Reset", "s3.ListObjectsV2 #1 Reset"}
	got := hitTexts(p.Hits())
	// net/http itself repeats a GET or HEAD that breaks on a connection which was used before.
	got = slices.CompactFunc(got, func(a, b string) bool {
		return strings.HasSuffix(a, "Reset") && strings.HasSuffix(b, "Reset") && strings.Fields(a)[0] == strings.Fields(b)[0]
	})
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestProxyTruncatedObject reads half of an object, and knows it.
func TestProxyTruncatedObject(t *testing.T) {
	t.Parallel()
	w, p, conf := faulty(t)
	if err := w.PutObject("b", "k", bytes.Repeat([]byte("x"), 1000)); err != nil {
		t.Fatal(err)
	}
	p.Inject(Rule{On: "s3.GetObject", Fault: Truncated})
	out, err := s3.NewFromConfig(conf, func(o *s3.Options) { o.UsePathStyle = true }).GetObject(context.Background(), &s3.GetObjectInput{Bucket: aws.String("b"), Key: aws.String("k")})
	if err != nil {
		t.Fatal(err)
	}
	if read, err := io.ReadAll(out.Body); len(read) != 500 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%d bytes, %v", len(read), err)
	}
}

// TestForward puts a proxy before a server that is not in this process.
func TestForward(t *testing.T) {
	t.Parallel()
	w := New(Options{}, "b")
	target, err := Forward(serve(t, w))
	if err != nil {
		t.Fatal(err)
	}
	p := NewProxy(target)
	server := p.Serve()
	t.Cleanup(server.Close)
	p.Inject(Rule{On: "s3.PutObject", Fault: LostAnswer})
	c := s3.NewFromConfig(configuration(w, server.URL), func(o *s3.Options) { o.UsePathStyle = true })
	put := &s3.PutObjectInput{Bucket: aws.String("b"), Key: aws.String("k"), Body: bytes.NewReader([]byte("text")), IfNoneMatch: aws.String("*")}
	if _, err := c.PutObject(t.Context(), put); told(err) != "broken" {
		t.Error(err)
	}
	put.Body = bytes.NewReader([]byte("text"))
	if _, err := c.PutObject(t.Context(), put); answered(t, err) != "412 PreconditionFailed: At least one of the pre-conditions you specified did not hold" {
		t.Error(err)
	}
}

// TestProxyProtocols has each service tell a fault in its own way, and a conflict in S3.
func TestProxyProtocols(t *testing.T) {
	t.Parallel()
	_, p, conf := faulty(t)
	const denied = "User: arn:aws:iam::123456789012:user/ada is not authorized to perform: "
	for _, test := range []struct {
		service, target, body string
		fault                 Fault
		want                  string
	}{
		{"states", "AWSStepFunctions.StartExecution", `{"stateMachineArn":"arn:m"}`, Throttle, "400 ThrottlingException: Rate exceeded"},
		{
			"states", "AWSStepFunctions.StartExecution", `{"stateMachineArn":"arn:m"}`, Denied,
			"400 AccessDeniedException: " + denied + "states:StartExecution on resource: arn:m because no identity-based policy allows the states:StartExecution action",
		},
		{"logs", "Logs_20140328.GetLogEvents", `{}`, Expired, "400 ExpiredTokenException: The security token included in the request is expired"},
		{"sagemaker", "SageMaker.ListModelPackages", `{}`, Unavailable, "503 ServiceUnavailable: The request has failed due to a temporary failure of the server."},
	} {
		p.Clear()
		p.Inject(Rule{On: test.service + ".*", Fault: test.fault})
		if _, got := call(t, *conf.BaseEndpoint, test.service, test.target, test.body); got != test.want {
			t.Errorf("%s %s:\n\t%s\nwant\n\t%s", test.target, test.fault, got, test.want)
		}
	}

	p.Clear()
	p.Inject(Rule{On: "cloudformation.DescribeStacks", Fault: Denied}, Rule{On: "s3.PutObject", Fault: Conflict})
	_, err := cloudformation.NewFromConfig(conf).DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String("dev")})
	want := "403 AccessDenied: " + denied + "cloudformation:DescribeStacks on resource: arn:aws:cloudformation:eu-west-1:123456789012:stack/dev/* " +
		"because no identity-based policy allows the cloudformation:DescribeStacks action"
	if got := told(err); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	_, err = s3.NewFromConfig(conf, func(o *s3.Options) { o.UsePathStyle = true }).PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("b"), Key: aws.String("k"), Body: strings.NewReader("x")})
	if got := told(err); got != "409 ConditionalRequestConflict: The conditional request cannot succeed due to a conflicting operation against this resource." {
		t.Error(got)
	}
	if got, want := p.Counts(), map[string]int{"cloudformation.DescribeStacks": 1, "s3.PutObject": 1}; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
