package cloud

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	signer "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// answerLimit is how much of an answer is read; DescribeModelPackage's largest is far below.
const answerLimit = 16 << 20

// SageMaker makes one call of SageMaker's API: operation is such as "ListModelPackages",
// in is encoded as its input, and the output is decoded into out, which may be nil. The
// SDK's own client of the service is not used: it takes longer to compile than all the
// rest together, for five calls.
//
// An error of the service is, or wraps, a *smithy.GenericAPIError. What may succeed if it
// is tried again is tried again as the configuration's retryer says, so every operation
// called by this must be one that can be sent twice.
func (p *Place) SageMaker(ctx context.Context, operation string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("encode the input of SageMaker's %s: %w", operation, err)
	}
	url, err := p.sageMakerURL(ctx)
	if err != nil {
		return fmt.Errorf("find the endpoint of SageMaker: %w", err)
	}
	retryer, ok := p.config.Retryer().(aws.RetryerV2)
	if !ok {
		panic("cloud: the configuration's retryer gives no tokens")
	}
	release := func(error) error { return nil }
	var skew time.Duration
	for attempt := 1; ; attempt++ {
		token, err := retryer.GetAttemptToken(ctx)
		if err != nil {
			return fmt.Errorf("SageMaker %s: %w", operation, err)
		}
		answer, failure := p.send(ctx, url, operation, body, &skew)
		// Both give back what the attempt has taken from the retryer's quota; with an error
		// they keep it, and that is no error of its own.
		_, _ = release(failure), token(failure)
		if failure == nil {
			return decodeAnswer(operation, answer, out)
		}
		failure = fmt.Errorf("SageMaker %s: %w", operation, failure)
		if ctx.Err() != nil || !retryer.IsErrorRetryable(failure) || attempt >= retryer.MaxAttempts() {
			return failure
		}
		if release, err = retryer.GetRetryToken(ctx, failure); err != nil {
			return errors.Join(failure, err)
		}
		delay, err := retryer.RetryDelay(attempt, failure)
		if err != nil {
			return errors.Join(failure, err)
		}
		if err := p.Wait(ctx, delay); err != nil {
			return failure
		}
	}
}

func decodeAnswer(operation string, answer []byte, out any) error {
	if out == nil || len(bytes.TrimSpace(answer)) == 0 {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("read the answer of SageMaker's %s: %w", operation, err)
	}
	return nil
}

// send makes one attempt. A service that says that this machine's clock is wrong says by
// how much, too; that is kept in skew for the next attempt.
func (p *Place) send(ctx context.Context, url, operation string, body []byte, skew *time.Duration) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	request.Header.Set("X-Amz-Target", "SageMaker."+operation)
	request.Header.Set("User-Agent", "mlmax "+aws.SDKName+"/"+aws.SDKVersion)
	credentials, err := p.config.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, &signer.SigningError{Err: fmt.Errorf("failed to retrieve credentials: %w", err)}
	}
	sum := sha256.Sum256(body)
	err = signer.NewSigner().SignHTTP(ctx, credentials, request, hex.EncodeToString(sum[:]), "sagemaker", p.Region, time.Now().Add(*skew))
	if err != nil {
		return nil, err
	}
	client := p.config.HTTPClient
	if client == nil {
		client = awshttp.NewBuildableClient()
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, &smithyhttp.RequestSendError{Err: err}
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, answerLimit))
	if err != nil {
		return nil, &cutError{err}
	}
	if response.StatusCode == http.StatusOK {
		return answer, nil
	}
	problem := refusal(response, answer)
	if now, err := http.ParseTime(response.Header.Get("Date")); err == nil && clockWrong[problem.Code] && time.Until(now).Abs() > 4*time.Minute {
		*skew = time.Until(now)
		return nil, &skewError{problem}
	}
	return nil, &awshttp.ResponseError{
		ResponseError: &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: response}, Err: problem},
		RequestID:     response.Header.Get("X-Amzn-Requestid"),
	}
}

// clockWrong are the errors that a wrong clock may lead to.
var clockWrong = map[string]bool{"InvalidSignatureException": true, "RequestTimeTooSkewed": true, "SignatureDoesNotMatch": true, "AuthFailure": true}

