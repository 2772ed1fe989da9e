package emitasl

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/pipeline/asl"
)

// expr is a JSONata expression as a field of the machine holds one.
func expr(source string) string { return "{% " + source + " %}" }

// text is a constant string of the user's as a field's value: as it is, or as an
// expression where the text would be taken for a substitution or an expression.
func text(s string) any {
	if strings.Contains(s, "${") || strings.Contains(s, "{%") || strings.Contains(s, "%}") {
		return expr(quote(s))
	}
	return s
}

// plain is a comment, in which nothing may look like a substitution.
func plain(s string) string { return strings.ReplaceAll(s, "${", "$ {") }

// quote is a string as a JSONata term that evaluates to it after any number of
// substitutions: "${" is split, and "%}" written so that it ends no expression.
func quote(s string) string {
	q := "'" + inner(s) + "'"
	if strings.Contains(s, "${") {
		return "(" + q + ")"
	}
	return q
}

// inner is what stands between the quotes. JSONata knows the escapes of JSON and
// no \', so that a quote is written by its number.
func inner(s string) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == '{' && i > 0 && s[i-1] == '$':
			b.WriteString("' & '{")
		case r == '\\':
			b.WriteString(`\\`)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\'' || r == '%' || r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// literal is a constant of a parameter's type as JSONata, which writes numbers as
// JSON does.
func literal(v any) string {
	switch v := v.(type) {
	case string:
		return quote(v)
	case bool:
		return strconv.FormatBool(v)
	case int64, float64:
		return number(v)
	}
	panic(fmt.Sprintf("emitasl: a literal of type %T", v))
}

// number is a number as JSON has it: with an exponent only from 1e21 on and below
// 1e-6, and every digit that it needs.
func number(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("emitasl: number %v: %v", v, err))
	}
	return string(b)
}

// param is the value of a parameter.
func param(key string) string {
	if strings.Contains(key, ".") {
		return "$params.`" + key + "`"
	}
	return "$params." + key
}

// argument is a value as the text of a command-line argument or environment
// variable.
func argument(v *ir.Value) any {
	switch {
	case v.Param == "" && v.Type == ir.String:
		return text(v.Lit.(string))
	case v.Param == "":
		return literal(v.Lit)
	case v.Type == ir.String:
		return expr(param(v.Param))
	default:
		return expr(textOf(v.Type, param(v.Param)))
	}
}

// textOf is a number or boolean as text, however it was written. $string keeps 15
// digits of a number, which are not all of a whole one; $formatBase keeps them.
func textOf(t ir.Type, value string) string {
	if t == ir.Int {
		return "$formatBase(" + value + ", 10)"
	}
	return "$string(" + value + ")"
}

// hyperparameter is a value as the toolkit in SageMaker's images reads it
// (sagemaker-training-toolkit, mapping.decode): every hyperparameter is JSON in a
// string. A text that is not encoded could be read as a number, a boolean or a list.
func hyperparameter(v *ir.Value) any {
	if v.Type != ir.String {
		return argument(v)
	}
	if v.Param == "" {
		return text(encode(v.Lit.(string)))
	}
	return expr("(" + jsonOf(param(v.Param)) + ")")
}

// encode is a string as JSON.
func encode(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic(fmt.Sprintf("emitasl: encode %q: %v", s, err))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// jsonOf are the statements that make JSON of a value: $string leaves a string as
// it is, but encodes one in a list.
func jsonOf(value string) string {
	return "$j := $string([" + value + "]); $substring($j, 1, $length($j) - 2)"
}

// all is true if every condition is. JSONata evaluates none after the first that is
// not, so that the first may be what the others need: a type.
func all(conditions ...string) string { return strings.Join(conditions, " and ") }

// shown is a value for people, as JSON in brackets, which tell "1" from 1.
func shown(value string) string {
	return fmt.Sprintf("($exists(%s) ? $substring($string([%[1]s]), 0, 200) : 'nothing')", value)
}

// object is a JSONata object; a member whose value is undefined is not in it.
func object(members ...string) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := 0; i < len(members); i += 2 {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(quote(members[i]) + ": " + members[i+1])
	}
	b.WriteByte('}')
	return b.String()
}

// ifSet is a substitution's value, or undefined where it is empty.
func ifSet(name string) string { return fmt.Sprintf("'${%s}' != '' ? '${%[1]s}'", name) }

// concat joins parts of a text: constants, marked by a "=" before them, and
// expressions. Constants that are neighbours become one.
func concat(parts []string) string {
	var terms []string
	for _, p := range parts {
		if text, is := strings.CutPrefix(p, "="); is {
			p = quote(text)
		}
		if last := len(terms) - 1; last >= 0 && lone(terms[last]) && lone(p) {
			terms[last] = strings.TrimSuffix(terms[last], "'") + p[1:]
			continue
		}
		terms = append(terms, p)
	}
	return strings.Join(terms, " & ")
}

// lone reports whether a term is one constant of a text.
func lone(term string) bool {
	return strings.Count(term, "'") == 2 && strings.HasPrefix(term, "'") && strings.HasSuffix(term, "'")
}

// members is an object of names and values by turns.
func members(pairs ...any) asl.Object {
	o := make(asl.Object, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		o = append(o, asl.Member{Key: pairs[i].(string), Value: pairs[i+1]})
	}
	return o
}
