package awsfake

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// A faultAnswer is an error of a service, before it is put in the protocol's form.
type faultAnswer struct {
	service, code, message string
	status                 int
}

// s3Access are the permissions of operations of S3 that are called otherwise.
var s3Access = map[string]string{
	"HeadBucket": "ListBucket", "ListObjectsV2": "ListBucket", "HeadObject": "GetObject", "DeleteObjects": "DeleteObject", "CreateMultipartUpload": "PutObject",
	"UploadPart": "PutObject", "CompleteMultipartUpload": "PutObject", "ListParts": "ListMultipartUploadParts", "ListBuckets": "ListAllMyBuckets",
	"ListMultipartUploads": "ListBucketMultipartUploads",
}

// answer is what a service says where it does not serve a call.
func (h Hit) answer(r *http.Request, body []byte, caller string) faultAnswer {
	kind := 2 // the JSON protocols
	switch h.Service {
	case "s3":
		kind = 0
	case "cloudformation", "sts":
		kind = 1
	}
	pick := func(s3, query, json faultAnswer) faultAnswer {
		chosen := []faultAnswer{s3, query, json}[kind]
		chosen.service = h.Service
		return chosen
	}
	switch h.Fault {
	case Throttle:
		return pick(
			faultAnswer{status: 503, code: "SlowDown", message: "Please reduce your request rate."},
			faultAnswer{status: 400, code: "Throttling", message: "Rate exceeded"},
			faultAnswer{status: 400, code: "ThrottlingException", message: "Rate exceeded"})
	case ServerError:
		internal := faultAnswer{status: 500, code: "InternalFailure", message: "The request processing has failed because of an unknown error, exception or failure."}
		return pick(faultAnswer{status: 500, code: "InternalError", message: "We encountered an internal error. Please try again."}, internal, internal)
	case Unavailable:
		unavailable := faultAnswer{status: 503, code: "ServiceUnavailable", message: "The request has failed due to a temporary failure of the server."}
		return pick(faultAnswer{status: 503, code: "ServiceUnavailable", message: "Service is unable to handle request."}, unavailable, unavailable)
	case Expired:
		const text = "The security token included in the request is expired"
		return pick(
			faultAnswer{status: 400, code: "ExpiredToken", message: "The provided token has expired."},
			faultAnswer{status: 403, code: "ExpiredToken", message: text},
			faultAnswer{status: 400, code: "ExpiredTokenException", message: text})
	case Conflict:
		return faultAnswer{"s3", "ConditionalRequestConflict", "The conditional request cannot succeed due to a conflicting operation against this resource.", http.StatusConflict}
	case Denied:
		action := h.Action
		if other := s3Access[action]; h.Service == "s3" && other != "" {
			action = other
		}
		action = h.Service + ":" + action
		text := fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s because no identity-based policy allows the %[2]s action", caller, action, h.resource(r, body, caller))
		return pick(
			faultAnswer{status: 403, code: "AccessDenied", message: text},
			faultAnswer{status: 403, code: "AccessDenied", message: text},
			faultAnswer{status: 400, code: "AccessDeniedException", message: text})
	}
	panic("awsfake: no fault " + string(h.Fault))
}

// resource is the ARN that a denial names, as far as the request says it.
func (h Hit) resource(r *http.Request, body []byte, caller string) string {
	if h.Service == "s3" {
		return fmt.Sprintf("%q", "arn:aws:s3:::"+strings.TrimPrefix(r.URL.Path, "/"))
	}
	if values, err := url.ParseQuery(string(body)); err == nil && values.Get("StackName") != "" {
		if strings.HasPrefix(values.Get("StackName"), "arn:") {
			return values.Get("StackName")
		}
		return "arn:aws:cloudformation:" + region(r) + ":" + strings.Split(caller, ":")[4] + ":stack/" + values.Get("StackName") + "/*"
	}
	var members map[string]any
	if json.Unmarshal(body, &members) == nil {
		for _, name := range []string{"stateMachineArn", "executionArn", "ModelPackageName", "ModelPackageArn", "ResourceArn"} {
			if arn, ok := members[name].(string); ok {
				return arn
			}
		}
	}
	return "*"
}

// region is where a request was signed for.
func region(r *http.Request) string {
	if match := scope.FindStringSubmatch(r.Header.Get("Authorization")); match != nil {
		return match[3]
	}
	return "eu-west-1"
}

// refuse puts a refusal in its protocol's form.
func refuse(rw http.ResponseWriter, r *http.Request, e faultAnswer) {
	switch e.service {
	case "s3":
		rw.Header().Set("x-amz-request-id", "FAKEREQUEST00001")
		(&s3Call{rw: rw, r: r}).refuse(&s3Error{status: e.status, code: e.code, message: e.message})
	case "cloudformation", "sts":
		refuseQuery(rw, e.status, e.code, e.message)
	default:
		refuseJSON(rw, e.status, e.code, e.message)
	}
}
