package emitasl

import (
	"fmt"
	"slices"
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
	e.add(&asl.State{
		Name: r.State, Type: asl.TaskState,
		Comment:  plain("The values of " + name + ", each asserted to be there and of its type."),
		Resource: e.resource("aws-sdk:s3:getObject"),
		Arguments: members(
			"Bucket", expr("$split("+uri+", '/')[2]"),
			"Key", expr("$substringAfter($substringAfter("+uri+", 's3://'), '/')"),
		),
		Assign:         members(r.Variable, expr("("+strings.Join(reportStatements(name, r.Fields), "; ")+")")),
		TimeoutSeconds: callSeconds,
		Retry:          sdkRetry("S3"),
		Next:           next,
	})
}

// reportRules are what a value of a report has to be, by its type: the function
// that asserts it, the condition and its words.
var reportRules = map[ir.Type]struct{ function, valid, what string }{
	ir.Float:  {"$numberAt", "$type($v) = 'number'", "a number"},
	ir.Int:    {"$wholeAt", all("$type($v) = 'number'", "$v = $floor($v)", fmt.Sprintf("$abs($v) <= %d", maxWhole)), "a whole number"},
	ir.Bool:   {"$flagAt", "$type($v) = 'boolean'", "true or false"},
	ir.String: {"$textAt", "$type($v) = 'string'", "a text"},
}

// reportStatements parse the report and make an object of its values; each type that
// it has is asserted by a function of its own.
func reportStatements(name string, fields []*ir.Field) []string {
	statements := []string{"$report := $parse($states.result.Body)",
		fmt.Sprintf("$assert($type($report) = 'object', %s)", quote(name+" is no JSON object"))}
	var defined, pairs []string
	for _, f := range fields {
		rule := reportRules[f.Type]
		if !slices.Contains(defined, rule.function) {
			defined = append(defined, rule.function)
			statements = append(statements, fmt.Sprintf("%s := function($key) {($v := $lookup($report, $key); "+
				"$assert(%s, %s & $key & %s & %s); $v)}",
				rule.function, rule.valid, quote(name+": "), quote(" must be "+rule.what+", got "), shown("$v")))
		}
		pairs = append(pairs, f.Name, rule.function+"("+quote(f.JSON)+")")
	}
	return append(statements, object(pairs...))
}

// sdkRetry tries a call of an SDK integration again: what a service's model does
// not name (throttling, its own trouble) comes as PREFIX.PREFIXException.
func sdkRetry(prefix string) []*asl.Retrier {
	return []*asl.Retrier{{
		ErrorEquals:     []string{prefix + ".SdkClientException", prefix + "." + prefix + "Exception"},
		IntervalSeconds: ptr(2), BackoffRate: ptr(2.0), MaxAttempts: ptr(5), MaxDelaySeconds: ptr(60), JitterStrategy: "FULL",
	}}
}
