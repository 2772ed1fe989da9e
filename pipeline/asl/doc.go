// Package asl is the Amazon States Language in its JSONata dialect: the model of
// a state machine, its encoder and strict decoder, a validator, the substitution
// of ${Name} by CloudFormation's rule, and an interpreter.
//
// In goes a machine, as Go values or JSON; out come its JSON, everything that is
// wrong with it in one error, or one execution's result and history, shaped as
// GetExecutionHistory of AWS Step Functions shapes them. What a Task stands for
// is the caller's [Handler]; time and chance are injected.
//
// JSONPath machines are refused by name. The package never reads a file, the
// environment or the network, and never prints.
//
// # In order of use
//
//   - [Substitute] fills ${Name}; [Unresolved] lists what is left.
//   - [Decode] reads a machine and validates it; [Validate] checks one made in Go.
//   - [Encode] writes it, byte for byte the same each time.
//   - [Run] executes it.
//
// # What differs from Step Functions
//
// JSONata is gnata's: texts of its errors are its own but for the commonest, $pad
// fills up to 10,000 characters, and an expression has at most 64 KiB and 200
// levels of brackets. Numbers are doubles, as in JavaScript, but whole ones beyond
// 2^53 stay exact, and & shows all digits of a computed one of 16 or more; $string
// is ours, and rounds to 15 digits as JSONata does. Heartbeats are watched only where a worker sends some. The
// children of a distributed Map run in place, without ItemReader, ItemBatcher,
// ResultWriter and tolerated failures, which are refused. The events of branches
// that run at once come in the order in which they happen.
//
// # Sources
//
// Amazon States Language specification; AWS Step Functions Developer Guide,
// chapters "Transforming data with JSONata", "Passing data with variables",
// "Handling errors" and "Service quotas"; the shape of history events from the
// service model of states 2016-11-23.
package asl
