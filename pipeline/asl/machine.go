package asl

// A Machine is a state machine in the Amazon States Language.
type Machine struct {
	Comment        string
	Version        string // "1.0" or empty
	QueryLanguage  string // must be "JSONata"
	StartAt        string
	TimeoutSeconds int // 0 is none
	States         []*State

	// programs are the expressions that Decode has compiled to check them, so that
	// Run need not do so again.
	programs *programs
}

// State finds a top-level state by name, or returns nil.
func (m *Machine) State(name string) *State {
	for _, s := range m.States {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// The types of states.
const (
	TaskState     = "Task"
	PassState     = "Pass"
	ChoiceState   = "Choice"
	WaitState     = "Wait"
	SucceedState  = "Succeed"
	FailState     = "Fail"
	ParallelState = "Parallel"
	MapState      = "Map"
)

// A State is one state of any type: fields that its Type does not have are zero,
// and the decoder and validator refuse them.
//
// A field of type any holds a JSON value as [Decode] and [Object] have it: nil,
// bool, json.Number, string, []any or Object when decoded; the Go kinds of
// numbers are accepted, too, when a machine is built in Go. A string of the form
// "{% … %}" is a JSONata expression wherever the language allows one.
type State struct {
	Name    string
	Type    string
	Comment string

	Next string
	End  bool

	// Payloads. A nil any is an absent field: Null stands for a written null.
	Arguments any    // Task, Parallel
	Output    any    // all but Fail
	Assign    Object // all but Succeed and Fail; keys are variable names

	// Task
	Resource         string
	Credentials      any
	TimeoutSeconds   any // positive integer or expression
	HeartbeatSeconds any

	Retry []*Retrier // Task, Parallel, Map
	Catch []*Catcher // Task, Parallel, Map

	// Choice
	Choices []*Choice
	Default string

	// Wait
	Seconds   any
	Timestamp any

	// Fail
	Error any
	Cause any

	// Parallel
	Branches []*Machine // only Comment, StartAt and States

	// Map
	Items                      any
	ItemSelector               any
	ItemProcessor              *Machine
	ProcessorMode              string // ItemProcessor.ProcessorConfig.Mode: INLINE or DISTRIBUTED
	ProcessorExecutionType     string
	MaxConcurrency             any
	ToleratedFailureCount      any
	ToleratedFailurePercentage any
	ItemReader                 any
	ItemBatcher                any
	ResultWriter               any
	Label                      string
}

// A Choice is one rule of a Choice state.
type Choice struct {
	Comment   string
	Condition any // expression or literal boolean
	Assign    Object
	Output    any
	Next      string
}

// A Retrier says which errors are tried again, and how.
type Retrier struct {
	Comment         string
	ErrorEquals     []string
	IntervalSeconds *int     // default 1
	MaxAttempts     *int     // default 3; 0 never retries
	BackoffRate     *float64 // default 2.0
	MaxDelaySeconds *int
	JitterStrategy  string // FULL or NONE (default)
}

// A Catcher says where to go on after an error.
type Catcher struct {
	Comment     string
	ErrorEquals []string
	Assign      Object
	Output      any
	Next        string
}

// An Object is a JSON object that keeps the order of its members.
type Object []Member

// A Member is one key and value of an Object.
type Member struct {
	Key   string
	Value any
}

// Null is a written null, where a nil any would mean an absent field.
var Null = null{}

type null struct{}
