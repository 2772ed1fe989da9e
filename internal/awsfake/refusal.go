package awsfake

import (
	"fmt"
	"net/http"
)

// An apiError is a refusal of a service: the HTTP status, the exception's name and its text.
type apiError struct {
	status        int
	code, message string
}

// Error is the text with the name before it.
func (e *apiError) Error() string { return e.code + ": " + e.message }

// refusal makes an exception that the caller is to blame for.
func refusal(code, format string, args ...any) *apiError {
	return &apiError{http.StatusBadRequest, code, fmt.Sprintf(format, args...)}
}

// violates is what the service says of a member that does not fit its model.
func violates(member, constraint string, args ...any) *apiError {
	return refusal("ValidationException", "1 validation error detected: Value at '%s' failed to satisfy constraint: Member must %s", member, fmt.Sprintf(constraint, args...))
}

// said is what an error says to people: a refusal's message without its code.
func said(err error) string {
	if refused, ok := err.(*apiError); ok {
		return refused.message
	}
	return err.Error()
}
