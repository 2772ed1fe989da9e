package check

import (
	"fmt"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/pipeline/images"
)

// scriptRules hold the structs against their scripts.
var scriptRules = []Rule{
	{Code: diag.NoPython, Doc: "python3 is there to read the scripts", Severity: diag.Warning, run: noPython},
	{Code: diag.ScriptSyntax, Doc: "scripts parse", run: scriptSyntax},
	{Code: diag.ScriptArgument, Doc: "scripts accept what they are passed", run: scriptArgument},
	{Code: diag.ScriptRequires, Doc: "scripts are passed what they require", run: scriptRequires},
	{Code: diag.ScriptDefault, Doc: "defaults are the same in struct and script", run: scriptDefault},
	{Code: diag.ScriptReads, Doc: "channels and paths that scripts read are supplied", run: scriptReads},
	{Code: diag.LabelAtInference, Doc: "scripts do without the label where the data has none", run: labelAtInference},
	{Code: diag.ScriptNetwork, Doc: "scripts that talk to services have a network, or say that they need none", Severity: diag.Warning, run: scriptNetwork},
	{Code: diag.ScriptNaN, Doc: "reports are JSON whatever the numbers", Severity: diag.Warning, run: scriptNaN},
}

// forgiveNewer takes back syntax errors that an older Python than the image's may
// find in what is right there.
func (f *scriptFacts) forgiveNewer(version []int) {
	for step, s := range f.of {
		image, ok := images.Lookup(step.Settings.Image.V)
		if s.Syntax == nil || len(version) < 2 {
			continue
		}
		_, minor, _ := strings.Cut(image.Python, ".")
		if n, err := strconv.Atoi(minor); !ok || err != nil || n > version[1] {
			f.of[step] = &script{} // another step may have the same text and another image
		}
	}
}

// scripts calls f for every step whose script was read. Of a step that lacks a
// field, which the reader reported, nothing but its syntax is judged.
func (p *pass) scripts(f func(s *ir.Step, x *script)) {
	for _, s := range p.spec.Steps {
		if x := p.facts.of[s]; x != nil && (x.Syntax != nil || !p.known.declaration(s.Pos)) {
			f(s, x)
		}
	}
}

// parsers calls f for every step whose script has a parser that could be seen.
func (p *pass) parsers(f func(s *ir.Step, x *script)) {
	p.scripts(func(s *ir.Step, x *script) {
		if x.Parser != nil && !x.Parser.Open {
			f(s, x)
		}
	})
}

// spot is a place of a script.
func (p *pass) spot(s *ir.Step, x spot) token.Position {
	return token.Position{Filename: filepath.Join(p.code[s].dir, filepath.FromSlash(x.File)), Line: x.Line, Column: x.Column}
}

func (p *pass) inScript(s *ir.Step, x spot, message string) diag.Related {
	return diag.Related{Pos: p.spot(s, x), Message: message}
}

func noPython(p *pass) {
	if p.facts.trouble != "" {
		p.report(point(p.spec.Pos), "the scripts were not held against their structs: "+p.facts.trouble,
			"install Python 3.9 or newer as python3")
	}
}

func scriptSyntax(p *pass) {
	p.scripts(func(s *ir.Step, x *script) {
		if x.Syntax != nil {
			p.report(point(p.spot(s, x.Syntax.spot)), "the script does not parse: "+x.Syntax.Message, "",
				related(at(s.Settings.Script), "step %s runs it", s.Name))
		}
	})
}

// A passed argument is one that the struct hands to its script as a flag.
type passed struct {
	flag  string
	where place
	name  string
	param *ir.Param // nil for a port
	only  ir.At[ir.Only]
}

// passes lists the arguments that a step passes, in any mode. Hyperparameters
// reach a script as the training toolkit hands them on: --name value, or -n value.
func passes(s *ir.Step) []passed {
	var all []passed
	for _, x := range s.Params {
		switch {
		case x.Arg.V != "":
			all = append(all, passed{x.Arg.V, at(x.Arg), x.Name, x, x.Only})
		case len(x.Hyper.V) == 1:
			all = append(all, passed{"-" + x.Hyper.V, at(x.Hyper), x.Name, x, x.Only})
		case x.Hyper.V != "":
			all = append(all, passed{"--" + x.Hyper.V, at(x.Hyper), x.Name, x, x.Only})
		}
	}
	for _, x := range s.Ports {
		if x.Arg.V != "" {
			all = append(all, passed{x.Arg.V, at(x.Arg), x.Name, nil, x.Only})
		}
	}
	return all
}

