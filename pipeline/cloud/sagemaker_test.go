package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	keys "github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"

	"github.com/mlmax/mlmax/pipeline/asl"
)

// at is a place whose calls go to a server that answers with these, in turn; seen are the
// requests that it has got.
func at(t *testing.T, answers ...http.HandlerFunc) (p *Place, seen func() []*http.Request) {
	t.Helper()
	var mu sync.Mutex // a connection that is reset leaves its handler behind
	var requests []*http.Request
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		requests = append(requests, r)
		n := len(requests)
		mu.Unlock()
		if string(body) != `{"MaxResults":3}` {
			t.Errorf("attempt %d sent %s", n, body)
		}
		answers[min(n, len(answers))-1](rw, r)
	}))
	t.Cleanup(server.Close)
	return &Place{
			Region: "eu-west-1", Partition: "aws", Clock: asl.NewVirtualClock(time.Unix(0, 0)),
			config: aws.Config{
				BaseEndpoint: aws.String(server.URL), Credentials: keys.NewStaticCredentialsProvider("AKIAFAKE", "fake", ""),
				Retryer: func() aws.Retryer {
					return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts = 4 })
				},
			},
		}, func() []*http.Request {
			mu.Lock()
			defer mu.Unlock()
			return requests
		}
}

func says(status int, header, body string) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) {
		if header != "" {
			rw.Header().Set("X-Amzn-Errortype", header)
		}
		rw.WriteHeader(status)
		_, _ = io.WriteString(rw, body)
	}
}

// cut answers with less than it announces.
func cut(rw http.ResponseWriter, _ *http.Request) {
	rw.Header().Set("Content-Length", "100")
	_, _ = io.WriteString(rw, `{"ModelPa`)
}

// reset ends the connection without an answer.
func reset(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func call(p *Place) (string, error) {
	var out struct{ NextToken string }
	err := p.SageMaker(context.Background(), "ListModelPackages", map[string]int{"MaxResults": 3}, &out)
	return out.NextToken, err
}

func TestSageMakerSpeaksItsProtocol(t *testing.T) {
	p, seen := at(t, says(200, "", `{"NextToken":"more"}`))
	if token, err := call(p); err != nil || token != "more" {
		t.Fatalf("token %q, error %v", token, err)
	}
	h := seen()[0].Header
	if h.Get("X-Amz-Target") != "SageMaker.ListModelPackages" || h.Get("Content-Type") != "application/x-amz-json-1.1" {
		t.Errorf("headers are %v", h)
	}
	if auth := h.Get("Authorization"); !strings.Contains(auth, "/eu-west-1/sagemaker/aws4_request") || !strings.Contains(auth, "x-amz-target") {
		t.Errorf("signature is %q", auth)
	}
}

func TestSageMakerTriesAgain(t *testing.T) {
	fine := says(200, "", `{"NextToken":"more"}`)
	for name, trouble := range map[string]http.HandlerFunc{
		"throttled": says(400, "", `{"__type":"ThrottlingException","message":"Rate exceeded"}`),
		"5xx":       says(503, "", "busy"),
		"cut":       cut,
		"reset":     reset,
	} {
		p, seen := at(t, trouble, trouble, fine)
		if token, err := call(p); err != nil || token != "more" || len(seen()) != 3 {
			t.Errorf("%s: token %q after %d attempts, error %v", name, token, len(seen()), err)
		}
		p, seen = at(t, trouble)
		if _, err := call(p); err == nil || len(seen()) != 4 {
			t.Errorf("%s for ever: %d attempts, error %v", name, len(seen()), err)
		}
	}
}

func TestSageMakerNamesARefusal(t *testing.T) {
	for _, answer := range []http.HandlerFunc{
		says(400, "", `{"__type":"com.amazonaws.sagemaker#ValidationException","message":"no such group"}`),
		says(400, "ValidationException:http://internal.amazon.com/coral/", `{"Message":"no such group"}`),
	} {
		p, seen := at(t, answer)
		_, err := call(p)
		var api *smithy.GenericAPIError
		if !errors.As(err, &api) || api.Code != "ValidationException" || api.Message != "no such group" || api.Fault != smithy.FaultClient {
			t.Errorf("error is %#v", err)
		}
		if len(seen()) != 1 {
			t.Errorf("it was tried %d times", len(seen()))
		}
	}
}

func TestSageMakerAllowsForAWrongClock(t *testing.T) {
	p, seen := at(t, func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Date", time.Now().Add(2*time.Hour).UTC().Format(http.TimeFormat))
		says(403, "InvalidSignatureException", "{}")(rw, r)
	}, says(200, "", "{}"))
	if _, err := call(p); err != nil {
		t.Fatal(err)
	}
	var signed []time.Time
	for _, r := range seen() {
		at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
		if err != nil {
			t.Fatal(err)
		}
		signed = append(signed, at)
	}
	if d := signed[1].Sub(signed[0]); d < 119*time.Minute || d > 121*time.Minute {
		t.Errorf("signed at %v", signed)
	}
}

func TestSageMakerStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	p, seen := at(t, func(rw http.ResponseWriter, r *http.Request) {
		cancel()
		says(500, "", "{}")(rw, r)
	})
	err := p.SageMaker(ctx, "ListModelPackages", json.RawMessage(`{"MaxResults":3}`), nil)
	if err == nil || len(seen()) != 1 {
		t.Errorf("%d attempts, error %v", len(seen()), err)
	}
}

func TestSageMakerEndpoints(t *testing.T) {
	for _, c := range []struct {
		region, want string
		env          []string
	}{
		{"eu-west-1", "https://api.sagemaker.eu-west-1.amazonaws.com/", nil},
		{"cn-north-1", "https://api.sagemaker.cn-north-1.amazonaws.com.cn/", nil},
		{"us-gov-west-1", "https://api-fips.sagemaker.us-gov-west-1.amazonaws.com/", []string{"AWS_USE_FIPS_ENDPOINT=true"}},
		{"eu-west-1", "http://127.0.0.1:1", []string{"AWS_ENDPOINT_URL=http://127.0.0.1:1"}},
		{"eu-west-1", "http://127.0.0.1:2", []string{"AWS_ENDPOINT_URL=http://127.0.0.1:1", "AWS_ENDPOINT_URL_SAGEMAKER=http://127.0.0.1:2"}},
		{"eu-west-1", "https://api.sagemaker.eu-west-1.amazonaws.com/", []string{"AWS_ENDPOINT_URL_SAGEMAKER=http://127.0.0.1:2", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true"}},
	} {
		t.Run(strings.Join(append(slices.Clone(c.env), c.region), " "), func(t *testing.T) {
			for _, v := range append([]string{"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_ACCESS_KEY_ID=AKIAFAKE", "AWS_SECRET_ACCESS_KEY=fake"}, c.env...) {
				name, value, _ := strings.Cut(v, "=")
				t.Setenv(name, value)
			}
			p := &Place{Region: c.region, Partition: "aws", Clock: asl.SystemClock}
			if strings.HasPrefix(c.region, "cn-") {
				p.Partition = "aws-cn"
			}
			if err := p.Reload(context.Background()); err != nil {
				t.Fatal(err)
			}
			if got, err := p.sageMakerURL(context.Background()); err != nil || got != c.want {
				t.Errorf("endpoint is %q (%v), want %q", got, err, c.want)
			}
		})
	}
}
