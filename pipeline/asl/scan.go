package asl

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// statesMembers lists the members of $states that an expression names, such as
// "result". It reads the words of JSONata but no grammar: strings, quoted names,
// comments and regular expressions are stepped over.
func statesMembers(source string) []string {
	var members []string
	s := scanner{rest: source}
	for word := s.next(); word != ""; word = s.next() {
		if word != "$states" {
			continue
		}
		if s.next() == "." {
			members = append(members, strings.Trim(s.next(), "`"))
		}
	}
	return members
}

// bracketDepth is how deep the brackets of an expression nest.
func bracketDepth(source string) int {
	if len(source) <= maxBrackets {
		return 0 // it cannot matter
	}
	depth, deepest := 0, 0
	s := scanner{rest: source}
	for word := s.next(); word != ""; word = s.next() {
		switch word {
		case "(", "[", "{":
			depth++
			deepest = max(deepest, depth)
		case ")", "]", "}":
			depth--
		}
	}
	return deepest
}

// A scanner cuts JSONata into words.
type scanner struct {
	rest string
	last string // the word before, which tells a division from a regular expression
}

// next returns the next word, or "" at the end. A string or regular expression
// is returned as its opening quote.
func (s *scanner) next() string {
	s.skip()
	if s.rest == "" {
		return ""
	}
	word := s.word()
	s.last = word
	return word
}

func (s *scanner) word() string {
	switch c := s.rest[0]; {
	case c == '\'' || c == '"':
		s.quoted(c)
		return string(c)
	case c == '/' && s.operandNext():
		s.quoted(c)
		return "/"
	case c == '`':
		end := strings.IndexByte(s.rest[1:], '`')
		if end < 0 {
			return s.take(len(s.rest))
		}
		return s.take(end + 2)
	}
	n := 0
	for i, r := range s.rest {
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && (r != '$' || i > 0) {
			break
		}
		n = i + utf8.RuneLen(r)
	}
	if n <= 0 {
		_, n = utf8.DecodeRuneInString(s.rest)
	}
	return s.take(n)
}

func (s *scanner) take(n int) string {
	word := s.rest[:n]
	s.rest = s.rest[n:]
	return word
}

// skip steps over blanks and comments.
func (s *scanner) skip() {
	for {
		s.rest = strings.TrimLeft(s.rest, " \t\r\n\v")
		if !strings.HasPrefix(s.rest, "/*") {
			return
		}
		_, s.rest, _ = strings.Cut(s.rest[2:], "*/")
	}
}

// quoted steps over text up to its closing quote.
func (s *scanner) quoted(quote byte) {
	for i := 1; i < len(s.rest); i++ {
		switch s.rest[i] {
		case '\\':
			i++
		case quote:
			s.rest = s.rest[i+1:]
			return
		}
	}
	s.rest = ""
}

// operandNext says whether a value must follow the last word, so that a slash
// opens a regular expression.
func (s *scanner) operandNext() bool {
	switch s.last {
	case "", "(", "[", "{", ",", ":", ";", "=", "?", "<", ">", "&", "+", "-", "*", "|", "~", "!", "and", "or", "in":
		return true
	}
	return false
}
