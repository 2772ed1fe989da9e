package cloud

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"

	"github.com/mlmax/mlmax/pipeline/terminal"
)

// Explain wraps an error of a call with what was being done and what happened in words
// that a person can act on: fact, and behind "\n\thint: " the next command. The error
// stays what it is to errors.Is and errors.As. An error that has been explained only
// gets what was being done before it; one that is not AWS's stays as it is.
//
// No text holds credentials, and none can steer a terminal.
func (p *Place) Explain(err error, doing string) error {
	if err == nil {
		return nil
	}
	if told := (*explained)(nil); errors.As(err, &told) {
		return fmt.Errorf("%s: %w", doing, err)
	}
	fact, hint := p.words(err)
	return &explained{sentence(doing+": "+fact, hint), err}
}

// Advise adds to an error what else is to be done: to its hint, or as one.
func Advise(err error, more string) error {
	if strings.Contains(err.Error(), "\n\thint: ") {
		return fmt.Errorf("%w; %s", err, more)
	}
	return fmt.Errorf("%w\n\thint: %s", err, more)
}

// Words are fact and hint of an error of which only name and text are known, such as a
// failed execution's error and cause, or a job's FailureReason. The hint is empty where
// there is none to give.
func (p *Place) Words(name, text string) (fact, hint string) {
	code := name[strings.LastIndex(name, ".")+1:] // Step Functions puts the service before it
	if found := innerCode.FindStringSubmatch(text); found != nil {
		code = found[1]
	}
	if prefix, _, ok := strings.Cut(text, ":"); ok && (prefix == "CapacityError" || prefix == "InternalServerError") {
		code = prefix
	}
	return p.words(&smithy.GenericAPIError{Code: code, Message: innerTail.ReplaceAllString(text, "")})
}

// How Step Functions ends the cause of a call that a service refused.
var (
	innerCode = regexp.MustCompile(`\(Service: [^;)]*; Status Code: \d+; Error Code: ([A-Za-z]+)`)
	innerTail = regexp.MustCompile(` ?\(Service: [^;)]*; Status Code: [^)]*\)$`)
)

// An explained error has the words of what happened, and holds the error that told it.
type explained struct {
	text string
	err  error
}

func (e *explained) Error() string { return e.text }
func (e *explained) Unwrap() error { return e.err }

// faults say of an error, each for one kind, what happened and what to do. The first that
// knows it speaks.
var faults = []func(p *Place, err error) (fact, hint string, ok bool){
	cancelled, profiles, logins, clocks, denied, quotas, throttled, buckets, networks, troubled, refused,
}

// words are fact and hint of an error.
func (p *Place) words(err error) (fact, hint string) {
	for _, f := range faults {
		if fact, hint, ok := f(p, err); ok {
			return fact, hint
		}
	}
	return err.Error(), ""
}

// sentence joins fact and hint, clean and without credentials.
func sentence(fact, hint string) string {
	fact, under, ok := strings.Cut(fact, "\n\thint: ") // of an error that was ours
	if hint == "" && ok {
		hint = under
	}
	fact = clean(fact)
	if hint != "" {
		fact += "\n\thint: " + clean(hint)
	}
	return fact
}

// secrets are what may be in a service's message and not on a screen: keys, and what
// follows a signature that did not match, which holds the session's token.
var secrets = regexp.MustCompile(`\b((?:AKIA|ASIA)[A-Z0-9]{2})[A-Z0-9]{10,}|(?i)(?:the canonical string for this request|x-amz-security-token).*`)

func clean(text string) string {
	text = terminal.Clean(text)
	return strings.TrimSpace(secrets.ReplaceAllStringFunc(text, func(found string) string {
		if strings.HasPrefix(found, "AKIA") || strings.HasPrefix(found, "ASIA") {
			return found[:6] + "…"
		}
		return ""
	}))
}

// cancelled are calls that ended because we did.
func cancelled(_ *Place, err error) (fact, hint string, ok bool) {
	switch {
	case errors.Is(err, context.Canceled):
		return "interrupted", "", true
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time", again, true
	}
	return "", "", false
}

// again is the hint where nothing is wrong that a person could change.
const again = "run the same command again: nothing is done twice"

// codeOf is the code of what a service answered, or empty.
func codeOf(err error) string {
	var answer smithy.APIError
	if errors.As(err, &answer) {
		return answer.ErrorCode()
	}
	return ""
}

// messageOf is the text of what a service answered, or empty.
func messageOf(err error) string {
	var answer smithy.APIError
	if errors.As(err, &answer) {
		return answer.ErrorMessage()
	}
	return ""
}

// callOf is the service and the operation that an error is of, each empty if not known.
func callOf(err error) (service, operation string) {
	var op *smithy.OperationError
	if errors.As(err, &op) {
		return op.Service(), op.Operation()
	}
	return "", ""
}

// tries says how often a call was made, or nothing for once.
func tries(err error) string {
	var last *retry.MaxAttemptsError
	if errors.As(err, &last) && last.Attempt > 1 {
		return fmt.Sprintf(" after %d attempts", last.Attempt)
	}
	return ""
}

// answered is a service's own text, with its code.
func answered(err error) string {
	text := codeOf(err)
	if m := strings.TrimSuffix(messageOf(err), "."); m != "" {
		text += ": " + m
	}
	return text
}

// refused is everything else that a service said no to.
func refused(_ *Place, err error) (fact, hint string, ok bool) {
	if codeOf(err) == "" {
		return "", "", false
	}
	fact = answered(err)
	if _, operation := callOf(err); operation != "" {
		fact = operation + " was refused: " + fact
	}
	return fact, "", true
}
