package emitasl

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/recolabs/gnata"
	"pgregory.net/rapid"

	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/pipeline/asl"
)

// evaluate is what a field's value comes to: substituted in the machine's text as
// CloudFormation does, again and again, then evaluated if it is an expression.
func evaluate(t interface{ Fatalf(string, ...any) }, field any, vars map[string]any) any {
	text, err := asl.Object{{Key: "v", Value: field}}.MarshalJSON()
	if err != nil {
		t.Fatalf("marshal %v: %v", field, err)
	}
	for range 2 {
		text, err = asl.Substitute(text, map[string]string{"Env": "dev", "x": "evil", "KmsKey": ""})
		if err != nil {
			t.Fatalf("substitute: %v", err)
		}
	}
	var o map[string]any
	if err := json.Unmarshal(text, &o); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	s, is := o["v"].(string)
	if !is || !strings.HasPrefix(s, "{%") || !strings.HasSuffix(s, "%}") {
		return o["v"]
	}
	e, err := gnata.Compile(strings.TrimSpace(s[2 : len(s)-2]))
	if err != nil {
		t.Fatalf("compile %s: %v", s, err)
	}
	v, err := e.EvalWithVars(context.Background(), nil, vars)
	if err != nil {
		t.Fatalf("evaluate %s: %v", s, err)
	}
	return v
}

// hostile draws texts made of what could be taken for something else.
func hostile() *rapid.Generator[string] {
	piece := rapid.OneOf(
		rapid.SampledFrom([]string{"${", "${Env}", "${x}", "$", "{", "}", "{%", "%}", "%", "'", `"`, `\`, "`", "\n", "\x00", "\x7f", "é", "😀", "\u2028", " ", `\u0027`, "$$", "&", "<"}),
		rapid.String(),
	)
	return rapid.Map(rapid.SliceOfN(piece, 0, 6), func(p []string) string { return strings.Join(p, "") })
}

// TestTextRoundTrip holds user text to evaluate(substitute(emit(s))) == s.
func TestTextRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := hostile().Draw(t, "s")
		if got := evaluate(t, text(s), nil); got != s {
			t.Fatalf("text %q becomes %q", s, got)
		}
		if got := evaluate(t, expr(quote(s)), nil); got != s {
			t.Fatalf("quoted %q becomes %q", s, got)
		}
		if got := evaluate(t, expr(concat([]string{"=a" + s, "=" + s + "b"})), nil); got != "a"+s+s+"b" {
			t.Fatalf("joined %q becomes %q", s, got)
		}
	})
}

// TestHyperparameterRoundTrip holds hyperparameters to what the toolkit reads with
// json.loads, whether they are constants or come with the run.
func TestHyperparameterRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := hostile().Draw(t, "s")
		for _, v := range []*ir.Value{{Type: ir.String, Lit: s}, {Type: ir.String, Param: "A.B"}} {
			raw := evaluate(t, hyperparameter(v), map[string]any{"params": map[string]any{"A.B": s}})
			var got any
			if err := json.Unmarshal([]byte(raw.(string)), &got); err != nil || got != s {
				t.Fatalf("%q is read as %v (%v) from %s", s, got, err, raw)
			}
		}
	})
}

// TestNumbers holds numbers to texts that read back as the same number, and whole
// ones to digits only.
func TestNumbers(t *testing.T) {
	t.Parallel()
	digits := regexp.MustCompile(`^-?[0-9]+$`)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(-maxWhole, maxWhole).Draw(t, "n")
		for _, v := range []*ir.Value{{Type: ir.Int, Lit: n}, {Type: ir.Int, Param: "A"}} {
			got := evaluate(t, argument(v), map[string]any{"params": map[string]any{"A": float64(n)}}).(string)
			if !digits.MatchString(got) || got != fmt.Sprint(n) {
				t.Fatalf("%d becomes %q", n, got)
			}
		}
		f := rapid.Float64().Draw(t, "f")
		got := evaluate(t, argument(&ir.Value{Type: ir.Float, Lit: f}), nil).(string)
		var back float64
		if err := json.Unmarshal([]byte(got), &back); err != nil || back != f {
			t.Fatalf("%v becomes %q", f, got)
		}
	})
}

func TestArgument(t *testing.T) {
	t.Parallel()
	params := map[string]any{"params": map[string]any{
		"Whole": 1e3, "Ratio": 1.0, "Tiny": 1e-7, "On": true, "Name": "a b", "S.T": 0.1,
	}}
	cases := []struct {
		name  string
		value ir.Value
		want  string
	}{
		{"whole", ir.Value{Type: ir.Int, Param: "Whole"}, "1000"},
		{"ratio", ir.Value{Type: ir.Float, Param: "Ratio"}, "1"},
		{"tiny", ir.Value{Type: ir.Float, Param: "Tiny"}, "1e-7"},
		{"of a step", ir.Value{Type: ir.Float, Param: "S.T"}, "0.1"},
		{"bool", ir.Value{Type: ir.Bool, Param: "On"}, "true"},
		{"string", ir.Value{Type: ir.String, Param: "Name"}, "a b"},
		{"literal bool", ir.Value{Type: ir.Bool, Lit: false}, "false"},
		{"literal float", ir.Value{Type: ir.Float, Lit: 0.25}, "0.25"},
		{"literal string", ir.Value{Type: ir.String, Lit: "${Env}"}, "${Env}"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := evaluate(t, argument(&c.value), params); got != c.want {
				t.Errorf("got %v, want %q", got, c.want)
			}
		})
	}
}

// TestRegex holds patterns to the whole of a text, whatever they are made of.
func TestRegex(t *testing.T) {
	t.Parallel()
	cases := []struct{ pattern, text string }{
		{`[a-z]+`, "abc"}, {`[a-z]+`, "abc1"}, {`a|b`, "ab"}, {`a|b`, "b"},
		{`a/b`, "a/b"}, {`a\/b`, "a/b"}, {`[(]a{2}\)`, "(aa)"}, {`[\[{]x`, "{x"},
		{`\(\[\{`, "([{"}, {`a\\`, `a\`}, {`[^)]+`, "a)b"}, {`50%`, "50%"}, {`\d{1,3}\.\d+`, "12.5"},
		{`[$]{2}`, "$$"}, {`x'y`, "x'y"}, {`\$\{Env\}`, "${Env}"},
	}
	for _, c := range cases {
		want := regexp.MustCompile(`^(?:` + c.pattern + `)$`).MatchString(c.text)
		got := evaluate(t, expr("$contains($v, "+regex(c.pattern)+")"), map[string]any{"v": c.text})
		if got != want {
			t.Errorf("%q against %q: %v, want %v", c.text, c.pattern, got, want)
		}
	}
}

func TestFits(t *testing.T) {
	t.Parallel()
	allowed := regexp.MustCompile(`^[a-zA-Z0-9 _.:/=+@-]{1,256}$`)
	for _, s := range []string{"s3://b/k", "", "a,b", strings.Repeat("x", 257), "arn:aws:x", "tab\t", "ü"} {
		got, _ := evaluate(t, expr(strings.Replace(fits("$v"), "$hash($s, 'SHA-256')", "'hash'", 1)), map[string]any{"v": s}).(string)
		if !allowed.MatchString(got) || allowed.MatchString(s) && got != s {
			t.Errorf("%q becomes %q", s, got)
		}
	}
}
