package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/gen/ir"
)

func scriptReads(p *pass) {
	p.scripts(func(s *ir.Step, x *script) {
		flags := map[string]bool{}
		for _, a := range passes(s) {
			flags[a.flag] = true
		}
		for _, r := range x.Reads {
			if flags[r.Option] {
				continue // the default of what is passed
			}
			message, hint := "", ""
			switch {
			case r.Kind == "channel" && !hasChannel(s, func(name string) bool { return strings.ToUpper(name) == r.Name }):
				message, hint = fmt.Sprintf("the script of step %q reads channel %q, which nobody supplies", s.Name, strings.ToLower(r.Name)), portHint(s)
			case r.Kind == "path" && !suppliesPath(s, r.Name):
				message, hint = fmt.Sprintf("the script of step %q uses %q, which nobody supplies", s.Name, r.Name), portHint(s)
			default:
				continue
			}
			p.report(at(s.Settings.Script), message, hint, p.inScript(s, r.spot, "read here"))
		}
	})
}

func portHint(s *ir.Step) string {
	var names []string
	for _, x := range s.Ports {
		if x.Form != ir.ModelForm {
			names = append(names, x.Folder())
		}
	}
	if len(names) == 0 {
		return "declare a port for it"
	}
	return "declare a port for it; those there are lie at " + strings.Join(names, ", ")
}

func hasChannel(s *ir.Step, is func(string) bool) bool {
	return slices.ContainsFunc(s.Ports, func(x *ir.Port) bool { return x.Form == ir.ChannelForm && is(strings.ToLower(x.Name)) })
}

// suppliesPath reports whether a container path lies in a port's folder, or above
// one: then the rest of it is put together elsewhere.
func suppliesPath(s *ir.Step, name string) bool {
	name = strings.TrimRight(name, "/")
	supplied := []string{ir.CodePath}
	if s.Kind == ir.Training {
		supplied = nil
	}
	for _, x := range s.Ports {
		supplied = append(supplied, x.Folder())
	}
	for _, base := range []string{strings.TrimRight(ir.InputPath, "/"), strings.TrimRight(ir.OutputPath, "/"), strings.TrimRight(ir.ChannelPath, "/"), strings.TrimRight(ir.ProcessingPath, "/")} {
		if name == base {
			return true
		}
	}
	return slices.ContainsFunc(supplied, func(base string) bool { return within(name, base) || within(base, name) })
}

// scriptNetwork looks for clients of services in processing jobs that have no network
// because nobody said anything. Who has written isolated knows.
func scriptNetwork(p *pass) {
	p.scripts(func(s *ir.Step, x *script) {
		if s.Kind != ir.Processing || len(x.Networked) == 0 || s.Settings.Isolated.Written() {
			return
		}
		silent := false // in some use
		p.usesOf(s, func(u *useLink) {
			count := s.Settings.Count.V
			if u.use.Settings.Count.Written() {
				count = u.use.Settings.Count.V
			}
			silent = silent || count <= 1 && !u.use.Settings.Isolated.Written()
		})
		if first := x.Networked[0]; silent {
			p.report(at(s.Settings.Script), fmt.Sprintf("the script of step %q imports %s, and its job has no network", s.Name, first.Name),
				`add isolated:"false", or isolated:"true" if it does without`, p.inScript(s, first.spot, "imported here"))
		}
	})
}

func scriptNaN(p *pass) {
	p.scripts(func(s *ir.Step, x *script) {
		for _, port := range s.Ports {
			if !isReport(port) || !hasFloat(port.Artifact) {
				continue
			}
			name := port.Artifact.FileName.V
			for _, d := range x.Dumps {
				if d.Target != "" && name != "" && d.Target != name {
					continue // another file
				}
				p.report(at(port.Arg).or(point(port.Pos)), fmt.Sprintf("report %q of step %q is written so that NaN in it is not JSON, and a run that gives one fails", port.Name, s.Name),
					"pass allow_nan=False where the script writes it", p.inScript(s, d.spot, "written here"))
				return
			}
		}
	})
}

func hasFloat(a *ir.Artifact) bool {
	return slices.ContainsFunc(a.Values, func(v *ir.ReportField) bool { return v.Type == ir.Float })
}

// within reports whether a clean slash path is equal to or below another.
func within(name, base string) bool { return name == base || strings.HasPrefix(name, base+"/") }
