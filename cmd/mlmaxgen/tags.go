package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/gen/tag"
)

// explainTags prints the directives with their keys.
func (a *app) explainTags() error {
	all := tag.Directives()
	if a.json {
		return a.printJSON(tagsJSON(all))
	}
	for i, d := range all {
		if i > 0 {
			fmt.Fprintln(a.stdout)
		}
		fmt.Fprintln(a.stdout, d.Doc)
		for _, k := range d.Keys {
			a.printKey(k)
		}
	}
	return nil
}

// explainKey prints one key for all fields that take it: once for those of which
// there is the same to say.
func (a *app) explainKey(key string) error {
	all := tag.Directives()
	for i := range all {
		all[i].Keys = slices.DeleteFunc(all[i].Keys, func(k tag.KeyHelp) bool { return k.Name != key })
	}
	all = slices.DeleteFunc(all, func(h tag.Help) bool { return len(h.Keys) == 0 })
	if a.json {
		return a.printJSON(tagsJSON(all))
	}
	for i, d := range all {
		fmt.Fprintln(a.stdout, d.Doc)
		if i+1 == len(all) || all[i+1].Keys[0] != d.Keys[0] {
			a.printKey(d.Keys[0])
		}
		if i+1 < len(all) {
			fmt.Fprintln(a.stdout)
		}
	}
	return nil
}

func (a *app) printKey(k tag.KeyHelp) {
	required := ""
	if k.Required {
		required = " (required)"
	}
	fmt.Fprintf(a.stdout, "\n  %s%s\n%s\n", k.Name, required, indent(k.Doc, "      "))
}

func indent(text, by string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) != "" {
			b.WriteString(by)
		}
		b.WriteString(line)
	}
	return b.String()
}

type jsonDirective struct {
	Directive string    `json:"directive"`
	Text      string    `json:"text"`
	Keys      []jsonKey `json:"keys"`
}

type jsonKey struct {
	Key      string `json:"key"`
	Required bool   `json:"required"`
	Text     string `json:"text"`
}

func tagsJSON(all []tag.Help) []jsonDirective {
	list := make([]jsonDirective, 0, len(all))
	for _, d := range all {
		one := jsonDirective{d.Name, d.Doc, []jsonKey{}}
		for _, k := range d.Keys {
			one.Keys = append(one.Keys, jsonKey{k.Name, k.Required, k.Doc})
		}
		list = append(list, one)
	}
	return list
}
