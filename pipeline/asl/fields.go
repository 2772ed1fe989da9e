package asl

import "slices"

// A field ties a JSON member to the place in the model that holds it. One table
// a type drives encoder, decoder and validator, so they cannot disagree.
type field struct {
	name string
	// ref points to the place: *string, *bool, *int, **int, **float64, *any,
	// *Object, *[]string, *stateList, *[]*Machine, *processor, or a list of
	// retriers, catchers or choices.
	ref any
	// types are the types of states that have the field; nil is all.
	types []string
}

// in says whether a state of the given type has the field.
func (f field) in(stateType string) bool {
	return f.types == nil || slices.Contains(f.types, stateType)
}

// A processor is the ItemProcessor of a Map: a machine and its ProcessorConfig.
type processor struct {
	machine             **Machine
	mode, executionType *string
}

var (
	withNext      = []string{TaskState, PassState, WaitState, ParallelState, MapState}
	withOutput    = []string{TaskState, PassState, ChoiceState, WaitState, SucceedState, ParallelState, MapState}
	withAssign    = []string{TaskState, PassState, ChoiceState, WaitState, ParallelState, MapState}
	withArguments = []string{TaskState, ParallelState}
	withRetry     = []string{TaskState, ParallelState, MapState}
	onlyTask      = []string{TaskState}
	onlyChoice    = []string{ChoiceState}
	onlyWait      = []string{WaitState}
	onlyFail      = []string{FailState}
	onlyParallel  = []string{ParallelState}
	onlyMap       = []string{MapState}
	stateTypes    = []string{TaskState, PassState, ChoiceState, WaitState, SucceedState, FailState, ParallelState, MapState}
)

// fields lists the members of a state in the order in which they are written.
func (s *State) fields() []field {
	return []field{
		{"Type", &s.Type, nil},
		{"Comment", &s.Comment, nil},
		{"Resource", &s.Resource, onlyTask},
		{"Credentials", &s.Credentials, onlyTask},
		{"TimeoutSeconds", &s.TimeoutSeconds, onlyTask},
		{"HeartbeatSeconds", &s.HeartbeatSeconds, onlyTask},
		{"Seconds", &s.Seconds, onlyWait},
		{"Timestamp", &s.Timestamp, onlyWait},
		{"Items", &s.Items, onlyMap},
		{"ItemReader", &s.ItemReader, onlyMap},
		{"ItemSelector", &s.ItemSelector, onlyMap},
		{"ItemBatcher", &s.ItemBatcher, onlyMap},
		{"MaxConcurrency", &s.MaxConcurrency, onlyMap},
		{"ToleratedFailureCount", &s.ToleratedFailureCount, onlyMap},
		{"ToleratedFailurePercentage", &s.ToleratedFailurePercentage, onlyMap},
		{"Label", &s.Label, onlyMap},
		{"Arguments", &s.Arguments, withArguments},
		{"Branches", &s.Branches, onlyParallel},
		{"ItemProcessor", &processor{&s.ItemProcessor, &s.ProcessorMode, &s.ProcessorExecutionType}, onlyMap},
		{"ResultWriter", &s.ResultWriter, onlyMap},
		{"Choices", &s.Choices, onlyChoice},
		{"Error", &s.Error, onlyFail},
		{"Cause", &s.Cause, onlyFail},
		{"Assign", &s.Assign, withAssign},
		{"Output", &s.Output, withOutput},
		{"Retry", &s.Retry, withRetry},
		{"Catch", &s.Catch, withRetry},
		{"Default", &s.Default, onlyChoice},
		{"Next", &s.Next, withNext},
		{"End", &s.End, withNext},
	}
}

// fields lists the members of a machine. One nested in a state has fewer.
func (m *Machine) fields(nested bool) []field {
	if nested {
		return []field{
			{"Comment", &m.Comment, nil},
			{"StartAt", &m.StartAt, nil},
			{"States", (*stateList)(&m.States), nil},
		}
	}
	return []field{
		{"Comment", &m.Comment, nil},
		{"QueryLanguage", &m.QueryLanguage, nil},
		{"Version", &m.Version, nil},
		{"StartAt", &m.StartAt, nil},
		{"TimeoutSeconds", &m.TimeoutSeconds, nil},
		{"States", (*stateList)(&m.States), nil},
	}
}

// A stateList is written as an object of states by name.
type stateList []*State

func (c *Choice) fields() []field {
	return []field{
		{"Comment", &c.Comment, nil},
		{"Condition", &c.Condition, nil},
		{"Assign", &c.Assign, nil},
		{"Output", &c.Output, nil},
		{"Next", &c.Next, nil},
	}
}

func (r *Retrier) fields() []field {
	return []field{
		{"Comment", &r.Comment, nil},
		{"ErrorEquals", &r.ErrorEquals, nil},
		{"IntervalSeconds", &r.IntervalSeconds, nil},
		{"MaxAttempts", &r.MaxAttempts, nil},
		{"BackoffRate", &r.BackoffRate, nil},
		{"MaxDelaySeconds", &r.MaxDelaySeconds, nil},
		{"JitterStrategy", &r.JitterStrategy, nil},
	}
}

func (c *Catcher) fields() []field {
	return []field{
		{"Comment", &c.Comment, nil},
		{"ErrorEquals", &c.ErrorEquals, nil},
		{"Assign", &c.Assign, nil},
		{"Output", &c.Output, nil},
		{"Next", &c.Next, nil},
	}
}

// jsonPathFields are the fields that only JSONPath has, and the comparisons of
// its choice rules by their first word.
var jsonPathFields = []string{
	"InputPath", "OutputPath", "ResultPath", "Parameters", "ResultSelector", "Result", "ItemsPath", "Iterator",
	"SecondsPath", "TimestampPath", "TimeoutSecondsPath", "HeartbeatSecondsPath", "ErrorPath", "CausePath",
	"MaxConcurrencyPath", "ToleratedFailureCountPath", "ToleratedFailurePercentagePath", "MaxItemsPerBatchPath",
	"Variable", "And", "Or", "Not", "IsNull", "IsPresent", "IsNumeric", "IsString", "IsBoolean", "IsTimestamp",
}
