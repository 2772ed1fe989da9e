package emitasl

import (
	"fmt"
	"strings"

	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/pipeline/asl"
)

// runName is the run's name in S3, in job names and in every output: the first
// hex digits of a hash of what no other execution has.
const runName = "$substring($hash($states.context.Execution.Id & $states.context.Execution.StartTime, 'SHA-256'), 0, 12)"

// maxWhole is the largest whole number that a JSON number holds exactly.
const maxWhole = 1<<53 - 1

// parameters adds the states that merge the input over the defaults and refuse what
// does not fit, naming every problem.
func (e *emitter) parameters() {
	assign := members("params", expr(e.merged()), "run", expr(runName), "notRegistered", asl.Object{})
	if e.plan.Tagged() {
		assign = append(assign, asl.Member{Key: "tags", Value: expr(environmentTags)})
	}
	if e.plan.Readable() > 0 {
		assign = append(assign, asl.Member{Key: "readable", Value: expr(readablePlaces)})
	}
	for _, r := range e.plan.Registrations() {
		// By expression: CloudFormation refuses a template that holds a null.
		assign = append(assign, asl.Member{Key: r.Name, Value: expr("null")})
	}
	e.add(&asl.State{
		Name: mergeState, Type: asl.PassState,
		Comment: "The input over the defaults; run names this run in S3 and in job names. What a condition may skip is null first.",
		Assign:  assign, Next: checkState,
	})
	problems := []any{expr(e.unknown())}
	if e.plan.Schedule != "" {
		problems = append(problems, expr(scheduledTime))
	}
	for _, p := range e.plan.Parameters {
		problems = append(problems, expr(e.problem(p)))
	}
	e.add(&asl.State{
		Name: checkState, Type: asl.PassState,
		Comment: "What is wrong with each parameter, or null.",
		Assign:  members("problems", problems), Next: fitState,
	})
	e.add(&asl.State{
		Name: fitState, Type: asl.ChoiceState,
		Choices: []*asl.Choice{{
			Condition: expr("$count($problems[$type($) = 'object']) = 0"),
			Next:      e.start(0),
		}},
		Default: badState,
	})
	e.add(&asl.State{
		Name: badState, Type: asl.FailState,
		Error: "BadParameters",
		Cause: expr(quote("the input does not fit "+e.plan.Name+": ") + " & " + told),
	})
}

// merged is the input over the defaults. An input that is no object is kept for the
// check to refuse.
func (e *emitter) merged() string {
	var defaults []string
	for _, p := range e.plan.Parameters {
		if p.Default == nil {
			continue
		}
		value := ""
		if p.Location {
			value = below(p.Default.(string))
		} else {
			value = literal(p.Default)
		}
		defaults = append(defaults, p.Key, value)
	}
	return "$type($states.input) = 'object' ? $merge([" + object(defaults...) + ", $states.input]) : $states.input"
}

// below is the URI of a key below the environment's prefix.
func below(key string) string {
	q := "'s3://${Bucket}/${Prefix}" + inner(key) + "'"
	if strings.Contains(key, "${") {
		return "(" + q + ")"
	}
	return q
}

// unknown refuses an input that is no object, or that has keys that are no parameters.
func (e *emitter) unknown() string {
	var quoted, plain []string
	for _, p := range e.plan.Parameters {
		quoted = append(quoted, quote(p.Key))
		plain = append(plain, p.Key)
	}
	if e.plan.Schedule != "" {
		quoted, plain = append(quoted, quote(ir.ScheduledTime)), append(plain, ir.ScheduledTime)
	}
	known := "it has none"
	if len(plain) > 0 {
		known = "it has " + strings.Join(plain, ", ")
	}
	return fmt.Sprintf("$type($params) != 'object' ? {'must': 'the input must be an object of parameters', 'got': $params} : "+
		"($u := [$keys($params)[$not($ in [%s])]]; $count($u) = 0 ? null : {'must': %s, 'got': $u})",
		strings.Join(quoted, ", "), quote("the keys must be parameters of "+e.plan.Name+" ("+known+")"))
}

// problem says what is wrong with a parameter's value, or is null.
func (e *emitter) problem(p *ir.Parameter) string {
	var valid string
	var must []string // parts of the rule in words, for concat
	switch {
	case p.Location:
		valid, must = e.location(p)
	case p.Type == ir.String:
		valid, must = e.stringRule(p)
	case p.Type == ir.Bool:
		valid, must = "$type($v) = 'boolean'", []string{"=true or false"}
	default:
		valid, must = e.numberRule(p)
	}
	return fmt.Sprintf("($v := %s; %s ? null : {'must': %s, 'got': $v})",
		param(p.Key), valid, concat(append([]string{"=" + p.Key + " must be "}, must...)))
}

