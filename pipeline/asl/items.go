package asl

import (
	"context"
	"encoding/json"
)

// An item is one that a Map iterates over; key is JSON text, nil in an array.
type item struct{ key, value json.RawMessage }

// context is the item in the context object.
func (i item) context(index int) json.RawMessage {
	o := Object{{"Index", index}}
	if i.key != nil {
		o = append(o, Member{"Key", i.key})
	}
	b, err := appendJSON(nil, append(o, Member{"Value", i.value}))
	if err != nil {
		panic("asl: an item that is not JSON: " + err.Error())
	}
	return b
}

// input is what the iteration gets without an ItemSelector.
func (i item) input() json.RawMessage {
	if i.key == nil {
		return i.value
	}
	return json.RawMessage(`{"Key":` + string(i.key) + `,"Value":` + string(i.value) + `}`)
}

// items are what a Map iterates over: Items, or the state's input. The members
// of an object written as Items have keys, too; an expression must yield an
// array (recorded).
func (t *thread) items(ctx context.Context, f *frame) ([]item, error) {
	raw := f.input.raw
	if f.state.Items != nil {
		v, err := t.typed(ctx, f, "Items", f.state.Items, "array")
		if err != nil {
			return nil, err
		}
		if list, is := v.([]any); is {
			if _, is := expression(f.state.Items); is {
				raw, err = appendResult(nil, list)
			} else {
				raw, err = t.payload(ctx, f, "Items", list)
			}
		} else {
			return t.members(ctx, f, v.(Object))
		}
		if err != nil {
			return nil, err
		}
	}
	var list []json.RawMessage
	if raw[0] != '[' || json.Unmarshal(raw, &list) != nil {
		return nil, f.evaluationError("", "Map state input must be an array but was: %s", raw)
	}
	items := make([]item, 0, len(list))
	for _, v := range list {
		items = append(items, item{value: v})
	}
	return items, nil
}

func (t *thread) members(ctx context.Context, f *frame, o Object) ([]item, error) {
	items := make([]item, 0, len(o))
	for _, m := range o {
		v, err := t.payload(ctx, f, "Items/"+m.Key, m.Value)
		if err != nil {
			return nil, err
		}
		items = append(items, item{appendString(nil, m.Key), v})
	}
	return items, nil
}
