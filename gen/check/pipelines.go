package check

import (
	"fmt"
	"go/build"
	"go/token"
	"io"
	"strings"

	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/ir"
)

// pipelineRules judge the pipelines of a package beside each other.
var pipelineRules = []Rule{
	{Code: diag.PipelineClash, Doc: "no two pipelines have one name or one folder", run: pipelineClash},
}

func pipelineClash(p *pass) { p.clashes(p.spec.Pipelines) }

// Clashes looks at the pipelines of several packages that are generated together,
// into one folder: what Check does for one package.
func Clashes(specs []*ir.Spec, bag *diag.Bag) {
	var all []*ir.Pipeline
	for _, s := range specs {
		all = append(all, s.Pipelines...)
	}
	p := &pass{bag: bag, rule: pipelineRules[0]}
	p.clashes(all)
}

// clashes reports each pipeline that has the name or the folder of one before it.
func (p *pass) clashes(pipes []*ir.Pipeline) {
	names, dirs := map[string]*ir.Pipeline{}, map[string]*ir.Pipeline{}
	for _, x := range pipes {
		dir := strings.ToLower(x.GoName)
		if !usableDir(dir) {
			p.report(point(x.Pos), fmt.Sprintf("pipeline %q would be written as a Go package %q, which Go does not allow everywhere", x.GoName, dir),
				"rename the type")
		}
		name := strings.ToLower(x.Name.V)
		if first := names[name]; first != nil && name != "" {
			p.report(at(x.Name).or(point(x.Pos)), fmt.Sprintf("pipelines %q and %q have one name, %q", first.GoName, x.GoName, name),
				"rename one of them", related(at(first.Name).or(point(first.Pos)), "the first one"))
		} else {
			names[name] = x
		}
		if first := dirs[dir]; first != nil {
			p.report(point(x.Pos), fmt.Sprintf("pipelines %q and %q would be written to one folder, %q", first.GoName, x.GoName, dir),
				"rename one of the types", related(point(first.Pos), "the first one"))
		} else {
			dirs[dir] = x
		}
	}
}

// usableDir reports whether a folder and the Go file in it can have this name:
// nothing that the language or the go command takes for something else, such as
// fit_test.go and fit_linux.go.
func usableDir(dir string) bool {
	if token.IsKeyword(dir) || unusableDirs[dir] || strings.HasSuffix(dir, "_test") || !asciiName.MatchString(dir) {
		return false
	}
	nowhere := build.Context{GOOS: "none", GOARCH: "none", Compiler: "gc", OpenFile: func(string) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader("package p\n")), nil
	}}
	match, err := nowhere.MatchFile("", dir+".go")
	return err == nil && match
}

// unusableDirs are names of folders that cannot hold an importable package.
var unusableDirs = map[string]bool{"main": true, "internal": true, "vendor": true, "testdata": true}
