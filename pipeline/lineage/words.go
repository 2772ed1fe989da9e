package lineage

import (
	"fmt"
	"strconv"
	"strings"
)

// made are lines for what a step was made from besides its inputs.
func made(m *Made) []branch {
	code := "code " + short(m.Code)
	if m.Script != "" {
		code += ", " + m.Script
	}
	all := []branch{{text: code + commitText(m.Commit, m.Dirty)}}
	for _, list := range []struct {
		name   string
		values []Argument
	}{{"arguments", m.Arguments}, {"variables", m.Variables}} {
		if len(list.values) == 0 {
			continue
		}
		var words []string
		for _, a := range list.values {
			word := strconv.Quote(a.Value)
			if plain(a.Value) {
				word = a.Value
			}
			if a.Name != "" {
				word = a.Name + "=" + word
			}
			words = append(words, word)
		}
		all = append(all, branch{text: list.name + " " + strings.Join(words, " ")})
	}
	image := "image " + m.Image
	if m.Python != "" {
		image += fmt.Sprintf(", Python %s, %d packages (%s)", m.Python, len(m.Packages), short(m.Environment))
	}
	return append(all, branch{text: image}, branch{text: "definition " + short(m.Definition)})
}

// plain says whether a value can be read without quotes.
func plain(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == '"' || r == '=' || r == 0x7f })
}

func commitText(commit string, dirty bool) string {
	switch {
	case commit == "":
		return ""
	case dirty:
		return ", commit " + short(commit) + " with changes"
	}
	return ", commit " + short(commit)
}

// short is a digest as a person reads it.
func short(digest string) string {
	prefix := ""
	if rest, ok := strings.CutPrefix(digest, "sha256:"); ok {
		prefix, digest = "sha256:", rest
	}
	if len(digest) > 12 {
		digest = digest[:12]
	}
	if digest == "" {
		return "unknown"
	}
	return prefix + digest
}
