package cloud

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Codes of limits that a person has to raise. Some services use LimitExceededException for
// both; that is a quota here, since it outlasts the retries.
var quotaCodes = []string{
	"ResourceLimitExceeded", "ResourceLimitExceededException", "LimitExceeded", "LimitExceededException", "ServiceQuotaExceededException",
	"ExecutionLimitExceeded", "StateMachineLimitExceeded", "TooManyBuckets",
}

// throttleCodes are the SDK's, with S3's.
var throttleCodes = func() []string {
	codes := slices.DeleteFunc(slices.Sorted(maps.Keys(retry.DefaultThrottleErrorCodes)), func(c string) bool { return slices.Contains(quotaCodes, c) })
	return append(codes, "ThrottlingErrorException", "Throttled", "TooManyRequests")
}()

// conflictCodes are S3's for two who write at once.
var conflictCodes = []string{"ConditionalRequestConflict", "OperationAborted"}

// IsThrottled says that a service asked for fewer calls a second, also after the SDK's own
// retries: whoever polls waits longer.
func IsThrottled(err error) bool { return slices.Contains(throttleCodes, codeOf(err)) }

// Passes says that an error is the moment's: the service's own trouble, the network's, or
// throttling. Whoever polls, or a person who looks on, would look again.
func Passes(err error) bool {
	var garbled *smithy.DeserializationError
	var last *retry.MaxAttemptsError // the SDK only repeats what may pass
	return errors.As(err, &garbled) || errors.As(err, &last) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || IsThrottled(err) ||
		retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err) == aws.TrueTernary
}

func throttled(_ *Place, err error) (fact, hint string, ok bool) {
	if !IsThrottled(err) {
		return "", "", false
	}
	who := "AWS"
	if service, _ := callOf(err); service != "" {
		who = service
	}
	return who + " takes fewer calls than this account makes (" + codeOf(err) + ")" + tries(err), "wait a minute, then " + again, true
}

// quotas are limits of the account, and instances that the Region has none of.
func quotas(p *Place, err error) (fact, hint string, ok bool) {
	switch {
	case codeOf(err) == "CapacityError":
		return messageOf(err), "the Region has no such instance free: run it again later, or choose another instance in the environment", true
	case !slices.Contains(quotaCodes, codeOf(err)):
		return "", "", false
	}
	fact = answered(err)
	service := "sagemaker"
	if s, _ := callOf(err); s != "" {
		service = map[string]string{"SFN": "states", "S3": "s3", "CloudFormation": "cloudformation", "CloudWatch Logs": "logs"}[s]
	}
	hint = "choose another instance in the environment, or ask for a higher quota: " + p.Console() + "servicequotas/home/services/sagemaker/quotas"
	if service != "sagemaker" {
		hint = "see the quotas: " + p.aws("service-quotas list-service-quotas --service-code "+service)
	}
	return fact, hint, true
}

// networks are answers that did not come, or came from somebody else.
func networks(p *Place, err error) (fact, hint string, ok bool) {
	var name *net.DNSError
	var unknown x509.UnknownAuthorityError
	var verify *tls.CertificateVerificationError
	var timeout interface{ Timeout() bool }
	var garbled *smithy.DeserializationError
	var send *smithyhttp.RequestSendError
	hint = endpointHint("see to the network, or to a proxy (HTTPS_PROXY), then " + again)
	switch {
	case errors.As(err, &name) && name.IsNotFound:
		return fmt.Sprintf("there is no host %s: no network, or no such Region as %s", name.Name, p.Region), hint, true
	case errors.As(err, &unknown), errors.As(err, &verify):
		return "the certificate of the endpoint is not trusted: " + leaf(err).Error(), "where a proxy opens TLS, name its certificate with AWS_CA_BUNDLE", true
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection was refused" + tries(err) + endpointOf(err), hint, true
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return "the connection was cut" + tries(err), hint, true
	case errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time" + tries(err), hint, true
	case errors.As(err, &send):
		return "the request could not be sent" + tries(err) + ": " + leaf(err).Error(), hint, true
	case errors.As(err, &garbled) && codeOf(err) == "", codeOf(err) == "UnknownError":
		return "what answered is not AWS, or the answer was cut off" + tries(err), hint, true
	}
	return "", "", false
}

// endpointHint is what to do about an endpoint that was set, else another hint.
func endpointHint(other string) string {
	if endpoint := os.Getenv("AWS_ENDPOINT_URL"); endpoint != "" {
		return "AWS_ENDPOINT_URL is " + endpoint + ": correct it, or unset it to talk to AWS"
	}
	return other
}

// endpointOf is where a connection was tried, in parentheses, if that is known.
func endpointOf(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Addr != nil {
		return " (" + op.Addr.String() + ")"
	}
	return ""
}

// leaf is the innermost error.
func leaf(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// statusOf is the HTTP status of an answer, or 0.
func statusOf(err error) int {
	var answer interface{ HTTPStatusCode() int }
	if errors.As(err, &answer) {
		return answer.HTTPStatusCode()
	}
	return 0
}

// troubled are faults of a service's own, and answers of what is no service.
func troubled(_ *Place, err error) (fact, hint string, ok bool) {
	service, operation := callOf(err)
	text := strings.TrimPrefix(answered(err), ": ")
	switch s := statusOf(err); {
	case slices.Contains(conflictCodes, codeOf(err)):
		return "somebody else writes the same object at this moment" + tries(err), again, true
	case s == http.StatusNotImplemented || s == http.StatusMethodNotAllowed:
		return fmt.Sprintf("the endpoint does not know %s of %s", operation, service), endpointHint("see whether a proxy answers for AWS"), true
	case s >= http.StatusInternalServerError, codeOf(err) == "InternalServerError", codeOf(err) == "InternalError", codeOf(err) == "InternalFailure":
		if service == "" {
			return text, again, true
		}
		return fmt.Sprintf("%s has trouble of its own%s (%s)", service, tries(err), text), again + "; if it lasts, see https://health.aws.amazon.com/health/status", true
	}
	return "", "", false
}
