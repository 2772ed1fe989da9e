package delta

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"github.com/mlmax/mlmax/pipeline/asl"
)

// noValue is what a Ref to AWS::NoValue leaves: nothing.
type noValue struct{}

// resolve replaces the intrinsic functions in a value by what they give for the side's
// parameters. What only AWS knows stays a name: ${Machine}, ${TrainRole.Arn}.
func (d *deployment) resolve(v any) any {
	switch v := v.(type) {
	case []any:
		list := []any{}
		for _, item := range v {
			if r := d.resolve(item); r != (noValue{}) {
				list = append(list, r)
			}
		}
		return list
	case asl.Object:
		if len(v) == 1 {
			if r, ok := d.call(v[0].Key, v[0].Value); ok {
				return r
			}
		}
		o := asl.Object{}
		for _, m := range v {
			if r := d.resolve(m.Value); r != (noValue{}) {
				o = append(o, asl.Member{Key: m.Key, Value: r})
			}
		}
		return o
	}
	return v
}

// call is what an intrinsic function gives; false if it is none that is known.
func (d *deployment) call(name string, argument any) (any, bool) {
	list, _ := argument.([]any)
	switch {
	case name == "Ref":
		if argument == "AWS::NoValue" {
			return noValue{}, true
		}
		return d.ref(plain(argument)), true
	case name == "Fn::GetAtt" && list != nil:
		return "${" + strings.Join(texts(list), ".") + "}", true
	case name == "Fn::GetAtt":
		return "${" + plain(argument) + "}", true
	case name == "Fn::Sub":
		return d.sub(argument), true
	case name == "Fn::If" && len(list) == 3:
		if d.holds(plain(list[0])) {
			return d.resolve(list[1]), true
		}
		return d.resolve(list[2]), true
	case name == "Fn::FindInMap" && len(list) >= 3:
		return d.find3(plain(list[0]), plain(d.resolve(list[1])), plain(d.resolve(list[2]))), true
	case name == "Fn::Join" && len(list) == 2:
		parts, _ := d.resolve(list[1]).([]any)
		return strings.Join(texts(parts), plain(list[0])), true
	case name == "Fn::Split" && len(list) == 2:
		var parts []any
		for _, p := range strings.Split(plain(d.resolve(list[1])), plain(list[0])) {
			parts = append(parts, p)
		}
		return parts, true
	case name == "Fn::Select" && len(list) == 2:
		parts, _ := d.resolve(list[1]).([]any)
		if i, err := strconv.Atoi(plain(list[0])); err == nil && i >= 0 && i < len(parts) {
			return parts[i], true
		}
	}
	return nil, false
}

// ref is what a name stands for: a parameter, a pseudo parameter, or itself.
func (d *deployment) ref(name string) string {
	if v, ok := d.values[name]; ok {
		return v
	}
	partition, suffix := "aws", "amazonaws.com"
	switch {
	case strings.HasPrefix(d.region, "cn-"):
		partition, suffix = "aws-cn", "amazonaws.com.cn"
	case strings.HasPrefix(d.region, "us-gov-"):
		partition = "aws-us-gov"
	}
	switch {
	case name == "AWS::AccountId" && d.values["Account"] != "":
		return d.values["Account"]
	case d.region == "":
	case name == "AWS::Region":
		return d.region
	case name == "AWS::Partition":
		return partition
	case name == "AWS::URLSuffix":
		return suffix
	}
	return "${" + name + "}"
}

var placeholder = regexp.MustCompile(`\$\{(!?)([^}]*)\}`)

// sub is Fn::Sub: a text, or a text with names of its own.
func (d *deployment) sub(argument any) string {
	own := asl.Object{}
	template, ok := argument.(string)
	if list, _ := argument.([]any); !ok && len(list) == 2 {
		template = plain(list[0])
		own, _ = list[1].(asl.Object)
	}
	return placeholder.ReplaceAllStringFunc(template, func(found string) string {
		match := placeholder.FindStringSubmatch(found)
		if match[1] != "" {
			return "${" + match[2] + "}"
		}
		if v, ok := own.Get(match[2]); ok {
			return plain(d.resolve(v))
		}
		return d.ref(match[2])
	})
}

// find3 is Fn::FindInMap, or the name of what it looks for.
func (d *deployment) find3(table, row, column string) any {
	if v, ok := member(member(d.mappings, table), row).Get(column); ok {
		return v
	}
	return "${" + table + "." + row + "." + column + "}"
}

// holds evaluates a condition by its name; one that is missing or circular does not hold.
func (d *deployment) holds(name string) bool {
	if d.deciding[name] {
		return false
	}
	d.deciding[name] = true
	defer delete(d.deciding, name)
	v, _ := d.conditions.Get(name)
	return d.decide(v)
}

func (d *deployment) decide(v any) bool {
	o, _ := v.(asl.Object)
	if len(o) != 1 {
		return false
	}
	list, _ := o[0].Value.([]any)
	switch o[0].Key {
	case "Condition":
		return d.holds(plain(o[0].Value))
	case "Fn::Not":
		return len(list) == 1 && !d.decide(list[0])
	case "Fn::Equals":
		return len(list) == 2 && plain(d.resolve(list[0])) == plain(d.resolve(list[1]))
	case "Fn::And":
		for _, item := range list {
			if !d.decide(item) {
				return false
			}
		}
		return len(list) > 0
	case "Fn::Or":
		for _, item := range list {
			if d.decide(item) {
				return true
			}
		}
	case "Fn::If":
		if len(list) == 3 && d.holds(plain(list[0])) {
			return d.decide(list[1])
		}
		return len(list) == 3 && d.decide(list[2])
	}
	return false
}

// number is a whole number that was read or computed; 0 if it is none.
func number(v any) int {
	switch v := v.(type) {
	case json.Number:
		n, _ := v.Float64()
		return int(n)
	case float64:
		return int(v)
	}
	return 0
}
