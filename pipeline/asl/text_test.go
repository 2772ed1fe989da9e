package asl

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestSubstitute replaces names as CloudFormation does.
func TestSubstitute(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		values     map[string]string
		want       string
		left       []string
		err        string
	}{
		{"in keys and strings, several times", `{"${A}": "x${A}-${B}"}`, map[string]string{"A": "1", "B": "2"}, `{"1": "x1-2"}`, nil, ""},
		{"unknown names stay", `${A} ${B} ${!C} ${D_E} ${B}`, map[string]string{"A": ""}, ` ${B} ${!C} ${D_E} ${B}`, []string{"B"}, ""},
		{"a name is no prefix", `${AB}${A}`, map[string]string{"A": "1", "AB": "2"}, `21`, nil, ""},
		{"all characters", `${A}`, map[string]string{"A": "az09:/._,@+=-AZ"}, `az09:/._,@+=-AZ`, nil, ""},
		{"a quote", `${A}`, map[string]string{"A": `a"b`}, "", nil, `substitute ${A}: "a\"b" has characters other than A-Z a-z 0-9 : / . _ , @ + = -`},
		{"a newline at the end", `${A}`, map[string]string{"A": "a\n"}, "", nil, `substitute ${A}: "a\n" has characters other than A-Z a-z 0-9 : / . _ , @ + = -`},
		{"a name in a value", `${A}`, map[string]string{"A": "${B}"}, "", nil, `substitute ${A}: "${B}" has characters other than A-Z a-z 0-9 : / . _ , @ + = -`},
		{"a bad name", `${A}`, map[string]string{"A-B": ""}, "", nil, `substitute "A-B": a name has only letters and digits`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := Substitute([]byte(tt.text), tt.values)
			if errText(err) != tt.err || string(got) != tt.want {
				t.Errorf("%q, error %q; want %q, error %q", got, errText(err), tt.want, tt.err)
			}
			if diff := cmp.Diff(tt.left, Unresolved(got)); diff != "" {
				t.Errorf("unresolved (-want +got):\n%s", diff)
			}
		})
	}
}

// TestStatesMembers finds what of $states an expression names.
func TestStatesMembers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		source string
		want   []string
	}{
		{`$states.result.a + $states.input`, []string{"result", "input"}},
		{"$states /* x */ . `result`", []string{"result"}},
		{`$states`, nil},
		{`$statesx.result`, nil},
		{`'$states.result' & "it's $states.result"`, nil},
		{`$contains(a, /\/$states.result/) and 4 / $states.input / 2`, []string{"input"}},
		{`'unclosed $states.result`, nil},
		{"`unclosed", nil},
		{`/* unclosed $states.result`, nil},
		{`{'ä': $states.result}`, []string{"result"}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, statesMembers(tt.source)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.source, diff)
		}
	}
}

// TestVirtualClock moves by waits, and fires alarms on its way.
func TestVirtualClock(t *testing.T) {
	t.Parallel()
	c := NewVirtualClock(testStart)
	var fired []string
	note := func(name string) func() {
		return func() { fired = append(fired, name+" "+c.Now().Sub(testStart).String()) }
	}
	c.AfterFunc(5*time.Second, note("b"))
	c.AfterFunc(3*time.Second, note("a"))
	c.AfterFunc(5*time.Second, note("c"))
	c.AfterFunc(4*time.Second, note("stopped"))()
	ctx, cancel := context.WithCancel(t.Context())
	c.AfterFunc(8*time.Second, cancel)
	c.AfterFunc(9*time.Second, note("after"))
	if err := c.Wait(ctx, 4*time.Second); err != nil {
		t.Error(err)
	}
	if err := c.Wait(ctx, time.Minute); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"a 3s", "b 5s", "c 5s"}, fired); diff != "" {
		t.Errorf("alarms (-want +got):\n%s", diff)
	}
	if got := c.Now().Sub(testStart); got != 8*time.Second {
		t.Errorf("the clock is at %v", got)
	}
}

// plainClock has no alarms of its own.
type plainClock struct{ Clock }

// TestAfterFunc sets alarms on clocks with and without alarms.
func TestAfterFunc(t *testing.T) {
	t.Parallel()
	for _, c := range []Clock{SystemClock, plainClock{SystemClock}} {
		fired := make(chan struct{})
		stop := afterFunc(t.Context(), c, time.Microsecond, func() { close(fired) })
		<-fired
		stop()
		afterFunc(t.Context(), c, time.Hour, func() { t.Error("fired after stop") })()
	}
}

// TestObject keeps order and numbers, and refuses duplicates.
func TestObject(t *testing.T) {
	t.Parallel()
	const text = `{"z":1.0,"a":[12345678901234567890,{"y":null,"b":true}],"<":"\u0000é\""}`
	var o Object
	if err := o.UnmarshalJSON([]byte(text)); err != nil {
		t.Fatal(err)
	}
	got, err := o.MarshalJSON()
	if err != nil || string(got) != text {
		t.Errorf("%s, error %v; want %s", got, err, text)
	}
	if v, has := o.Get("z"); !has || v == nil {
		t.Error("no member z")
	}
	for _, bad := range []string{`[]`, `{"a":{"b":1,"b":2}}`, `{`, `{} 1`} {
		if err := o.UnmarshalJSON([]byte(bad)); err == nil || !strings.Contains(err.Error(), " ") {
			t.Errorf("no error for %s", bad)
		}
	}
}

// TestDeepExpressions refuses what would exhaust the stack, and takes a long list.
func TestDeepExpressions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ source, want string }{
		{strings.Repeat("(", 300) + "1" + strings.Repeat(")", 300), "the expression is nested more than 200 levels deep"},
		{strings.Repeat("x", maxExpression+1), "the expression has 65537 bytes, more than 65536"},
		{"[" + strings.Repeat("(1),", 10000) + "1]", ""},
		{"'" + strings.Repeat("(", 300) + "'", ""},
	} {
		_, err := compile(tt.source)
		if got := errText(err); got != tt.want {
			t.Errorf("%.20s: %s, want %s", tt.source, got, tt.want)
		}
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
