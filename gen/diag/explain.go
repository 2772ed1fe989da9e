package diag

import (
	"embed"
	"maps"
	"regexp"
	"strings"
	"sync"

	"github.com/mlmax/mlmax/gen/srcdoc"
)

// The files of codes, in order.
var (
	//go:embed codes.go
	codes string
	//go:embed codes_041.go
	codes041 string
)

//go:embed example.txtar
var exampleModule string

//go:embed examples/*.txtar
var examples embed.FS

// An Explanation is what there is to say about a code: its doc comment, in parts,
// and its example.
type Explanation struct {
	Code Code
	// Name is that of the constant, such as UnknownInstance.
	Name string
	// Summary is what it means, in one sentence; Text says more, or is empty.
	Summary, Text string
	// Example is what leads to it: declarations that take the place of those of the
	// same name in the example package, then files of its folder in the format of
	// txtar. It is empty for what cannot be shown in files.
	Example string
}

var explanations = sync.OnceValue(func() []Explanation {
	var values []srcdoc.Value
	for _, source := range []string{codes, codes041} {
		v, err := srcdoc.Values(source)
		if err != nil {
			panic("diag: the files of codes are embedded and compiled, but cannot be read: " + err.Error())
		}
		values = append(values, v...)
	}
	all := make([]Explanation, 0, len(values))
	for _, v := range values {
		summary, text, _ := strings.Cut(strings.TrimSpace(v.Doc), "\n\n")
		all = append(all, Explanation{
			Code: Code(v.Value), Name: v.Name,
			Summary: strings.TrimPrefix(strings.ReplaceAll(summary, "\n", " "), v.Name+": "),
			Text:    strings.TrimSpace(text), Example: exampleOf(v.Value),
		})
	}
	return all
})

// Explanations lists all codes in order.
func Explanations() []Explanation { return explanations() }

// Explain finds what there is to say about a code.
func Explain(c Code) (Explanation, bool) {
	for _, e := range explanations() {
		if e.Code == c {
			return e, true
		}
	}
	return Explanation{}, false
}

// exampleOf is the example of a code, or empty if it has none.
func exampleOf(code string) string {
	b, err := examples.ReadFile("examples/" + code + ".txtar")
	if err != nil {
		return ""
	}
	return string(b)
}

// ExamplePackage is the Go file of the package that examples are changes of.
func ExamplePackage() string { return files(exampleModule)["spec.go"] }

var (
	section = regexp.MustCompile(`(?m)^-- (.+) --\n`)
	started = regexp.MustCompile(`(?m)^(?:type|var|const|func) (\w+)`)
)

// files splits an archive in the format of txtar; what stands before the first
// file is kept under the empty name.
func files(archive string) map[string]string {
	all := map[string]string{}
	name, begin := "", 0
	for _, m := range section.FindAllStringSubmatchIndex(archive, -1) {
		all[name] = archive[begin:m[0]]
		name, begin = archive[m[2]:m[3]], m[1]
	}
	all[name] = archive[begin:]
	return all
}

// Files are those of a module that holds the example, by slash path: the example
// package with the example's changes. A name "A -> B" is a symbolic link A to B,
// and "A is missing" takes a file away. The module requires this one without
// saying where it is.
func (e Explanation) Files() map[string]string {
	all := files(exampleModule)
	delete(all, "")
	changes := files(e.Example)
	snippet := changes[""]
	delete(changes, "")
	replaced := map[string]bool{}
	for _, m := range started.FindAllStringSubmatch(snippet, -1) {
		replaced[m[1]] = true
	}
	all["spec.go"] = without(all["spec.go"], replaced)
	if snippet != "" {
		head := "package spec\n\n"
		if strings.Contains(snippet, "mlmax.") {
			head += "import \"github.com/mlmax/mlmax\"\n\n"
		}
		all["example.go"] = head + snippet
	}
	maps.Copy(all, changes)
	for name := range changes {
		if gone, ok := strings.CutSuffix(name, " is missing"); ok {
			delete(all, name)
			delete(all, gone)
		}
	}
	return all
}

// without leaves declarations out of a file in which each begins a line.
func without(source string, names map[string]bool) string {
	starts := started.FindAllStringSubmatchIndex(source, -1)
	if len(starts) == 0 {
		return source
	}
	var b strings.Builder
	b.WriteString(source[:starts[0][0]])
	for i, m := range starts {
		end := len(source)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		if !names[source[m[2]:m[3]]] {
			b.WriteString(source[m[0]:end])
		}
	}
	return b.String()
}