// refusal is the error that an answer holds. Its name stands in a header or in the body,
// with what is no part of it before "#" and behind ":".
func refusal(response *http.Response, answer []byte) *smithy.GenericAPIError {
	var body struct {
		Type    string `json:"__type"`
		Code    string `json:"code"`
		Message string `json:"message"` // or Message: names are matched in any case
	}
	// What stands between us and the service, such as a proxy, answers in no JSON.
	if json.Unmarshal(answer, &body) != nil || body.Message == "" {
		body.Message = fmt.Sprintf("the service answered %s", response.Status)
	}
	name := response.Header.Get("X-Amzn-Errortype")
	for _, other := range []string{body.Type, body.Code, "UnknownError"} {
		if name == "" {
			name = other
		}
	}
	name, _, _ = strings.Cut(name, ":")
	name = name[strings.LastIndex(name, "#")+1:]
	fault := smithy.FaultClient
	if response.StatusCode >= http.StatusInternalServerError {
		fault = smithy.FaultServer
	}
	return &smithy.GenericAPIError{Code: name, Message: body.Message, Fault: fault}
}

// A cutError is an answer that ended before its end.
type cutError struct{ err error }

func (e *cutError) Error() string        { return "read the answer: " + e.err.Error() }
func (e *cutError) Unwrap() error        { return e.err }
func (e *cutError) RetryableError() bool { return true }

// A skewError is a refusal that goes away once the clock's error is taken into account.
type skewError struct{ err *smithy.GenericAPIError }

func (e *skewError) Error() string        { return e.err.Error() }
func (e *skewError) Unwrap() error        { return e.err }
func (e *skewError) RetryableError() bool { return true }

// suffixes are the ends of the services' host names, by partition (botocore's
// partitions.json).
var suffixes = map[string]string{
	"aws": "amazonaws.com", "aws-us-gov": "amazonaws.com", "aws-cn": "amazonaws.com.cn", "aws-iso": "c2s.ic.gov", "aws-iso-b": "sc2s.sgov.gov",
	"aws-iso-e": "cloud.adc-e.uk", "aws-iso-f": "csp.hci.ic.gov", "aws-eusc": "amazonaws.eu",
}

// sageMakerURL is where the service is: where the configuration says, by variables or a
// profile, or where it is by its Region.
func (p *Place) sageMakerURL(ctx context.Context) (string, error) {
	own, err := p.configured(ctx)
	if err != nil || own != "" {
		return own, err
	}
	suffix, ok := suffixes[p.Partition]
	if !ok {
		return "", fmt.Errorf("this version of mlmax does not know the partition %q\n\thint: name the endpoint in AWS_ENDPOINT_URL_SAGEMAKER", p.Partition)
	}
	host := "api.sagemaker"
	for _, source := range p.config.ConfigSources {
		s, ok := source.(interface {
			GetUseFIPSEndpoint(context.Context) (aws.FIPSEndpointState, bool, error)
		})
		if !ok {
			continue
		}
		if state, found, err := s.GetUseFIPSEndpoint(ctx); err != nil {
			return "", err
		} else if found {
			if state == aws.FIPSEndpointStateEnabled {
				host = "api-fips.sagemaker"
			}
			break
		}
	}
	return "https://" + host + "." + p.Region + "." + suffix + "/", nil
}

// configured is the endpoint that variables or the shared configuration name for this
// service, else for all services, unless they say that none is to be used.
func (p *Place) configured(ctx context.Context) (string, error) {
	for _, source := range p.config.ConfigSources {
		s, ok := source.(interface {
			GetIgnoreConfiguredEndpoints(context.Context) (bool, bool, error)
		})
		if !ok {
			continue
		}
		if ignore, found, err := s.GetIgnoreConfiguredEndpoints(ctx); err != nil || found && ignore {
			return "", err
		}
	}
	for _, source := range p.config.ConfigSources {
		s, ok := source.(interface {
			GetServiceBaseEndpoint(context.Context, string) (string, bool, error)
		})
		if !ok {
			continue
		}
		if url, found, err := s.GetServiceBaseEndpoint(ctx, "SageMaker"); err != nil || found {
			return url, err
		}
	}
	return aws.ToString(p.config.BaseEndpoint), nil
}
