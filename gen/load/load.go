// Package load turns package patterns into typed syntax. It is the only user of
// go/packages.
//
// One call of the go command lists the packages and what they import. Those that
// use the vocabulary, directly or through others, are parsed and type-checked
// here from source, so that every token has its position wherever a step was
// declared; what else they import comes from the compiler's export data, and is
// asked for only when there is such an import. An SDK is thus never type-checked,
// and a spec that imports nothing but the vocabulary costs one listing.
//
// A package that does not compile is reported in the compiler's own words. The
// package knows nothing of steps, pipelines or tags.
package load

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/gen/diag"
	"golang.org/x/tools/go/packages"
)

// Vocabulary is the import path of the package that specs are written in.
const Vocabulary = "github.com/mlmax/mlmax"

// A Package is one package, parsed with comments and type-checked.
type Package struct {
	// Path is the import path, Name the package's name, Dir its absolute folder.
	Path, Name, Dir string
	// ModulePath and ModuleDir are those of the module that holds it.
	ModulePath, ModuleDir string
	// Named says that a pattern named this very package; otherwise it was found by
	// a wildcard.
	Named bool
	// Compiles says that no mistake was found in it.
	Compiles bool

	Fset   *token.FileSet
	Syntax []*ast.File // sorted by file name
	Types  *types.Package
	Info   *types.Info
	// Deps are the packages besides the vocabulary that it imports, directly or not,
	// and that use the vocabulary, sorted by path.
	Deps []*Package

	sources map[*token.File][]byte
}

// Source is the text between two positions of the package, as it stands in the
// file: unlike syntax, with the carriage returns of raw strings.
func (p *Package) Source(pos, end token.Pos) string {
	f := p.Fset.File(pos)
	return string(p.sources[f][f.Offset(pos):f.Offset(end)])
}

// Load lists, parses and checks the packages that the patterns name in dir.
// Packages found by a wildcard that do not import the vocabulary are left out.
// Mistakes in packages go to the bag; the error is trouble with the listing, or a
// pattern that matches nothing. Packages with syntax errors are reported but not
// returned.
func Load(ctx context.Context, dir string, patterns []string, bag *diag.Bag) ([]*Package, error) {
	if len(patterns) == 0 {
		patterns = []string{"."}
	}
	dir, err := folder(dir)
	if err != nil {
		return nil, err
	}
	for _, pattern := range patterns {
		if strings.HasSuffix(pattern, ".go") {
			return nil, fmt.Errorf("%s is a file, and specs are whole packages; name its folder", pattern)
		}
	}
	listed, err := list(ctx, dir, patterns)
	if err != nil {
		return nil, err
	}
	l := &loader{fset: token.NewFileSet(), bag: bag, units: map[string]*unit{}, opaque: map[string]*types.Package{}}
	var wanted []*packages.Package
	for _, p := range listed {
		if named(p, dir, patterns) || p.Imports[Vocabulary] != nil {
			if err := trouble(p); err != nil {
				return nil, err
			}
			wanted = append(wanted, p)
		}
	}
	if len(wanted) == 0 {
		return nil, fmt.Errorf("no package that imports %s matches %s", Vocabulary, strings.Join(patterns, " "))
	}
	if err := l.export(ctx, dir, wanted); err != nil {
		return nil, err
	}
	var loaded []*Package
	for _, p := range wanted {
		u := l.load(p, false)
		if u.broken {
			continue
		}
		u.pkg.Named = named(p, dir, patterns)
		u.pkg.Deps = closure(u)
		loaded = append(loaded, u.pkg)
	}
	return loaded, nil
}

// folder is the absolute path of the folder to load from, which must be there: the
// go command's own words would blame the go command.
func folder(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("finding the folder to load from: %w", err)
	}
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return "", fmt.Errorf("finding the folder to load from: %w; name one that is there with -C", err)
	case !info.IsDir():
		return "", fmt.Errorf("%s is a file, and packages are loaded from a folder; name its folder with -C", dir)
	}
	return dir, nil
}

// list asks the go command for the packages, the files of each, and all that they
// import. It compiles nothing.
func list(ctx context.Context, dir string, patterns []string) ([]*packages.Package, error) {
	listed, err := packages.Load(&packages.Config{
		Context: ctx,
		Dir:     dir,
		Mode:    packages.NeedName | packages.NeedFiles | packages.NeedImports | packages.NeedDeps | packages.NeedModule,
	}, patterns...)
	if err != nil {
		return nil, fmt.Errorf("listing packages %s: %w", strings.Join(patterns, " "), err)
	}
	slices.SortFunc(listed, func(a, b *packages.Package) int { return strings.Compare(a.PkgPath, b.PkgPath) })
	return listed, nil
}

// trouble is what keeps a package from being loaded at all: no such folder, no Go
// files in it. Mistakes with a position are the package's own, and found again.
func trouble(p *packages.Package) error {
	if len(p.GoFiles) > 0 {
		return nil
	}
	for _, e := range p.Errors {
		return errors.New(strings.TrimSpace(e.Msg))
	}
	return fmt.Errorf("no Go files in %s", p.PkgPath)
}

// named reports whether a pattern without a wildcard means the package.
func named(p *packages.Package, dir string, patterns []string) bool {
	for _, pattern := range patterns {
		if strings.Contains(pattern, "...") {
			continue
		}
		path := pattern
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		if pattern == p.PkgPath || path == p.Dir || len(p.GoFiles) == 0 {
			return true
		}
	}
	return false
}

// closure lists the packages from source below a unit, but for the vocabulary.
func closure(u *unit) []*Package {
	seen := map[*unit]bool{u: true}
	var all []*Package
	var visit func(*unit)
	visit = func(u *unit) {
		for _, d := range u.deps {
			if !seen[d] {
				seen[d] = true
				visit(d)
				if d.pkg.Path != Vocabulary && !d.broken {
					all = append(all, d.pkg)
				}
			}
		}
	}
	visit(u)
	slices.SortFunc(all, func(a, b *Package) int { return strings.Compare(a.Path, b.Path) })
	return all
}