// accepts finds the option that takes a flag: the one of that name, or where
// beginnings are accepted, any that begins so.
func (x *script) accepts(flag string) (o *option, begins bool) {
	for i := range x.Parser.Options {
		if slices.Contains(x.Parser.Options[i].Flags, flag) {
			return &x.Parser.Options[i], true
		}
	}
	for _, o := range x.Parser.Options {
		for _, f := range o.Flags {
			begins = begins || x.Parser.Abbrev && strings.HasPrefix(flag, "--") && strings.HasPrefix(f, flag)
		}
	}
	return nil, begins
}

// flags are all that the script's parser knows, for hints.
func (x *script) flags() []string {
	var all []string
	for _, o := range x.Parser.Options {
		if !o.Positional {
			all = append(all, o.Flags...)
		}
	}
	return all
}

func scriptArgument(p *pass) {
	p.parsers(func(s *ir.Step, x *script) {
		for _, a := range passes(s) {
			o, ok := x.accepts(a.flag)
			switch {
			case p.blamed[a.where.pos]:
			case !ok && !x.Parser.Known:
				rel := related(at(s.Settings.Script), "the script")
				if len(x.Parser.Options) > 0 {
					rel = p.inScript(s, x.Parser.Options[0].spot, "its arguments begin here")
				}
				hint := diag.DidYouMean(a.flag, x.flags())
				if diag.Nearest(a.flag, x.flags()) == "" {
					hint = "add it to the script's parser"
				}
				p.report(a.where, fmt.Sprintf("the script of step %q does not accept argument %q", s.Name, a.flag), hint, rel)
			case o != nil && o.Sure:
				p.fitsOption(s, x, a, o)
			}
		}
	})
}

// fitsOption judges whether an option can take what it is passed.
func (p *pass) fitsOption(s *ir.Step, x *script, a passed, o *option) {
	rel := p.inScript(s, o.spot, "accepted here")
	switch {
	case o.Takes == "none" && !x.Parser.Known && !slices.ContainsFunc(x.Parser.Options, func(o option) bool { return o.Positional }):
		p.report(a.where, fmt.Sprintf("the script's %q takes no value, and step %q passes one", a.flag, s.Name),
			"let the script take the value, for a bool by comparing its text with \"true\" in lower case", rel)
	case a.param == nil || o.Takes != "one":
	case a.param.Type == ir.Bool && o.Type == "bool":
		p.report(a.where, fmt.Sprintf("the script reads %q with type=bool, which makes every text true, \"false\" as well", a.flag),
			"compare the text with \"true\" in lower case", rel)
	case a.param.Type == ir.Float && o.Type == "int":
		p.report(a.where, fmt.Sprintf("the script reads %q as an int, and %q is a float64", a.flag, a.param.Name), "use type=float in the script", rel)
	case a.param.Type == ir.Bool && (o.Type == "int" || o.Type == "float"):
		p.report(a.where, fmt.Sprintf("the script reads %q as a number, and %q is a bool", a.flag, a.param.Name), "declare the field as int", rel)
	case a.param.Type == ir.String && (o.Type == "int" || o.Type == "float"):
		for _, v := range append(p.valuesOf(s, a.param), a.param.Default) {
			if _, err := strconv.ParseFloat(v.V, 64); v.Written() && err != nil {
				p.report(at(v), fmt.Sprintf("the script reads %q as a number, and %q is none", a.flag, v.V), "use type=str in the script", rel)
				return
			}
		}
	case o.Choices != nil && a.param.Type == ir.String:
		for _, v := range p.valuesOf(s, a.param) {
			if !slices.Contains(o.Choices, v.V) {
				p.report(at(v), fmt.Sprintf("the script does not accept %q for %q", v.V, a.flag), diag.DidYouMean(v.V, o.Choices), rel)
				return
			}
		}
	}
}

// valuesOf are the texts that a parameter is known to take: what its uses set, and
// its enum if one of them, or none, leaves it free.
func (p *pass) valuesOf(s *ir.Step, x *ir.Param) []ir.At[string] {
	var all []ir.At[string]
	uses, fixed := 0, 0
	p.usesOf(s, func(u *useLink) {
		uses++
		for _, a := range u.use.Set {
			if a.Left.V == x.Name && u.pipe.Param(a.Right.V) == nil {
				fixed++
				all = append(all, a.Right)
			}
		}
	})
	if uses > 0 && uses == fixed {
		return all
	}
	for _, v := range x.Enum.V {
		all = append(all, ir.At[string]{V: v, Pos: x.Enum.Pos, End: x.Enum.End})
	}
	return all
}

