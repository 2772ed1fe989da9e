// Package terminal makes text safe to be shown on a terminal. In goes whatever a
// step, a file or a service wrote, out comes text that can neither steer the terminal
// nor pretend to be something else. The package writes nothing.
package terminal

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line is a line of a log as a terminal would have left it, and clean: of what was
// overwritten with carriage returns, as progress bars do, the last state stays, and
// a tab becomes four spaces.
func Line(text string) string {
	text = strings.TrimRight(text, "\r\n")
	text = text[strings.LastIndexByte(text, '\r')+1:]
	return Clean(strings.ReplaceAll(text, "\t", "    "))
}

// Lines is text of several lines, each of them clean. Line breaks stay, and the tabs that a
// line begins with.
func Lines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		rest := strings.TrimLeft(line, "\t")
		lines[i] = line[:len(line)-len(rest)] + Clean(rest)
	}
	return strings.Join(lines, "\n")
}

// Clean is text without what could steer a terminal: escape sequences and control
// characters go, line breaks and tabs become spaces, marks that reorder text go,
// and bytes that are not UTF-8 become the replacement character.
func Clean(text string) string {
	if strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) < 0 {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == '\x1b':
			i += sequence(text[i:])
			continue
		case r == '\n' || r == '\t':
			b.WriteByte(' ')
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r) && r != '\u200d', r == '\u2028', r == '\u2029':
		default:
			b.WriteRune(r)
		}
		i += size
	}
	return b.String()
}

// sequence is the length of the escape sequence that text starts with: up to the
// final byte of a CSI sequence, the terminator of a string, or two bytes.
func sequence(text string) int {
	if len(text) < 2 {
		return len(text)
	}
	switch text[1] {
	case '[':
		for i := 2; i < len(text); i++ {
			if text[i] >= '@' && text[i] <= '~' {
				return i + 1
			}
		}
		return len(text)
	case ']', 'P', 'X', '^', '_':
		bell, end := strings.IndexByte(text, '\a'), strings.Index(text, "\x1b\\")
		switch {
		case bell >= 0 && (end < 0 || bell < end):
			return bell + 1
		case end >= 0:
			return end + 2
		}
		return len(text)
	}
	_, size := utf8.DecodeRuneInString(text[1:])
	return 1 + size
}
