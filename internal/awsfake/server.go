package awsfake

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// A Call is one request that the account answered.
type Call struct {
	// Service is the name in signatures (states, s3, cloudformation, logs, sagemaker, sts),
	// Action the operation's ("StartExecution", "PutObject").
	Service, Action string
	// Code is the HTTP status, Error the error's code, or empty.
	Code  int
	Error string
}

// Serve starts to answer on loopback. The server is the caller's to close.
func (w *World) Serve() *httptest.Server { return httptest.NewServer(w) }

// The credentials of tests: any are good, and these are nobody's.
const (
	accessKey = "AKIAFAKEFAKEFAKEFAKE"
	secretKey = "fake"
)

// Config are the options by which this process's SDK finds a server at an address, whatever
// the machine's own AWS configuration is.
func Config(url string) []func(*config.LoadOptions) error {
	return []func(*config.LoadOptions) error{
		config.WithBaseEndpoint(url), config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(accessKey, secretKey, "")),
		config.WithSharedConfigFiles([]string{}), config.WithSharedCredentialsFiles([]string{}), // nil would be the user's
	}
}

// Env are the variables by which a process of the SDK or the AWS CLI finds a server of this
// account, and nothing else of AWS.
func (w *World) Env(url string) []string {
	return []string{
		"AWS_ENDPOINT_URL=" + url, "AWS_ACCESS_KEY_ID=" + accessKey, "AWS_SECRET_ACCESS_KEY=" + secretKey, "AWS_REGION=" + w.Region, "AWS_DEFAULT_REGION=" + w.Region,
		"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
	}
}

// Calls are the requests so far, in order.
func (w *World) Calls() []Call {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.calls)
}

// scope is the credential of a signature: key, date, Region, service.
var scope = regexp.MustCompile(`Credential=([^/]+)/(\d{8})/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request`)

// Identify says which service and operation a request is for. The body of a request of a
// query protocol is read and put back.
func Identify(r *http.Request) (service, action string) {
	match := scope.FindStringSubmatch(r.Header.Get("Authorization"))
	if match == nil {
		return "", ""
	}
	service = match[4]
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		return service, target[strings.LastIndex(target, ".")+1:]
	}
	if service == "s3" {
		name, _ := s3Operation(r)
		return service, name
	}
	return service, form(r).Get("Action")
}

// form is the body of a request of a query protocol.
func form(r *http.Request) url.Values {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil
	}
	return values
}

// ServeHTTP answers one request.
func (w *World) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	service, action := Identify(r)
	handler := w.services[service]
	seen := &seen{ResponseWriter: rw, code: http.StatusOK}
	if handler == nil {
		http.Error(seen, fmt.Sprintf("awsfake has no service %q (%s %s)", service, r.Method, r.URL.Path), http.StatusNotImplemented)
	} else {
		handler.ServeHTTP(seen, r)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, Call{service, action, seen.code, seen.failure})
}

// seen is an answer whose status and error are noted.
type seen struct {
	http.ResponseWriter
	code    int
	failure string
}

func (s *seen) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

// note keeps an error's code for the list of calls.
func note(rw http.ResponseWriter, code string) {
	if s, ok := rw.(*seen); ok {
		s.failure = code
	}
}

// answerJSON answers a request of the JSON protocols.
func answerJSON(rw http.ResponseWriter, v any) {
	rw.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(rw).Encode(v) // a client that went away is no concern
}

// refuseJSON answers with an error of the JSON protocols.
func refuseJSON(rw http.ResponseWriter, status int, code, message string) {
	note(rw, code)
	rw.Header().Set("Content-Type", "application/x-amz-json-1.1")
	rw.Header().Set("X-Amzn-Errortype", code)
	rw.WriteHeader(status)
	_ = json.NewEncoder(rw).Encode(map[string]string{"__type": code, "message": message})
}

// answerQuery answers a request of the query protocol: the result's members are XML already.
func answerQuery(rw http.ResponseWriter, action, namespace, result string) {
	rw.Header().Set("Content-Type", "text/xml")
	fmt.Fprintf(rw, `<%[1]sResponse xmlns="%[2]s"><%[1]sResult>%[3]s</%[1]sResult><ResponseMetadata><RequestId>fake</RequestId></ResponseMetadata></%[1]sResponse>`,
		action, namespace, result)
}

// refuseQuery answers with an error of the query protocol.
func refuseQuery(rw http.ResponseWriter, status int, code, message string) {
	note(rw, code)
	rw.Header().Set("Content-Type", "text/xml")
	rw.WriteHeader(status)
	fmt.Fprintf(rw, `<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>fake</RequestId></ErrorResponse>`,
		escape(code), escape(message))
}

// escape makes a text fit for XML.
func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes all
	return b.String()
}