// usesOf calls f for every use of a step.
func (p *pass) usesOf(s *ir.Step, f func(*useLink)) {
	for _, l := range p.links {
		for _, u := range l.uses {
			if u.use.Step == s {
				f(u)
			}
		}
	}
}

func scriptRequires(p *pass) {
	p.parsers(func(s *ir.Step, x *script) {
		all := passes(s)
		if p.doubtful(s, all) {
			return // the flag that is wrong may be the one that is wanted
		}
		for _, o := range x.Parser.Options {
			if !o.Required {
				continue
			}
			missing, why := lacks(all, o.Flags, func(ir.At[ir.Only]) ir.Answer { return ir.Yes }), ""
			p.usesOf(s, func(u *useLink) {
				if !missing && lacks(all, o.Flags, u.mode.Has) {
					missing, why = true, fmt.Sprintf(" as pipeline %q uses it", u.pipe.GoName)
				}
			})
			if missing {
				tag := "arg"
				if s.Kind == ir.Training {
					tag = "hyper"
				}
				p.report(at(s.Settings.Script), fmt.Sprintf("the script requires %q, and step %q does not pass it%s", o.Flags[0], s.Name, why),
					requireHint(o, tag), p.inScript(s, o.spot, "required here"))
			}
		}
	})
}

// doubtful reports whether a flag of the step, or the tag that should hold one, has
// been reported.
func (p *pass) doubtful(s *ir.Step, all []passed) bool {
	return slices.ContainsFunc(all, func(a passed) bool { return p.blamed[a.where.pos] }) ||
		slices.ContainsFunc(s.Params, func(x *ir.Param) bool { return p.known.line(x.Pos) }) ||
		slices.ContainsFunc(s.Ports, func(x *ir.Port) bool { return p.known.line(x.Pos) })
}

func requireHint(o option, tag string) string {
	if o.Positional {
		return "make it an option: steps pass flags only"
	}
	flag := o.Flags[len(o.Flags)-1]
	if tag == "hyper" {
		flag = strings.TrimLeft(flag, "-")
	}
	return fmt.Sprintf("add a field with %s:%q, or a default in the script", tag, flag)
}

// lacks reports whether none of an option's flags is passed in a mode.
func lacks(all []passed, flags []string, has func(ir.At[ir.Only]) ir.Answer) bool {
	return !slices.ContainsFunc(all, func(a passed) bool {
		return has(a.only) != ir.No && slices.ContainsFunc(flags, func(f string) bool {
			// A beginning is accepted for the whole, unless the parser forbids it.
			return f == a.flag || strings.HasPrefix(a.flag, "--") && strings.HasPrefix(f, a.flag)
		})
	})
}

func scriptDefault(p *pass) {
	p.parsers(func(s *ir.Step, x *script) {
		all := passes(s)
		for _, a := range all {
			o, _ := x.accepts(a.flag)
			if o == nil || !o.Sure || o.Takes != "one" || a.param == nil || !a.param.Default.Written() || p.blamed[a.param.Default.Pos] || twice(all, a.flag) {
				continue
			}
			if text, differs := otherDefault(a.param, o.Default); differs {
				p.report(at(a.param.Default), fmt.Sprintf("the default of %q is %s here, and %s in the script", a.param.Name, a.param.Default.V, text),
					"make the two the same, or require the argument in the script", p.inScript(s, o.spot, "the script's default"))
			}
		}
	})
}

// twice reports whether a flag is passed by several fields, which is reported: of
// which of them the script's default is the counterpart cannot be said.
func twice(all []passed, flag string) bool {
	n := 0
	for _, a := range all {
		if a.flag == flag {
			n++
		}
	}
	return n > 1
}

// otherDefault compares the script's default with the struct's. What is not of a
// form to be compared does not differ.
func otherDefault(x *ir.Param, byScript any) (text string, differs bool) {
	own, ok := parse(x.Type, x.Default.V)
	if !ok {
		return "", false
	}
	switch v := byScript.(type) {
	case string:
		theirs, ok := parse(x.Type, v)
		if x.Type == ir.Bool {
			theirs, ok = parse(ir.Bool, strings.ToLower(v))
		}
		return strconv.Quote(v), ok && theirs != own
	case bool:
		return strconv.FormatBool(v), x.Type == ir.Bool && own != v
	case float64:
		n, isInt := own.(int64)
		f, isFloat := own.(float64)
		return strconv.FormatFloat(v, 'g', -1, 64), isInt && float64(n) != v || isFloat && f != v
	}
	return "", false
}
