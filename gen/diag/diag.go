// Package diag is what the user is told: each mistake at its position, with a
// code, what is wrong and what to do. Stages report into a [Bag] and go on; the
// command prints. The package never prints by itself, logs or exits.
package diag

import (
	"cmp"
	"go/token"
	"slices"
)

// Severity says whether a diagnostic stops emission.
type Severity int

const (
	// Error stops emission.
	Error Severity = iota
	// Warning does not.
	Warning
)

// String returns "error" or "warning".
func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// A Diagnostic is one mistake of the user's.
type Diagnostic struct {
	// Pos is the offending token; End is past it, or zero when a point will do.
	// Both are resolved, with the file's absolute path.
	Pos, End token.Position
	// Code is stable and documented; see the constants.
	Code Code
	// Severity is Error unless the code's documentation says warning.
	Severity Severity
	// Message is the fact: lower case, no full stop, the user's names quoted.
	Message string
	// Hint is one imperative sentence, or empty.
	Hint string
	// Related are other places that matter, such as the other side of a conflict.
	Related []Related
}

// Related is another place that matters to a diagnostic.
type Related struct {
	Pos     token.Position
	Message string
}

// A List is diagnostics in the order of their positions, without repetitions.
type List []Diagnostic

// Errors counts the diagnostics that stop emission.
func (l List) Errors() int {
	n := 0
	for _, d := range l {
		if d.Severity == Error {
			n++
		}
	}
	return n
}

// A Bag collects diagnostics. The zero value is ready for use; a bag must not be
// shared between goroutines.
type Bag struct{ list List }

// Report adds one diagnostic.
func (b *Bag) Report(d Diagnostic) { b.list = append(b.list, d) }

// Failed reports whether the bag holds an error.
func (b *Bag) Failed() bool { return b.list.Errors() > 0 }

// List returns what was reported, sorted by file, line, column and code, each
// once.
func (b *Bag) List() List {
	l := slices.Clone(b.list)
	slices.SortStableFunc(l, func(x, y Diagnostic) int {
		return cmp.Or(
			cmp.Compare(x.Pos.Filename, y.Pos.Filename),
			cmp.Compare(x.Pos.Line, y.Pos.Line),
			cmp.Compare(x.Pos.Column, y.Pos.Column),
			cmp.Compare(x.Code, y.Code),
			cmp.Compare(x.Message, y.Message),
		)
	})
	return slices.CompactFunc(l, func(x, y Diagnostic) bool {
		return x.Pos == y.Pos && x.Code == y.Code && x.Message == y.Message
	})
}
