package awsfake

import (
	"maps"
	"slices"
	"strings"
)

// tag is a tag in a request.
type tag struct{ Key, Value string }

// tag adds tags to a resource.
func (w *World) tag(arn string, tags []tag) {
	if w.tags[arn] == nil {
		w.tags[arn] = map[string]string{}
	}
	for _, t := range tags {
		w.tags[arn][t.Key] = t.Value
	}
}

// tagsOf are a resource's tags, in order.
func (w *World) tagsOf(arn string) []tag {
	list := []tag{}
	for _, key := range slices.Sorted(maps.Keys(w.tags[arn])) {
		list = append(list, tag{key, w.tags[arn][key]})
	}
	return list
}

// taggable makes sure that a resource is there and can have tags: a version has none of
// its own.
func (w *World) taggable(arn string) error {
	for name := range w.packages {
		if w.groupARN(name) == arn {
			return nil
		}
	}
	if w.jobs[strings.TrimPrefix(arn, w.ARN("sagemaker", ""))] != nil {
		return nil
	}
	return refusal("ValidationException", "Could not find resource %s to tag", arn)
}

func (w *World) addTags(body []byte) (any, error) {
	var in struct {
		ResourceArn string
		Tags        []tag
	}
	if err := readExact(body, &in); err != nil {
		return nil, err
	}
	if err := w.taggable(in.ResourceArn); err != nil {
		return nil, err
	}
	w.tag(in.ResourceArn, in.Tags)
	return map[string]any{"Tags": w.tagsOf(in.ResourceArn)}, nil
}

func (w *World) listTags(body []byte) (any, error) {
	var in struct{ ResourceArn string }
	if err := readExact(body, &in); err != nil {
		return nil, err
	}
	if err := w.taggable(in.ResourceArn); err != nil {
		return nil, err
	}
	return map[string]any{"Tags": w.tagsOf(in.ResourceArn)}, nil
}
