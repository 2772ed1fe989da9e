package delta

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/mlmax/mlmax/pipeline/asl"
)

// member is the object below a key, or nil.
func member(o asl.Object, key string) asl.Object {
	v, _ := o.Get(key)
	below, _ := v.(asl.Object)
	return below
}

// items is the list below a key; a value that is no list is a list of one.
func items(o asl.Object, key string) []any {
	v, ok := o.Get(key)
	if !ok {
		return nil
	}
	if list, ok := v.([]any); ok {
		return list
	}
	return []any{v}
}

// text is the text below a key, or empty.
func text(o asl.Object, key string) string {
	v, _ := o.Get(key)
	s, _ := v.(string)
	return s
}

// plain is a JSON value as a person writes it: a text without quotes, all else as JSON.
func plain(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return encode(v)
}

// texts are the values of a list as plain text.
func texts(list []any) []string {
	all := make([]string, len(list))
	for i, v := range list {
		all[i] = plain(v)
	}
	return all
}

// encode is compact JSON of what was decoded.
func encode(v any) string {
	text, err := asl.Object{{Key: "v", Value: v}}.MarshalJSON()
	if err != nil {
		panic(fmt.Sprintf("delta: write what was read: %v", err))
	}
	return string(text[len(`{"v":`) : len(text)-1])
}

// sorted is a value with the members of its objects in the order of their keys, which
// mean the same to CloudFormation in any order.
func sorted(v any) any {
	switch v := v.(type) {
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = sorted(item)
		}
		return list
	case asl.Object:
		o := make(asl.Object, len(v))
		for i, m := range v {
			o[i] = asl.Member{Key: m.Key, Value: sorted(m.Value)}
		}
		slices.SortStableFunc(o, func(a, b asl.Member) int { return cmp.Compare(a.Key, b.Key) })
		return o
	}
	return v
}

// sortedKeys are the keys of a map in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
