package terminal

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain":                       "plain",
		"a\x1b[31;1mred\x1b[0mb":      "aredb",
		"\x1b]0;title\a text":         " text",
		"\x1b]8;;http://x\x1b\\link":  "link",
		"\x1b[2J\x1b[H\x1bcx":         "x",
		"a\x1b[31":                    "a",
		"a\x1b":                       "a",
		"bell\a tab\tnew\nline\rback": "bell tab new lineback",
		"\u202eevil\u2066":            "evil",
		"\u009b31mc1":                 "31mc1",
		"ümläut 日本 👍":                 "ümläut 日本 👍",
		"bad \xff\xfe utf-8":          "bad \ufffd\ufffd utf-8",
		"\x1b]0;a\x1b\\b\a":           "b",
	} {
		if got := Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("a\x1b[31mb\x1b]0;t\ac\u202e")
	f.Fuzz(func(t *testing.T, in string) {
		got := Clean(in)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, unicode.IsControl) {
			t.Errorf("Clean(%q) = %q", in, got)
		}
		if Clean(got) != got {
			t.Errorf("Clean(%q) is not stable: %q", in, Clean(got))
		}
	})
}

func TestLine(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain\n":              "plain",
		"10%\r50%\r100%\r\r\n": "100%",
		"a\tb":                 "a    b",
		"\x1b[31mred\x1b[0m":   "red",
		"\x1bé|":               "|",
		"\x1b[":                "",
	} {
		if got := Line(in); got != want {
			t.Errorf("Line(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain": "plain",
		"fact\n\thint: \x1b[31mdo\tthis\x1b[0m\n": "fact\n\thint: do this\n",
		"a\r\nb\x1b[2J\n\n\tc\u202e":              "a\nb\n\n\tc",
	} {
		if got := Lines(in); got != want {
			t.Errorf("Lines(%q) = %q, want %q", in, got, want)
		}
	}
}
