package emitdoc

import (
	"strconv"
	"strings"
	"unicode"
)

// prose is text of the user's as Markdown that shows it as it is: line breaks
// stay, what would be read as HTML or as a control character does not.
func prose(text string) string {
	text = strings.Map(func(r rune) rune {
		if r != '\n' && unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.TrimSpace(text))
	for strings.Contains(text, "\n\n\n") {
		text = strings.ReplaceAll(text, "\n\n\n", "\n\n")
	}
	return markdown.Replace(text)
}

// markdown writes what Markdown and HTML would read as their own as plain text.
var markdown = strings.NewReplacer("&", "&amp;", "<", "&lt;", "[", "\\[", "]", "\\]", "`", "\\`", "*", "\\*", "_", "\\_")

// cell is prose for a table.
func cell(text string) string {
	return strings.ReplaceAll(prose(strings.Join(strings.Fields(text), " ")), "|", "\\|")
}

// code is text as code, in a table or elsewhere.
func code(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	text = strings.ReplaceAll(text, "|", "\\|")
	if text == "" {
		return ""
	}
	fence := "`"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	if len(fence) > 1 {
		return fence + " " + text + " " + fence
	}
	return fence + text + fence
}

// number is a bound the way that people write it.
func number(v float64) string {
	if v == float64(int64(v)) {
		return strconv.FormatInt(int64(v), 10)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
