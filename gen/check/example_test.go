package check_test

import (
	"bytes"
	"context"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/mlmax/mlmax/gen/check"
	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/load"
	"github.com/mlmax/mlmax/gen/read"
)

var update = flag.Bool("update", false, "rewrite what testdata/*.txtar want")

// elsewhere are the codes whose examples are no files: what they report is what
// gen/write finds, or the machine's lack of python3 (TestNoPython).
var elsewhere = []diag.Code{diag.NoPython, diag.Stale, diag.ForeignFile}

// TestExamples feeds every code's documented example through the stages up to
// check, and wants that code and no other.
func TestExamples(t *testing.T) {
	t.Parallel()
	packages := map[string]map[string]string{}
	for _, e := range diag.Explanations() {
		if slices.Contains(elsewhere, e.Code) != (e.Example == "") {
			t.Errorf("%s %s has no example, or should have none", e.Code, e.Name)
		}
		if e.Example != "" {
			packages[strings.ToLower(string(e.Code))] = e.Files()
		}
	}
	dir, found := findings(t, packages)
	for _, e := range diag.Explanations() {
		list := found[strings.ToLower(string(e.Code))]
		var codes []diag.Code
		for _, d := range list {
			codes = append(codes, d.Code)
			if strings.Contains(e.Summary, "A warning.") != (d.Severity == diag.Warning) {
				t.Errorf("%s: severity is %v, and the comment says otherwise", e.Code, d.Severity)
			}
			if !d.Pos.IsValid() {
				t.Errorf("%s: no position: %s", e.Code, d.Message)
			}
		}
		if e.Example != "" && !slices.Equal(codes, []diag.Code{e.Code}) {
			t.Errorf("want %s alone, got:\n%s", e.Code, text(t, dir, list))
		}
	}
}

// TestExamplePackage wants the package that examples change to be without fault.
func TestExamplePackage(t *testing.T) {
	t.Parallel()
	dir, found := findings(t, map[string]map[string]string{"whole": diag.Explanation{}.Files()})
	if list := found["whole"]; len(list) > 0 {
		t.Errorf("the example package has faults:\n%s", text(t, dir, list))
	}
}

// TestCases changes the example package as each file of testdata says, in the way
// of the codes' examples, and compares all that is found with what it wants.
func TestCases(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	packages, wants := map[string]map[string]string{}, map[string]string{}
	for _, name := range names {
		a, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		_, example, _ := strings.Cut(string(a.Comment), "\n\n")
		var rest []txtar.File
		key := strings.TrimSuffix(filepath.Base(name), ".txtar")
		for _, f := range a.Files {
			if f.Name == "want" {
				wants[key] = string(f.Data)
				continue
			}
			rest = append(rest, f)
		}
		packages[key] = diag.Explanation{Example: string(txtar.Format(&txtar.Archive{Comment: []byte(example), Files: rest}))}.Files()
	}
	dir, found := findings(t, packages)
	for _, name := range names {
		key := strings.TrimSuffix(filepath.Base(name), ".txtar")
		got := text(t, filepath.Join(dir, key), found[key])
		switch {
		case *update:
			rewrite(t, name, got)
		case got != wants[key]:
			t.Errorf("%s: findings (-want +got):\n%s", name, cmp.Diff(wants[key], got))
		}
	}
}

func rewrite(t *testing.T, name, want string) {
	t.Helper()
	a, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	a.Files = slices.DeleteFunc(a.Files, func(f txtar.File) bool { return f.Name == "want" })
	a.Files = append(a.Files, txtar.File{Name: "want", Data: []byte(want)})
	if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestShippedSpecs wants no finding in what this module ships.
func TestShippedSpecs(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "specs", "census")
	if list := checked(t, dir, []string{"."}); len(list) > 0 {
		t.Errorf("findings:\n%s", text(t, dir, list))
	}
}

// findings writes a module with one folder a package, reads and checks all, and
// returns its folder and what was found by package.
func findings(t *testing.T, packages map[string]map[string]string) (dir string, found map[string]diag.List) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if dir, err = filepath.EvalSymlinks(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	var patterns []string
	for _, name := range slices.Sorted(maps.Keys(packages)) {
		patterns = append(patterns, "./"+name)
		for file, content := range packages[name] {
			if file == "go.mod" {
				put(t, dir, file, content+"\nreplace github.com/mlmax/mlmax => "+root+"\n")
				continue
			}
			put(t, filepath.Join(dir, name), file, content)
		}
	}
	found = map[string]diag.List{}
	for _, d := range checked(t, dir, patterns) {
		rel, err := filepath.Rel(dir, d.Pos.Filename)
		if err != nil {
			t.Fatal(err)
		}
		name, _, _ := strings.Cut(filepath.ToSlash(rel), "/")
		found[name] = append(found[name], d)
	}
	return dir, found
}

// put writes a file, or the symbolic link "A -> B".
func put(t *testing.T, dir, name, content string) {
	t.Helper()
	link, target, isLink := strings.Cut(name, " -> ")
	file := filepath.Join(dir, filepath.FromSlash(link))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	var err error
	if isLink {
		err = os.Symlink(filepath.FromSlash(target), file)
	} else {
		err = os.WriteFile(file, []byte(content), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// checked loads, reads and checks packages.
func checked(t *testing.T, dir string, patterns []string) diag.List {
	t.Helper()
	var bag diag.Bag
	loaded, err := load.Load(context.Background(), dir, patterns, &bag)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range loaded {
		check.Check(context.Background(), read.Read(p, &bag), &bag)
	}
	return bag.List()
}

func text(t *testing.T, dir string, l diag.List) string {
	t.Helper()
	var b bytes.Buffer
	if err := l.Print(&b, diag.Config{Dir: dir, Max: 1000}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
