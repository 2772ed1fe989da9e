package mlmax_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// module is this module's path.
const module = "github.com/mlmax/mlmax"

// allowed says what each package may import besides the standard library, tests
// aside: packages of this module by their path in it, and other modules. A path
// that ends in /... stands for everything below. Changing the table changes the
// architecture (docs/architecture.md).
var allowed = map[string][]string{
	".": {},

	"gen/diag":                {"gen/srcdoc"},
	"gen/srcdoc":              {},
	"gen/ir":                  {},
	"gen/limits":              {},
	"gen/limits/internal/...": {"gen/limits/internal/..."},
	"gen/tag":                 {"gen/diag", "gen/srcdoc"},
	"gen/load":                {"gen/diag", "golang.org/x/tools"},
	"gen/read":                {"gen/diag", "gen/ir", "gen/load", "gen/tag"},
	"gen/check":               {"gen/diag", "gen/ir", "gen/limits", "pipeline/code", "pipeline/images"},
	"gen/plan":                {"gen/ir", "pipeline/images"},
	"gen/emitasl":             {"gen/ir", "pipeline/asl"},
	"gen/emitcfn":             {"gen/ir", "pipeline/asl", "pipeline/images", "github.com/awslabs/goformation/v7"},
	"gen/emitgo":              {"gen/ir", "github.com/dave/jennifer"},
	"gen/emitdoc":             {"gen/ir", "pipeline/asl"},
	"gen/write":               {"gen/ir", "gen/diag", "github.com/google/renameio/v2", "github.com/rogpeppe/go-internal"},
	"gen":                     {"gen/...", "pipeline/asl"},
	"cmd/mlmaxgen":            {"gen", "gen/diag", "gen/ir", "gen/tag", "gen/write", "github.com/spf13/cobra"},

	"pipeline":                 {},
	"pipeline/asl":             {"github.com/recolabs/gnata"},
	"pipeline/images":          {},
	"pipeline/code":            {"github.com/klauspost/compress"},
	"pipeline/record":          {"modernc.org/sqlite"},
	"pipeline/terminal":        {},
	"pipeline/worktree":        {},
	"pipeline/dataset":         {"pipeline"},
	"pipeline/manifest":        {},
	"pipeline/lineage":         {"pipeline", "pipeline/record", "pipeline/terminal"},
	"pipeline/openlineage":     {"pipeline", "pipeline/record"},
	"pipeline/report":          {"pipeline", "pipeline/record", "pipeline/terminal"},
	"pipeline/progress":        {"pipeline", "pipeline/terminal"},
	"pipeline/local/failpoint": {},
	"pipeline/local/sandbox":   {"pipeline/local/failpoint", "golang.org/x/sys"},
	"pipeline/local/pyenv":     {"pipeline/images", "github.com/gofrs/flock"},
	"pipeline/local/objects":   {"pipeline", "pipeline/local/failpoint", "pipeline/record", "golang.org/x/sys"},
	"pipeline/local": {
		"pipeline", "pipeline/asl", "pipeline/code", "pipeline/dataset", "pipeline/images", "pipeline/manifest", "pipeline/record", "pipeline/terminal", "pipeline/track", "pipeline/worktree", "pipeline/local/...",
		"github.com/gofrs/flock", "github.com/klauspost/compress",
	},
	"pipeline/price":         {},
	"pipeline/delta":         {"pipeline/asl", "pipeline/price", "pipeline/terminal"},
	"pipeline/revision":      {"pipeline", "pipeline/code", "pipeline/delta"},
	"pipeline/track":         {"pipeline", "pipeline/asl"},
	"pipeline/cloud":         {"pipeline", "pipeline/asl", "pipeline/code", "pipeline/dataset", "pipeline/images", "pipeline/terminal", "pipeline/worktree", "github.com/aws"},
	"pipeline/cloud/stack":   {"pipeline/cloud", "pipeline/delta", "pipeline/progress", "pipeline/terminal", "github.com/aws"},
	"pipeline/cloud/history": {"pipeline/asl", "pipeline/cloud", "github.com/aws"},
	"pipeline/cloud/joblog":  {"pipeline", "pipeline/cloud", "pipeline/terminal", "github.com/aws"},
	"pipeline/cloud/execution": {
		"pipeline", "pipeline/asl", "pipeline/cloud", "pipeline/cloud/history", "pipeline/cloud/joblog", "pipeline/cloud/ledger",
		"pipeline/manifest", "pipeline/terminal", "pipeline/track", "github.com/aws",
	},
	"pipeline/cloud/ledger": {
		"pipeline", "pipeline/asl", "pipeline/cloud", "pipeline/cloud/history", "pipeline/manifest", "pipeline/record", "pipeline/track", "github.com/aws",
	},
	"pipeline/cli": {
		"pipeline", "pipeline/cloud", "pipeline/cloud/...", "pipeline/delta", "pipeline/lineage", "pipeline/local", "pipeline/openlineage", "pipeline/progress",
		"pipeline/record", "pipeline/report", "pipeline/revision", "pipeline/terminal", "pipeline/worktree",
		"github.com/spf13/cobra", "golang.org/x/term",
	},

	"specs/...":     {"."},
	"generated/...": {".", "pipeline", "pipeline/cli", "specs/...", "generated/..."},
	"internal/...":  {"*"},
}

// TestImports holds every package to the table, whatever platform a file is for.
func TestImports(t *testing.T) {
	t.Parallel()
	files := token.NewFileSet()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && (name == "testdata" || len(name) > 1 && (name[0] == '.' || name[0] == '_')) {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(files, path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		pkg := filepath.ToSlash(filepath.Dir(path))
		rule, ok := lookup(pkg)
		if !ok {
			t.Errorf("%s: package %s is not in the table of allowed imports", path, pkg)
			return nil
		}
		for _, spec := range file.Imports {
			imp, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if !strings.Contains(strings.SplitN(imp, "/", 2)[0], ".") {
				continue // standard library
			}
			if !slices.ContainsFunc(rule, func(r string) bool { return matches(r, local(imp)) }) {
				t.Errorf("%s: %s imports %s: not in the table of allowed imports", files.Position(spec.Pos()), pkg, imp)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// local is a package's path in this module, "." for the root, or its import path.
func local(path string) string {
	if path == module {
		return "."
	}
	return strings.TrimPrefix(path, module+"/")
}

// lookup finds the rule of a package: its own, or that of the nearest folder above.
func lookup(pkg string) ([]string, bool) {
	if rule, ok := allowed[pkg]; ok {
		return rule, true
	}
	for dir := pkg; dir != ""; {
		if rule, ok := allowed[dir+"/..."]; ok {
			return rule, true
		}
		i := strings.LastIndex(dir, "/")
		if i < 0 {
			break
		}
		dir = dir[:i]
	}
	return nil, false
}

// matches reports whether a path is, or lies below, what a rule names.
func matches(rule, path string) bool {
	if rule == "*" {
		return true
	}
	if base, ok := strings.CutSuffix(rule, "/..."); ok {
		return path == base || strings.HasPrefix(path, base+"/")
	}
	if strings.Contains(rule, ".") && rule != "." { // another module: all its packages
		return path == rule || strings.HasPrefix(path, rule+"/")
	}
	return path == rule
}
