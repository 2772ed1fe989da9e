package emitgo

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/dave/jennifer/jen"
)

// names are the identifiers taken in a scope.
type names map[string]bool

// take reserves a name and returns it, with a number at its end if it is taken.
func (n names) take(name string) string {
	free := name
	for i := 2; n[free]; i++ {
		free = name + strconv.Itoa(i)
	}
	n[free] = true
	return free
}

// comment is one line as a comment that Go accepts and no tool takes for a
// directive.
func comment(line string) string {
	indent := ""
	if strings.HasPrefix(line, "\t") {
		indent = "\t"
	}
	text := strings.TrimSpace(printable(line))
	switch {
	case text == "":
		return "//"
	case strings.HasPrefix(text, "+"): // as in // +build
		return "// '" + text + "'"
	case indent != "":
		return "//\t" + text
	}
	return "// " + text
}

// printable is a line without control characters and what else Go has no place for
// in a comment.
func printable(line string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case unicode.IsControl(r), r == '\ufeff', r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, strings.ToValidUTF8(line, ""))
}

// docLines are the lines of a doc comment's text.
func docLines(text string) []string {
	if text = strings.TrimSpace(text); text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// wrap breaks a text into lines of a comment.
func wrap(text string) []string {
	const width = 76
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case len(line)+1+len(word) > width:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}

// trim drops empty lines at both ends and all but one of several in a row.
func trim(lines []string) []string {
	var kept []string
	for _, l := range lines {
		if strings.TrimSpace(l) == "" && (len(kept) == 0 || kept[len(kept)-1] == "") {
			continue
		}
		kept = append(kept, l)
	}
	for len(kept) > 0 && kept[len(kept)-1] == "" {
		kept = kept[:len(kept)-1]
	}
	return kept
}

// doc puts lines as a comment before what follows in the group or file.
func doc(g interface{ Comment(string) *jen.Statement }, lines ...string) {
	for _, l := range trim(lines) {
		g.Comment(comment(l))
	}
}

// sentence is the first sentence of a doc comment on one line.
func sentence(text string) string {
	s := strings.Join(strings.Fields(text), " ")
	for i := 0; i+2 < len(s); i++ {
		if s[i] == '.' && s[i+1] == ' ' && unicode.IsUpper(rune(s[i+2])) {
			return s[:i+1]
		}
	}
	return s
}

// number is a bound the way that people write it.
func number(v float64) string {
	if v == float64(int64(v)) {
		return strconv.FormatInt(int64(v), 10)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// literal is a composite literal of the given type, if not nil, one item a line.
func literal(typ *jen.Statement, items ...jen.Code) *jen.Statement {
	if typ == nil {
		typ = &jen.Statement{}
	}
	if len(items) == 0 {
		return typ.Values()
	}
	return typ.Custom(jen.Options{Open: "{", Close: "}", Separator: ",", Multi: true}, items...)
}

// field is "name: value" of a composite literal.
func field(name string, value jen.Code) jen.Code { return jen.Id(name).Op(":").Add(value) }

// raw is a text as a raw string literal where that is possible.
func raw(text string) *jen.Statement {
	if !strings.Contains(text, "\n") || strings.Contains(text, "`") || printable(text) != strings.NewReplacer("\n", "", "\t", " ").Replace(text) {
		return jen.Lit(text)
	}
	return jen.Op("`" + text + "`")
}
