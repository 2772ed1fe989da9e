package tag

import (
	"go/token"
	"strings"
)

// Text is a part of a tag that knows where each of its bytes stands in the
// source, whatever escapes it was written with.
type Text struct {
	S    string
	base token.Pos
	at   []token.Pos // of each byte and of the end; nil if byte i stands at base+i
}

// At is the position of byte i; At(len(t.S)) is just past the text.
func (t Text) At(i int) token.Pos {
	if t.at != nil {
		return t.at[i]
	}
	return t.base + token.Pos(i)
}

// Pos and End are the positions of the text's beginning and of what follows it.
func (t Text) Pos() token.Pos { return t.At(0) }

// End is just past the text.
func (t Text) End() token.Pos { return t.At(len(t.S)) }

// Slice is the text from byte i up to j.
func (t Text) Slice(i, j int) Text {
	if t.at != nil {
		return Text{S: t.S[i:j], at: t.at[i : j+1]}
	}
	return Text{S: t.S[i:j], base: t.base + token.Pos(i)}
}

// Trim is the text without the spaces around it.
func (t Text) Trim() Text {
	left := len(t.S) - len(strings.TrimLeft(t.S, " "))
	return t.Slice(left, max(left, len(strings.TrimRight(t.S, " "))))
}

// Split cuts the text at each separator and trims the parts.
func (t Text) Split(sep byte) []Text {
	var parts []Text
	start := 0
	for i := 0; i <= len(t.S); i++ {
		if i == len(t.S) || t.S[i] == sep {
			parts = append(parts, t.Slice(start, i).Trim())
			start = i + 1
		}
	}
	return parts
}

// Cut splits the text at the first separator and trims both sides.
func (t Text) Cut(sep byte) (left, right Text, ok bool) {
	i := strings.IndexByte(t.S, sep)
	if i < 0 {
		return t.Trim(), Text{}, false
	}
	return t.Slice(0, i).Trim(), t.Slice(i+1, len(t.S)).Trim(), true
}

// A builder makes a text whose bytes do not stand one after the other.
type builder struct {
	s  strings.Builder
	at []token.Pos
}

func (b *builder) add(s string, pos token.Pos) {
	b.s.WriteString(s)
	for range len(s) {
		b.at = append(b.at, pos)
	}
}

func (b *builder) text(end token.Pos) Text {
	return Text{S: b.s.String(), at: append(b.at, end)}
}
