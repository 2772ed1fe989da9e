package local

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// keyVersion is part of every key: another number is a cache that starts anew. It
// changes when what a job sees does, such as a variable that every job has.
const keyVersion = 1

// A recipe is what the result of a job depends on. What is told to the service and not
// to the script, such as roles, tags and limits of time, is not in it, nor is what names
// the job and the run.
type recipe struct {
	Version int
	Kind    string
	// Code is the digest of the code that the request names.
	Code string
	// Entry is the program with what comes before its arguments.
	Entry, Arguments []string
	Parameters       map[string]string
	Variables        map[string]string
	// Image is what the request names, Packages the digest of the installed ones.
	Image, Packages string
	Inputs          []recipeInput
	Outputs         []recipeOutput
	Metrics         []metricDefinition
}

// A recipeInput is an artifact as the job sees it.
type recipeInput struct {
	Name, Path string
	// File is its name in the folder Path, or empty if it is the folder.
	File, ContentType string
	Digest            string
}

// A recipeOutput is a folder that the job writes, and the file in it that is meant.
type recipeOutput struct{ Name, Path, File string }

// key is the hex SHA-256 of the recipe, or empty where it is not known which code runs.
func (r *recipe) key() string {
	if r.Code == "" {
		return ""
	}
	text, err := json.Marshal(r)
	if err != nil {
		panic(err) // it is text
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// parts are the recipe for people: short texts by name.
func (r *recipe) parts() map[string]string {
	all := map[string]string{"runner": fmt.Sprint(r.Version), "kind": r.Kind, "code": short(r.Code), "image": r.Image}
	if r.Packages != "" {
		all["packages"] = short(r.Packages)
	}
	all["entry point"] = brief(strings.Join(r.Entry, " "))
	arguments(all, r.Arguments)
	for name, value := range r.Parameters {
		all["hyperparameter "+name] = brief(value)
	}
	for name, value := range r.Variables {
		all["variable "+name] = brief(value)
	}
	for _, in := range r.Inputs {
		all["input "+in.Name] = short(in.Digest)
		all["place of input "+in.Name] = brief(words(in.Path, in.File, in.ContentType))
	}
	for _, out := range r.Outputs {
		all["output "+out.Name] = brief(words(out.Path, out.File))
	}
	for _, m := range r.Metrics {
		all["metric "+m.Name] = brief(m.Regex)
	}
	return all
}

// words joins the texts that are not empty.
func words(all ...string) string {
	return strings.Join(slices.DeleteFunc(all, func(s string) bool { return s == "" }), " ")
}

// arguments names each argument by the flag before it, or by its place among those that
// have none.
func arguments(all map[string]string, list []string) {
	bare := 0
	for i := 0; i < len(list); i++ {
		name, value := list[i], "given"
		switch {
		case !strings.HasPrefix(name, "-"):
			bare++
			name, value = fmt.Sprint(bare), name
		case strings.Contains(name, "="):
			name, value, _ = strings.Cut(name, "=")
		case i+1 < len(list) && !strings.HasPrefix(list[i+1], "--"):
			value = list[i+1]
			i++
		}
		name = "argument " + name
		for n := 2; ; n++ {
			if _, there := all[name]; !there {
				break
			}
			name = strings.TrimSuffix(name, fmt.Sprintf(" (%d)", n-1)) + fmt.Sprintf(" (%d)", n)
		}
		all[name] = brief(value)
	}
}

// short is the start of a digest.
func short(digest string) string {
	return fmt.Sprintf("%.12s", strings.TrimPrefix(digest, "sha256:"))
}

// briefLimit is how many characters a text may have that is kept as it is.
const briefLimit = 80

// brief is a text, or the start of its digest where it is long.
func brief(text string) string {
	if utf8.RuneCountInString(text) <= briefLimit {
		return text
	}
	sum := sha256.Sum256([]byte(text))
	return fmt.Sprintf("sha256 %.12s", hex.EncodeToString(sum[:]))
}

// isDigest says whether a part is the start of a digest, which tells people nothing.
func isDigest(name, value string) bool {
	return name == "code" || name == "packages" || strings.HasPrefix(name, "input ") || strings.HasPrefix(value, "sha256 ")
}

// differences says in which parts two recipes differ, and from what to what where that
// is short. There is at least one, if their keys differ.
func differences(was, is map[string]string) string {
	names := map[string]bool{}
	for name := range was {
		names[name] = true
	}
	for name := range is {
		names[name] = true
	}
	var all []string
	for _, name := range sortedKeys(names) {
		before, had := was[name]
		now, has := is[name]
		switch {
		case had && has && before == now:
		case !had:
			all = append(all, name+" is new")
		case !has:
			all = append(all, name+" is gone")
		case isDigest(name, now) || isDigest(name, before):
			all = append(all, name+" changed")
		default:
			all = append(all, fmt.Sprintf("%s was %s, is %s", name, before, now))
		}
	}
	if len(all) == 0 {
		return "the order of its arguments changed"
	}
	return strings.Join(all, "; ")
}
