package tag

import (
	_ "embed"
	"strings"

	"github.com/mlmax/mlmax/gen/srcdoc"
)

//go:embed directives.go
var directives string

// A Help is what there is to say about one directive: where its tag stands, and
// which keys it takes.
type Help struct {
	// Name is the directive's, such as RegisterModel; Doc says where it stands.
	Name, Doc string
	Keys      []KeyHelp
}

// KeyHelp is what there is to say about one key.
type KeyHelp struct {
	Name, Doc string
	// Required says that the key must be given.
	Required bool
}

// Directives lists what the tags of a spec can say, in the order of the source.
// Its texts are the comments of the structs that tags are read into.
func Directives() []Help {
	structs, err := srcdoc.Structs(directives)
	if err != nil {
		panic("tag: directives.go is embedded and compiled, but cannot be read: " + err.Error())
	}
	byName := map[string]srcdoc.Struct{}
	shared := map[string]bool{} // embedded in others, and no directive itself
	for _, s := range structs {
		byName[s.Name] = s
		for _, f := range s.Fields {
			shared[f.Name] = shared[f.Name] || f.Embedded
		}
	}
	shared["Use"] = false // which TrainingUse only adds to
	var all []Help
	for _, s := range structs {
		if !shared[s.Name] {
			all = append(all, Help{s.Name, s.Doc, keysHelp(byName, s)})
		}
	}
	return all
}

func keysHelp(byName map[string]srcdoc.Struct, s srcdoc.Struct) []KeyHelp {
	var keys []KeyHelp
	for _, f := range s.Fields {
		if f.Embedded {
			keys = append(keys, keysHelp(byName, byName[f.Name])...)
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("tag"), ",")
		keys = append(keys, KeyHelp{name, f.Doc, strings.Contains(options, "required")})
	}
	return keys
}
