package asl

import (
	"regexp"
	"strings"
	"testing"
)

// TestFunctions evaluates the functions that Step Functions adds to JSONata.
func TestFunctions(t *testing.T) {
	t.Parallel()
	tests := []struct{ expression, want string }{
		{`$partition([1,2,3,4,5], 2)`, `[[1,2],[3,4],[5]]`},
		{`$partition([null, {"b": 1, "a": [2]}], 1.9)`, `[[null],[{"b":1,"a":[2]}]]`},
		{`$partition([], 3)`, `[]`},
		{`$partition(7, 3)`, `[[7]]`},
		{`$partition([1], 0)`, `! the size of $partition must be 1 or more`},
		{`$partition([1], "x")`, `! T0410: Argument 2 of function "partition" must be a number`},
		{`$range(1, 9, 2)`, `[1,3,5,7,9]`},
		{`$range(5, 1, -2)`, `[5,3,1]`},
		{`$range(1, 9, 9)`, `1`},
		{`$range(1, 9, 0)`, `! the step of $range must not be 0`},
		{`$range(0, 1000, 1)`, `! $range returns at most 1000 numbers`},
		{`$count($range(1, 1000, 1))`, `1000`},
		{`$hash("a", "MD5")`, `"0cc175b9c0f1b6a831c399e269772661"`},
		{`$hash("a", "SHA-1")`, `"86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"`},
		{`$hash("a", "SHA-256")`, `"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"`},
		{`$length($hash("a", "SHA-384")) & " " & $length($hash("a", "SHA-512"))`, `"96 128"`},
		{`$hash("a", "CRC")`, `! $hash knows MD5, SHA-1, SHA-256, SHA-384 and SHA-512, not "CRC"`},
		{`$hash(1, "MD5")`, `! T0410: Argument 1 of function "hash" must be a string`},
		{`$parse('{"b": [1.50, null], "a": 12345678901234567890}')`, `{"b":[1.5,null],"a":12345678901234567890}`},
		{`$parse('{"b": NaN}')`, `! $parse was given text that is not JSON`},
		{`$parse('null') = null`, `true`},
		{`$string(1.50) & $string($parse('1.50'))`, `"1.51.5"`},
		{`$string($parse('[1.0, 1e3, -0, 1e21, 1e-7, 0.30000000000000004, 1234567890123456]'))`, `"[1,1000,0,1e+21,1e-7,0.3,1234567890123460]"`},
		{`$string($parse('9007199254740991'))`, `"9007199254740990"`},
		{`$string($parse('9007199254740993'))`, `"9007199254740993"`},
		{`$string(0.1 + 0.2) & $string(1/3)`, `"0.30.333333333333333"`},
		{`[$string(null), $string(true), $string("a"), $string([]), $string({"b": "\"", "a": $sum})]`, `["null","true","a","[]","{\"b\":\"\\\"\",\"a\":\"\"}"]`},
		{`$string([1, {"a": 2}], true)`, `"[\n  1,\n  {\n    \"a\": 2\n  }\n]"`},
		{`$string(1, 2)`, `! T0410: Argument 2 of function "string" must be a boolean`},
		{`[$string($sum), $string([1..2][$ > 1])]`, `["","2"]`},
		{`[1, 2] ~> $map($string)`, `["1","2"]`},
		{`{"a": 1}.a.$string()`, `"1"`},
		{`$exists($string($states.input.none))`, `false`},
		{`$random(1) = $random(1) and $random(1) != $random(2)`, `true`},
		{`$random()`, `0.5`},
		{`$uuid()`, `"80808080-8080-4080-8080-808080808080"`},
		{`$now()`, `"2026-01-31T12:00:00.000Z"`},
		{`$now('[Y0001]/[M01]', '+0200')`, `"2026/01"`},
		{`$millis()`, `1769860800000`},
		{`[1..3] ~> $map(function($x) { $hash($string($x), 'MD5') }) ~> $count()`, `3`},
		{`$merge([{"b": 1, "a": 2}, {"b": 3}])`, `{"b":3,"a":2}`},
		{`$keys($states.context)`, `["Execution","StateMachine","State"]`},
		{`$states.context.Execution.StartTime & $states.context.State.EnteredTime`, `"2026-01-31T12:00:00.000Z2026-01-31T12:00:00.000Z"`},
		{`$states.context.StateMachine.Name & $states.context.Execution.RedriveCount`, `"m0"`},
	}
	frame := regexp.MustCompile(`^FAILED States.QueryEvaluationError: .* threw an error during evaluation\. `)
	for _, tt := range tests {
		t.Run(tt.expression, func(t *testing.T) {
			t.Parallel()
			m := &Machine{QueryLanguage: "JSONata", StartAt: "A", States: []*State{
				{Name: "A", Type: PassState, Output: "{% " + tt.expression + " %}", End: true},
			}}
			got := execute(t, m, "", nil).says()
			if strings.HasPrefix(tt.want, "!") {
				got = frame.ReplaceAllString(got, "! ")
			}
			if got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}
