package check

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/pipeline/code"
)

// codeRules judge what lies on the disk: scripts, their folders, local data.
var codeRules = []Rule{
	{Code: diag.ScriptMissing, Doc: "every script is there", run: scriptMissing},
	{Code: diag.ScriptOutside, Doc: "scripts lie in their package", run: scriptOutside},
	{Code: diag.SharedFolder, Doc: "one code folder a step", Severity: diag.Warning, run: sharedFolder},
	{Code: diag.CodeSymlink, Doc: "code folders hold files and folders only", run: codeSymlink},
	{Code: diag.UninstalledRequirements, Doc: "requirements.txt stands where it is installed", run: uninstalledRequirements},
	{Code: diag.BadValue, Doc: "scripts are .py or .sh", run: scriptKind},
	{Code: diag.LabelMissing, Doc: "labels are columns of the local data", run: labelMissing},
	{Code: diag.LocalMissing, Doc: "local data is there, and of its artifact's form", run: localMissing},
}

// A codeState is what was found where a step's script should be.
type codeState struct {
	path    string // absolute path of the script, empty if it was not written
	dir     string // absolute path of the code folder
	outside string // why it lies outside the package, or empty
	missing string // why it cannot be run, or empty
	odd     []*code.NotRegularError
}

// usable reports whether the script can be read.
func (c *codeState) usable() bool { return c.path != "" && c.outside == "" && c.missing == "" }

