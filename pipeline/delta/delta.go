// Package delta says what a deployment would change, in the words of the field: steps,
// permissions with their reasons, resources that would be replaced or deleted, and what
// a run may cost at most. In go two sides, each a template with the values of its
// parameters; out comes a [Plan], which prints itself as text, Markdown and JSON. The
// package calls nobody.
package delta

// A Side is a deployment, as it is or as it would be.
type Side struct {
	// Template is the CloudFormation template as it was generated.
	Template []byte
	// Parameters are the values of the stack's parameters.
	Parameters map[string]string
	// Region decides prices.
	Region string
}

// A Change is what happens to something.
type Change string

// The changes, in the words of CloudFormation's change sets.
const (
	Added    Change = "added"
	Removed  Change = "removed"
	Changed  Change = "changed"
	Replaced Change = "replaced"
)

// A Plan is what a deployment would change. Its JSON is what "plan --json" prints.
type Plan struct {
	Pipeline    string `json:"pipeline"`
	Environment string `json:"environment"`
	// Against is what it was compared with, in words that follow "compared with"; whoever
	// calls Compare knows, and fills it in.
	Against string `json:"against,omitempty"`
	// New says that nothing is deployed yet.
	New   bool   `json:"new"`
	Steps []Step `json:"steps"`
	// Machine is what differs in the machine besides its steps: defaults of parameters,
	// conditions, registrations, the order, the schedule.
	Machine     []Value      `json:"machine"`
	Permissions []Permission `json:"permissions"`
	Resources   []Resource   `json:"resources"`
	// Parameters are the values of the stack that differ and that no step's change tells
	// of: retention, keys, the schedule.
	Parameters []Value `json:"parameters"`
	// Cost is the ceiling of one run; nil where no price is known.
	Cost *Cost `json:"cost"`

	// unpriced are the instance types of a run of which no price is known, where Cost is
	// nil; loosened are roles that are bounded no more, or by another policy.
	unpriced []string
	loosened []string
}

// A Step is a step that differs.
type Step struct {
	Name   string `json:"name"`
	Change Change `json:"change"`
	// Differs are what of it differs: instance, image, code, arguments, …
	Differs []Value `json:"differs,omitempty"`
}

// A Value is a value before and after; empty where there is none.
type Value struct {
	Name   string `json:"name"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// A Permission is an action on a resource that a role gains or loses.
type Permission struct {
	Role   string `json:"role"`
	Change Change `json:"change"` // Added or Removed
	// Effect is "Deny" where the statement denies; empty, it allows.
	Effect string `json:"effect,omitempty"`
	// Statement is the statement's Sid, Reason why it is there.
	Statement string   `json:"statement"`
	Actions   []string `json:"actions"`
	Resources []string `json:"resources"`
	Condition string   `json:"condition,omitempty"`
	Reason    string   `json:"reason"`
}

// A Resource is a resource of the stack that differs.
type Resource struct {
	Logical string `json:"logical"`
	Type    string `json:"type"`
	// Physical is its name on AWS, where that is known.
	Physical string `json:"physical,omitempty"`
	Change   Change `json:"change"`
	// Maybe says that only AWS will know whether it is replaced.
	Maybe bool `json:"maybe,omitempty"`
	// Data says that its going loses data or history: models, logs, executions; Kept that
	// it is retained when it leaves the stack.
	Data bool `json:"data,omitempty"`
	Kept bool `json:"kept,omitempty"`
}

// A Cost is what one run may cost at most.
type Cost struct {
	// Dollars is the sum over the steps of instances x time limit x price, plus volumes;
	// Before is the same of what is deployed, or nil.
	Dollars float64  `json:"dollars"`
	Before  *float64 `json:"before,omitempty"`
	// Date is that of the price table, Region where it is for.
	Date   string `json:"date"`
	Region string `json:"region"`
	// Unknown are instance types without a price: the ceiling leaves them out.
	Unknown []string `json:"unknown,omitempty"`
}
