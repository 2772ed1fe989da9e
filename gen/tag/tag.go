// Package tag is the grammar of a spec's struct tags. The source text of a tag
// and its position go in; keys with typed values come out, each with the position
// of its own first character, and what is wrong with them. Each directive is a Go
// struct with a field per key, whose comments are the help text of `mlmaxgen
// explain tags`. The package knows neither steps nor pipelines, and what a value
// means is not its business.
package tag

import (
	"go/token"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/mlmax/mlmax/gen/diag"
)

// A Pair is one key:"value" of a tag.
type Pair struct {
	Key, Value Text
}

// A Problem is something wrong with a tag.
type Problem struct {
	// Pos and End are the offending characters; Pos is token.NoPos if it is the
	// field as a whole.
	Pos, End      token.Pos
	Code          diag.Code
	Message, Hint string
	Related       []Related
}

// Related is another place that matters to a problem.
type Related struct {
	Pos     token.Pos
	Message string
}

// Parse splits a tag into its pairs. The literal is the tag as it stands in the
// source, with its back-ticks or quotes; pos is where it begins. A malformed tag
// is a problem at the first character that does not fit, and yields the pairs
// before it.
func Parse(pos token.Pos, literal string) ([]Pair, []Problem) {
	text, bad := unquote(pos, literal)
	if bad != nil {
		return nil, []Problem{*bad}
	}
	return split(text)
}

// split follows the convention of reflect.StructTag, without its leniency:
// exactly one space or more between pairs, and nothing else outside them.
func split(t Text) ([]Pair, []Problem) {
	var pairs []Pair
	for i := 0; ; {
		start := i
		for i < len(t.S) && t.S[i] == ' ' {
			i++
		}
		if i == len(t.S) {
			return pairs, nil
		}
		if t.S[i] == '\n' || t.S[i] == '\r' {
			return pairs, malformed(t, i, "a tag stays on one line", "move some of its keys onto a blank field of type mlmax.Compute, or let the line be long")
		}
		if len(pairs) > 0 && i == start {
			return pairs, malformed(t, i, "pairs of a tag are separated by a space", "put a space before this key")
		}
		key := i
		for i < len(t.S) && t.S[i] > ' ' && t.S[i] != ':' && t.S[i] != '"' && t.S[i] != 0x7f {
			i++
		}
		switch {
		case i == key:
			return pairs, malformed(t, i, "a key of a tag is missing", `write tags as key:"value"`)
		case i == len(t.S) || t.S[i] != ':':
			return pairs, malformed(t, key, "key "+strconv.Quote(t.S[key:i])+" has no value", `write tags as key:"value"`)
		case i+1 == len(t.S) || t.S[i+1] != '"':
			return pairs, malformed(t, i+1, "the value of "+strconv.Quote(t.S[key:i])+" is not quoted", `write tags as key:"value"`)
		}
		open := i + 1
		end := closing(t.S, open)
		if end < 0 {
			return pairs, malformed(t, open, "the value of "+strconv.Quote(t.S[key:i])+" has no closing quote", "close the quote")
		}
		value, wrong := unescape(t, open+1, end)
		if wrong >= 0 {
			return pairs, malformed(t, wrong, "the value of "+strconv.Quote(t.S[key:i])+" holds something that Go cannot unquote", "escape it as in a Go string")
		}
		pairs = append(pairs, Pair{t.Slice(key, i), value})
		i = end + 1
	}
}

// closing is the index of the quote that closes the one at open, or -1.
func closing(s string, open int) int {
	for i := open + 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

func malformed(t Text, i int, message, hint string) []Problem {
	return []Problem{{Pos: t.At(i), End: t.At(min(i+1, len(t.S))), Code: diag.MalformedTag, Message: message, Hint: hint}}
}

// unquote turns a literal into its text. In a raw literal every character stands
// for itself, but for carriage returns, which Go drops.
func unquote(pos token.Pos, literal string) (Text, *Problem) {
	n := len(literal)
	if n < 2 || literal[0] != literal[n-1] || literal[0] != '`' && literal[0] != '"' {
		return Text{}, &Problem{Pos: pos, End: pos + token.Pos(n), Code: diag.MalformedTag, Message: "the tag is not a string literal"}
	}
	whole := Text{S: literal, base: pos}
	if literal[0] == '`' {
		if strings.IndexByte(literal, '\r') < 0 {
			return whole.Slice(1, n-1), nil
		}
		var b builder
		for i := 1; i < n-1; i++ {
			if literal[i] != '\r' {
				b.add(literal[i:i+1], whole.At(i))
			}
		}
		return b.text(whole.At(n - 1)), nil
	}
	text, wrong := unescape(whole, 1, n-1)
	if wrong >= 0 {
		return Text{}, &malformed(whole, wrong, "the tag holds something that Go cannot unquote", "")[0]
	}
	return text, nil
}

// unescape undoes the escapes of a Go string between i and end. The second result
// is the index of what cannot be undone, or -1.
func unescape(t Text, i, end int) (Text, int) {
	if body := t.S[i:end]; strings.IndexByte(body, '\\') < 0 && strings.IndexByte(body, '\n') < 0 && utf8.ValidString(body) {
		return t.Slice(i, end), -1
	}
	var b builder
	for i < end {
		if t.S[i] == '\n' {
			return Text{}, i
		}
		r, multibyte, tail, err := strconv.UnquoteChar(t.S[i:end], '"')
		if err != nil {
			return Text{}, i
		}
		if r < utf8.RuneSelf || !multibyte {
			b.add(string([]byte{byte(r)}), t.At(i))
		} else {
			b.add(string(r), t.At(i))
		}
		i = end - len(tail)
	}
	return b.text(t.At(end)), -1
}