// inspectCode looks at the script of a step and its folder.
func inspectCode(s *ir.Step) *codeState {
	c := &codeState{}
	script := s.Settings.Script.V
	if script == "" {
		return c
	}
	c.path = filepath.Join(s.Dir, filepath.FromSlash(script))
	c.dir = filepath.Dir(c.path)
	switch {
	case path.IsAbs(script) || filepath.IsAbs(script):
		c.path, c.outside = script, "it is an absolute path"
		return c
	case !fs.ValidPath(path.Clean(script)):
		c.outside = "it leads out of the package's folder"
		return c
	case strings.Contains(script, `\`):
		c.missing = "paths in tags have forward slashes"
		return c
	}
	info, err := os.Stat(c.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.missing = "there is no such file"
		return c
	case err != nil:
		c.missing = "it cannot be read"
		return c
	}
	if reason := leavesDir(s.Dir, c.path); reason != "" {
		c.outside = reason
		return c
	}
	if !info.Mode().IsRegular() {
		c.missing = "it is no file"
		return c
	}
	c.odd = oddEntries(s.Dir, c.dir)
	return c
}

// leavesDir says whether a path leads out of a folder through symbolic links.
func leavesDir(dir, name string) string {
	realDir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return ""
	}
	real, err := filepath.EvalSymlinks(name)
	if err != nil {
		return ""
	}
	if rel, err := filepath.Rel(realDir, real); err != nil || !filepath.IsLocal(rel) {
		return "a symbolic link leads out of the package's folder"
	}
	return ""
}

// oddEntries are the entries of a code folder that are neither files nor folders,
// and those folders on the way to it that are links.
func oddEntries(base, dir string) []*code.NotRegularError {
	var odd []*code.NotRegularError
	for at := dir; at != base && len(at) > len(base); at = filepath.Dir(at) {
		if info, err := os.Lstat(at); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			odd = append(odd, &code.NotRegularError{Path: filepath.Base(at), Mode: info.Mode()})
		}
	}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil
		case name != dir && code.Ignored(d.Name()):
			if d.IsDir() {
				return fs.SkipDir
			}
		case !d.IsDir() && !d.Type().IsRegular() && name != dir:
			rel, err := filepath.Rel(dir, name)
			if err == nil {
				odd = append(odd, &code.NotRegularError{Path: filepath.ToSlash(rel), Mode: d.Type()})
			}
		}
		return nil
	})
	if err != nil {
		return nil // the function above never fails
	}
	return odd
}

func scriptMissing(p *pass) {
	for _, s := range p.spec.Steps {
		c := p.code[s]
		switch {
		case c.missing == "" || c.outside != "":
			continue
		case strings.Contains(s.Settings.Script.V, `\`):
			p.report(at(s.Settings.Script), fmt.Sprintf("script %q of step %q cannot be run: paths in tags have forward slashes", s.Settings.Script.V, s.Name),
				fmt.Sprintf("write %q", strings.ReplaceAll(s.Settings.Script.V, `\`, "/")))
			continue
		}
		p.report(at(s.Settings.Script), fmt.Sprintf("script %q of step %q cannot be run: %s", s.Settings.Script.V, s.Name, c.missing),
			nearScript(s, c))
	}
}

// nearScript looks for a script that may have been meant: in the folder, or in
// the folders beside it.
func nearScript(s *ir.Step, c *codeState) string {
	var found []string
	for _, pattern := range []string{filepath.Join(c.dir, "*"), filepath.Join(filepath.Dir(c.dir), "*", "*")} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			continue
		}
		for _, name := range names {
			rel, err := filepath.Rel(s.Dir, name)
			if err == nil && filepath.IsLocal(rel) && runnable(name) {
				found = append(found, filepath.ToSlash(rel))
			}
		}
	}
	if near := diag.Nearest(s.Settings.Script.V, found); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "the path is relative to the package's folder; create the script there"
}

func runnable(name string) bool {
	return strings.HasSuffix(name, ".py") || strings.HasSuffix(name, ".sh")
}

func scriptOutside(p *pass) {
	for _, s := range p.spec.Steps {
		if c := p.code[s]; c.outside != "" {
			p.report(at(s.Settings.Script), fmt.Sprintf("script %q of step %q lies outside its package: %s", s.Settings.Script.V, s.Name, c.outside),
				"move the script into a folder below the package")
		}
	}
}

func scriptKind(p *pass) {
	for _, s := range p.spec.Steps {
		if p.code[s].usable() && !runnable(s.Settings.Script.V) {
			p.report(at(s.Settings.Script), fmt.Sprintf("script %q is neither .py nor .sh, and nothing would run it", s.Settings.Script.V),
				"name a Python or shell script")
		}
	}
}

func sharedFolder(p *pass) {
	first := map[string]*ir.Step{}
	for _, s := range p.spec.Steps {
		c := p.code[s]
		if !c.usable() {
			continue
		}
		if before := first[c.dir]; before != nil {
			p.report(at(s.Settings.Script), fmt.Sprintf("the scripts of steps %q and %q lie in one folder: a change to one is a change to both", before.Name, s.Name),
				"give each step a folder of its own", related(at(before.Settings.Script), "the other script"))
			continue
		}
		first[c.dir] = s
	}
	told := map[*ir.Step]bool{}
	for _, s := range p.spec.Steps {
		outer := p.around(s, first)
		if outer == nil || told[outer] {
			continue
		}
		told[outer] = true
		p.report(at(outer.Settings.Script), fmt.Sprintf("the folder of step %q holds that of step %q: a change to one is a change to both", outer.Name, s.Name),
			"give each step a folder of its own", related(at(s.Settings.Script), "the script further down"))
	}
}

// around is the step in whose code folder that of another lies, or nil.
func (p *pass) around(s *ir.Step, byDir map[string]*ir.Step) *ir.Step {
	c := p.code[s]
	if !c.usable() || c.dir == s.Dir {
		return nil
	}
	for dir := c.dir; dir != s.Dir && dir != filepath.Dir(dir); {
		dir = filepath.Dir(dir)
		if outer := byDir[dir]; outer != nil {
			return outer
		}
	}
	return nil
}

func codeSymlink(p *pass) {
	for _, s := range p.spec.Steps {
		c := p.code[s]
		if len(c.odd) == 0 {
			continue
		}
		message := fmt.Sprintf("code of step %q: %v", s.Name, c.odd[0])
		if n := len(c.odd) - 1; n > 0 {
			message += fmt.Sprintf(", and %d more", n)
		}
		p.report(at(s.Settings.Script), message, "put a copy of the file in its place")
	}
}

func uninstalledRequirements(p *pass) {
	for _, s := range p.spec.Steps {
		c := p.code[s]
		if !c.usable() {
			continue
		}
		file := filepath.Join(c.dir, "requirements.txt")
		if _, err := os.Lstat(file); err != nil {
			continue
		}
		where := diag.Related{Message: "this file"}
		where.Pos.Filename, where.Pos.Line, where.Pos.Column = file, 1, 1
		switch setting, isolated := p.isolated(s); {
		case s.Kind == ir.Processing:
			p.report(at(s.Settings.Script), fmt.Sprintf("step %q has a requirements.txt, which nobody installs in a processing job", s.Name),
				"remove it and use an image that holds the packages", where)
		case isolated:
			p.report(at(setting), fmt.Sprintf("step %q has a requirements.txt, and an isolated job has no network to install it from", s.Name),
				"remove isolated, or the file and use an image that holds the packages", where)
		}
	}
}

// isolated finds where a step is said to run without network: in its type, or in
// one of its uses.
func (p *pass) isolated(s *ir.Step) (setting ir.At[bool], ok bool) {
	if s.Settings.Isolated.V {
		return s.Settings.Isolated, true
	}
	p.usesOf(s, func(u *useLink) {
		if u.use.Settings.Isolated.V {
			setting, ok = u.use.Settings.Isolated, true
		}
	})
	return setting, ok
}

func localMissing(p *pass) {
	for _, pipe := range p.spec.Pipelines {
		for _, s := range pipe.Sources {
			if s.Local.Written() && s.Local.V != "" {
				p.localOne(s)
			}
		}
	}
}

func (p *pass) localOne(s *ir.Source) {
	local := s.Local.V
	if path.IsAbs(local) || !fs.ValidPath(path.Clean(local)) {
		p.report(at(s.Local), fmt.Sprintf("local data %q of %q lies outside the package", local, s.Name), "put it into a folder below the package")
		return
	}
	name := filepath.Join(p.spec.Dir, filepath.FromSlash(local))
	info, err := os.Stat(name)
	switch {
	case err != nil:
		beside, _ := filepath.Glob(filepath.Join(filepath.Dir(name), "*"))
		for i := range beside {
			beside[i] = path.Join(path.Dir(local), filepath.Base(beside[i]))
		}
		hint := "the path is relative to the package's folder; put the data there"
		if near := diag.Nearest(local, slices.Clip(beside)); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		p.report(at(s.Local), fmt.Sprintf("local data %q of %q is not there", local, s.Name), hint)
	case s.Artifact != nil && s.Artifact.File && info.IsDir():
		p.report(at(s.Local), fmt.Sprintf("local data %q of %q is a folder, and %q is one file", local, s.Name, s.Artifact.Name),
			"name the file", related(point(s.Artifact.Pos), "%s is declared here", s.Artifact.Name))
	case s.Artifact != nil && !s.Artifact.File && !info.IsDir():
		p.report(at(s.Local), fmt.Sprintf("local data %q of %q is a file, and %q is a folder", local, s.Name, s.Artifact.Name),
			"name the folder, or embed mlmax.File in the artifact", related(point(s.Artifact.Pos), "%s is declared here", s.Artifact.Name))
	}
}
