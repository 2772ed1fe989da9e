package check

import (
	"go/token"
	"path/filepath"

	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/ir"
)

// damage is what the reader has reported: what it could not read is missing from
// the spec, and must not be missed a second time.
type damage struct {
	lines        map[where]bool          // of every error
	declarations map[token.Position]bool // pipelines and steps that lack a field
	missing      bool                    // the package lacks something, a whole type perhaps
}

type where struct {
	file string
	line int
}

// holes are the codes under which the reader leaves a field or type out.
var holes = map[diag.Code]bool{
	diag.BadPackage: true, diag.UnexportedField: true, diag.BadKind: true, diag.BadStepType: true, diag.FieldType: true,
}

// assess finds, for every hole, the declaration that it is in: the nearest one
// above it in the same file.
func assess(s *ir.Spec, list diag.List) damage {
	d := damage{lines: map[where]bool{}, declarations: map[token.Position]bool{}}
	if list.Errors() == 0 {
		return d
	}
	var all []token.Position
	for _, x := range s.Artifacts {
		all = append(all, x.Pos)
	}
	for _, x := range s.Steps {
		all = append(all, x.Pos)
	}
	for _, x := range s.Pipelines {
		all = append(all, x.Pos)
	}
	for _, x := range s.Environments {
		all = append(all, x.Pos)
	}
	for _, x := range list {
		if x.Severity != diag.Error {
			continue
		}
		if x.Code != diag.MissingKey { // which is a mistake by itself, and breaks nothing else
			d.lines[where{x.Pos.Filename, x.Pos.Line}] = true
		}
		if !holes[x.Code] {
			continue
		}
		d.missing = d.missing || filepath.Dir(x.Pos.Filename) == s.Dir
		var nearest token.Position
		for _, pos := range all {
			if pos.Filename == x.Pos.Filename && pos.Offset <= x.Pos.Offset && (!nearest.IsValid() || pos.Offset > nearest.Offset) {
				nearest = pos
			}
		}
		d.declarations[nearest] = true
	}
	return d
}

// line reports whether something on the line of a position has been reported.
func (d damage) line(pos token.Position) bool { return d.lines[where{pos.Filename, pos.Line}] }

// declaration reports whether the declaration of this name lacks something.
func (d damage) declaration(pos token.Position) bool { return d.declarations[pos] }
