package tag_test

import (
	"go/token"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mlmax/mlmax/gen/tag"
)

// base is where the literals of these tests stand; it is not 1, so that an
// offset that is taken for a position shows.
const base = token.Pos(1000)

// at cuts out of a literal what two positions enclose.
func at(literal string, pos, end token.Pos) string { return literal[pos-base : end-base] }

func TestParsePositions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		literal string
		want    []string // key, value, and how each is written, in turns
	}{
		"raw":              {"`a:\"1\" bb:\"2,3\"`", []string{"a", "1", "a", "1", "bb", "2,3", "bb", "2,3"}},
		"spaces":           {"`  a:\"1\"   b:\"\" `", []string{"a", "1", "a", "1", "b", "", "b", ""}},
		"escaped in raw":   {"`a:\"x\\ty\" b:\"\\u00e9\"`", []string{"a", "x\ty", "a", `x\ty`, "b", "é", "b", `\u00e9`}},
		"quoted":           {`"a:\"1\" b:\"2\""`, []string{"a", "1", "a", "1", "b", "2", "b", "2"}},
		"escaped key":      {`"\x61b:\"1\""`, []string{"ab", "1", `\x61b`, "1"}},
		"escaped twice":    {`"a:\"x\\ty\" b:\"z\""`, []string{"a", "x\ty", "a", `x\\ty`, "b", "z", "b", "z"}},
		"quotes in value":  {"`when:\"A == \\\"b\\\"\"`", []string{"when", `A == "b"`, "when", `A == \"b\"`}},
		"carriage returns": {"`a:\"1\r2\" b:\"3\"`", []string{"a", "12", "a", "1\r2", "b", "3", "b", "3"}},
		"unicode":          {"`a:\"größe\" b:\"x\"`", []string{"a", "größe", "a", "größe", "b", "x", "b", "x"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pairs, problems := tag.Parse(base, c.literal)
			if len(problems) > 0 {
				t.Fatalf("problems: %+v", problems)
			}
			var got []string
			for _, p := range pairs {
				got = append(got, p.Key.S, p.Value.S, at(c.literal, p.Key.Pos(), p.Key.End()), at(c.literal, p.Value.Pos(), p.Value.End()))
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("pairs (-want +got):\n%s", d)
			}
		})
	}
}

func TestMalformed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		literal string
		at      string // the literal from the reported position on
		message string
		pairs   int
	}{
		"no value":         {"`image`", "image`", `key "image" has no value`, 0},
		"no quotes":        {"`a:\"1\" image:x`", "x`", `the value of "image" is not quoted`, 1},
		"space in pair":    {"`image: \"x\"`", " \"x\"`", `the value of "image" is not quoted`, 0},
		"open quote":       {"`image:\"x`", "\"x`", `the value of "image" has no closing quote`, 0},
		"no key":           {"`:\"x\"`", ":\"x\"`", "a key of a tag is missing", 0},
		"comma":            {"`a:\"1\",b:\"2\"`", ",b:\"2\"`", "pairs of a tag are separated by a space", 1},
		"together":         {"`a:\"1\"b:\"2\"`", "b:\"2\"`", "pairs of a tag are separated by a space", 1},
		"two lines":        {"`a:\"1\" \n b:\"2\"`", "\n b:\"2\"`", "a tag stays on one line", 1},
		"bad escape":       {"`a:\"x\\qy\"`", "\\qy\"`", `the value of "a" holds something that Go cannot unquote`, 0},
		"bad escape twice": {`"a:\"x\\qy\""`, `\\qy\""`, `the value of "a" holds something that Go cannot unquote`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pairs, problems := tag.Parse(base, c.literal)
			if len(problems) != 1 || len(pairs) != c.pairs {
				t.Fatalf("got %d pairs and problems %+v", len(pairs), problems)
			}
			p := problems[0]
			if got := c.literal[p.Pos-base:]; got != c.at || p.Message != c.message || p.Code != "MLX003" {
				t.Errorf("got %s %q at %q, want %q at %q", p.Code, p.Message, got, c.message, c.at)
			}
		})
	}
}

// FuzzParse holds the parser to its promises for any literal: positions lie
// within it, and whatever it finds in a tag that it accepts, reflect finds, too.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`a:"1" b:"2"`, `image:"sklearn:1.4-2" script:"x.py"`, `a:"\u00e9\t" b`, `a:"1"b:"2"`, ` a:""`, "a:\"\r\"", `a:"\xff"`, "a:\"\xff\"",
	} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, text string, raw bool) {
		literal := strconv.Quote(text)
		if raw {
			if strings.ContainsAny(text, "`\r") {
				t.Skip("no raw literal holds this")
			}
			literal = "`" + text + "`"
		}
		pairs, problems := tag.Parse(base, literal)
		inside := func(pos, end token.Pos) {
			if pos < base || end < pos || end > base+token.Pos(len(literal)) {
				t.Fatalf("position %d to %d is outside of %q", pos-base, end-base, literal)
			}
		}
		for _, p := range problems {
			inside(p.Pos, p.End)
		}
		seen := map[string]bool{}
		for _, p := range pairs {
			inside(p.Key.Pos(), p.Key.End())
			inside(p.Value.Pos(), p.Value.End())
			got, ok := reflect.StructTag(text).Lookup(p.Key.S)
			if !seen[p.Key.S] && (!ok || got != p.Value.S) {
				t.Errorf("in %q, %q is %q; reflect finds %q, %v", text, p.Key.S, p.Value.S, got, ok)
			}
			seen[p.Key.S] = true
		}
	})
}
