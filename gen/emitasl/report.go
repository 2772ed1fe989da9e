package emitasl

import (
	"fmt"
	"strings"

	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/pipeline/asl"
)

// callSeconds bounds a call that answers at once.
const callSeconds = 60

// readReport adds the state that reads a report into a variable. It asserts every
// value here, in a Task: a Choice can neither be retried nor caught.
func (e *emitter) readReport(r *ir.Report, next string) {
	uri := "$" + r.Step + "." + r.Output
	name := r.Step + "." + r.Output
	statements := []string{"$r := $parse($states.result.Body)",
		fmt.Sprintf("$assert($type($r) = 'object', %s)", quote(name+" is no JSON object"))}
	var pairs []string
	for _, f := range r.Fields {
		value := fmt.Sprintf("$lookup($r, %s)", quote(f.JSON))
		valid, what := reportRule(f.Type)
		statements = append(statements, fmt.Sprintf("$v := %s; $assert(%s, %s & ($exists($v) ? $substring($string([$v]), 0, 200) : 'nothing'))",
			value, valid, quote(fmt.Sprintf("%s: %q must be %s, got ", name, f.JSON, what))))
		pairs = append(pairs, f.Name, value)
	}
	statements = append(statements, object(pairs...))
	e.add(&asl.State{
		Name: r.State, Type: asl.TaskState,
		Comment:  plain("The values of " + name + ", each asserted to be there and of its type."),
		Resource: e.resource("aws-sdk:s3:getObject"),
		Arguments: members(
			"Bucket", expr("$split("+uri+", '/')[2]"),
			"Key", expr("$substringAfter($substringAfter("+uri+", 's3://'), '/')"),
		),
		Assign:         members(r.Variable, expr("("+strings.Join(statements, "; ")+")")),
		TimeoutSeconds: callSeconds,
		Retry:          sdkRetry("S3"),
		Next:           next,
	})
}

// reportRule is what a value of a report has to be: JSON numbers may be too large
// to be finite.
func reportRule(t ir.Type) (valid, what string) {
	switch t {
	case ir.Float:
		return all("$type($v) = 'number'", "$v - $v = 0"), "a finite number"
	case ir.Int:
		return all("$type($v) = 'number'", fmt.Sprintf("$v = $floor($v) and $v >= -%d and $v <= %[1]d", maxWhole)), "a whole number"
	case ir.Bool:
		return "$type($v) = 'boolean'", "true or false"
	default:
		return "$type($v) = 'string'", "a text"
	}
}

// sdkRetry tries a call of an SDK integration again: what a service's model does
// not name (throttling, its own trouble) comes as PREFIX.PREFIXException.
func sdkRetry(prefix string) []*asl.Retrier {
	return []*asl.Retrier{{
		ErrorEquals:     []string{prefix + ".SdkClientException", prefix + "." + prefix + "Exception"},
		IntervalSeconds: ptr(2), BackoffRate: ptr(2.0), MaxAttempts: ptr(5), MaxDelaySeconds: ptr(60), JitterStrategy: "FULL",
	}}
}