// told are the problems as one text. A value is shown as JSON, cut out of an object,
// which leaves strings quoted and lists as they are.
const told = "$join($map($problems[$type($) = 'object'], function($p) {($j := $string({'got': $p.got}); " +
	"$p.must & ($exists($p.got) ? ', got ' & $substring($j, 7, $min([$length($j) - 8, 200])) : ', got nothing'))}), '; ')"

// location holds a place of data to where the roles can read, so that a wrong one
// fails here and not in a job that has waited for its instance.
func (e *emitter) location(p *ir.Parameter) (valid string, must []string) {
	end, before := "= '/'", "=a folder below "
	if p.File {
		end, before = "!= '/'", "=a file below "
	}
	var within []string
	for _, root := range p.Roots {
		at := below(root)
		within = append(within, fmt.Sprintf("$substring($v, 0, $length(%s)) = %[1]s", at))
		must = append(must, before, at)
		before = "= or "
	}
	if e.plan.Readable() > 0 {
		within = append(within, "$count($readable[$substring($v, 0, $length($)) = $]) > 0")
		must = append(must, "$join($map($readable, function($r) {' or ' & $r}))")
	}
	// S3Uri of ProcessingS3Input and S3DataSource: at most 1,024 characters.
	valid = all("$type($v) = 'string'", "$length($v) <= 1024", "$substring($v, -1) "+end,
		"$not($contains($v, "+control+"))", "("+strings.Join(within, " or ")+")")
	return valid, append(must, "=, which the roles can read")
}

// readablePlaces are the places outside of the prefix that the environment lets runs
// read, which it gives with commas between. An empty one would let everything pass.
const readablePlaces = "[$split('${Readable}', ',')[$ != '']]"

// scheduledTime judges the time for which a schedule starts a run, which nobody else
// needs to give. EventBridge Scheduler writes it like 2022-03-22T18:59:43Z (User Guide,
// adding context attributes).
const scheduledTime = "($v := $params." + ir.ScheduledTime + "; $not($exists($v)) or $type($v) = 'string' and $contains($v, " +
	`/^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z$/` +
	") ? null : {'must': '" + ir.ScheduledTime + " must be a time such as 2026-01-02T03:04:05Z', 'got': $v})"

// control matches what neither an argument nor a key can hold.
const control = `/[\x00-\x1f\x7f]/`

func (e *emitter) stringRule(p *ir.Parameter) (valid string, must []string) {
	if len(p.Enum) > 0 {
		var terms, shown []string
		for _, v := range p.Enum {
			terms = append(terms, quote(v))
			shown = append(shown, encode(v))
		}
		return all("$type($v) = 'string'", "$v in ["+strings.Join(terms, ", ")+"]"),
			[]string{"=one of " + strings.Join(shown, ", ")}
	}
	rules := []string{"$type($v) = 'string'", "$not($contains($v, " + control + "))"}
	words := "a text without control characters"
	if limit := e.uses[p.Key]; limit.count > 0 {
		rules = append(rules, fmt.Sprintf("$length(%s) <= %d", limit.of, limit.count))
		words += fmt.Sprintf(" of at most %d characters", limit.shown)
	}
	if p.Pattern != "" {
		rules = append(rules, "$contains($v, "+regex(p.Pattern)+")")
		words += " that matches " + p.Pattern
	}
	return all(rules...), []string{"=" + words}
}

func (e *emitter) numberRule(p *ir.Parameter) (valid string, must []string) {
	rules := []string{"$type($v) = 'number'"}
	words, least, most := "a number", p.Min, p.Max
	if p.Type == ir.Int {
		words = "a whole number"
		rules = append(rules, "$v = $floor($v)")
		low, high := float64(-maxWhole), float64(maxWhole)
		if least == nil || *least < low {
			least = &low
		}
		if most == nil || *most > high {
			most = &high
		}
	}
	if least != nil {
		rules = append(rules, "$v >= "+number(*least))
	}
	if most != nil {
		rules = append(rules, "$v <= "+number(*most))
	}
	switch {
	case least != nil && most != nil:
		words += " from " + number(*least) + " to " + number(*most)
	case least != nil:
		words += " of at least " + number(*least)
	case most != nil:
		words += " of at most " + number(*most)
	}
	if p.Type == ir.Float && e.uses[p.Key].handedOn {
		// $string keeps 15 significant digits: a longer number would reach the step
		// as another one.
		rules = append(rules, "$number($string($v)) = $v")
		words += " with at most 15 significant digits"
	}
	return all(rules...), []string{"=" + words}
}
