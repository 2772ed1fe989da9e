package check

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/ir"
)

// portRules judge where ports are in the container, and in which modes.
var portRules = []Rule{
	{Code: diag.BadPath, Doc: "every port has a folder of its own below /opt/ml/processing", run: badPath},
	{Code: diag.UnusedMode, Doc: "steps are used in all of their modes", Severity: diag.Warning, run: unusedMode},
}

// folderName is what the parts of a port's path may consist of: it stands in requests
// and arguments as it is.
var folderName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._+=@-]*$`)

func badPath(p *pass) {
	for _, s := range p.spec.Steps {
		if s.Kind != ir.Processing {
			continue
		}
		for i, port := range s.Ports {
			if port.Path.Written() && !p.folder(port) {
				continue
			}
			for _, other := range s.Ports[:i] {
				p.apart(port, other)
			}
		}
	}
}

// folder judges one path by itself, and says whether it is one that others can be
// held against.
func (p *pass) folder(port *ir.Port) bool {
	name := port.Path.V
	odd := func(why, hint string) bool {
		p.report(at(port.Path), fmt.Sprintf("path %q of port %q %s", name, port.Name, why), hint)
		return false
	}
	base := strings.TrimRight(ir.ProcessingPath, "/")
	switch {
	case !path.IsAbs(name) || !within(path.Clean(name), base) || path.Clean(name) == base:
		return odd("does not lie below "+ir.ProcessingPath, fmt.Sprintf("write %q", ir.ProcessingPath+strings.ToLower(port.Name)))
	case path.Clean(name) != name:
		return odd("holds a slash too many or a dot segment", fmt.Sprintf("write %q", path.Clean(name)))
	case within(name, ir.CodePath) || within(ir.CodePath, name) && !port.Form.In():
		return odd("is where the step's code is", "choose another folder")
	}
	for part := range strings.SplitSeq(strings.TrimPrefix(name, ir.ProcessingPath), "/") {
		if !folderName.MatchString(part) {
			return odd("holds what cannot stand in a request as it is", "use letters, digits and . _ + = @ -")
		}
	}
	return true
}

// apart judges two ports of a step. Two that are never there at once cannot meet, and
// conventional places never do.
func (p *pass) apart(port, other *ir.Port) {
	a, b := port.Folder(), other.Folder()
	if !port.Path.Written() && !other.Path.Written() || exclusive(port.Only, other.Only) {
		return
	}
	where, rel := at(port.Path), related(at(other.Path).or(point(other.Pos)), "%s is declared here", other.Name)
	if !where.pos.IsValid() {
		where, rel = at(other.Path), related(point(port.Pos), "%s is declared here", port.Name)
		port, other, a, b = other, port, b, a
	}
	inner, outer := port, other
	if within(b, a) {
		inner, outer = other, port
	}
	switch {
	case a == b:
		p.report(where, fmt.Sprintf("path %q of port %q is that of %q, too", a, port.Name, other.Name), "choose another folder", rel)
	case (within(a, b) || within(b, a)) && !outer.Form.In():
		p.report(where, fmt.Sprintf("port %q lies in the folder of output %q, which is uploaded as a whole", inner.Name, outer.Name), "choose another folder", rel)
	}
}

// exclusive reports whether two things are never there at once.
func exclusive(a, b ir.At[ir.Only]) bool {
	return a.Written() && b.Written() && a.V.Field.V == b.V.Field.V && a.V.Value.V != b.V.Value.V
}

// unusedMode looks at the package's own steps that are used at all.
func unusedMode(p *pass) {
	for _, l := range p.links {
		if l.broken {
			return
		}
	}
	type mode struct{ field, value string }
	for _, s := range p.own() {
		var modes []mode
		names, first := map[mode][]string{}, map[mode]ir.At[ir.Only]{}
		onlys(s, func(name string, _ place, only ir.At[ir.Only]) {
			x := paramIn(s.Params, only.V.Field.V)
			if x == nil || !slices.Contains(x.Enum.V, only.V.Value.V) {
				return // there is no such mode, which BadOnly says
			}
			m := mode{only.V.Field.V, only.V.Value.V}
			if names[m] == nil {
				modes = append(modes, m)
				first[m] = only
			}
			names[m] = append(names[m], name)
		})
		for _, m := range modes {
			uses, inMode := 0, false
			p.usesOf(s, func(u *useLink) {
				uses++
				inMode = inMode || u.mode.Has(first[m]) != ir.No
			})
			if uses > 0 && !inMode {
				p.report(at(first[m]), fmt.Sprintf("no pipeline uses step %q with %s=%s, and only there is %s", s.Name, m.field, m.value, strings.Join(names[m], ", ")),
					fmt.Sprintf("use it so in a pipeline, by set:\"%s=%s\", or remove what is only for that", m.field, m.value))
			}
		}
	}
}
