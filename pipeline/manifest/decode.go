package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// Decode reads a manifest. A member that is missing, unknown, written twice or of
// another form than the schema's is an error that names its path, such as
// "/digests/Train.Model"; all of them are told at once.
func Decode(b []byte) (*Manifest, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	v, err := value(d, "")
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("there is more after the manifest's object")
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read the manifest: %w", err)
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("read the manifest: it is no JSON object")
	}
	if schema := object["schema"]; schema != json.Number("1") {
		return nil, fmt.Errorf("read the manifest: /schema is %s, and this version of mlmax reads %d; use a version that knows it", show(schema), Version)
	}
	var found problems
	members(&found, "", object, required, optional)
	if len(found) > 0 {
		return nil, fmt.Errorf("read the manifest: %s", strings.Join(found, "; "))
	}
	var m Manifest
	typed := json.NewDecoder(bytes.NewReader(b))
	typed.UseNumber()
	if err := typed.Decode(&m); err != nil {
		return nil, fmt.Errorf("read the manifest: %w", err)
	}
	return &m, nil
}

// value reads one JSON value, and refuses an object with the same key twice: of
// those, two readers may take different ones.
func value(d *json.Decoder, path string) (any, error) {
	token, err := d.Token()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		object := map[string]any{}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return nil, err
			}
			name := key.(string)
			at := below(path, name)
			if _, twice := object[name]; twice {
				return nil, fmt.Errorf("%s is there twice", at)
			}
			if object[name], err = value(d, at); err != nil {
				return nil, err
			}
		}
		_, err = d.Token()
		return object, err
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := value(d, fmt.Sprintf("%s/%d", path, len(list)))
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = d.Token()
		return list, err
	}
	return token, nil
}

// below is the JSON Pointer of a member.
func below(path, name string) string {
	return path + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

// problems are what is wrong, each with its path.
type problems []string

// A rule reports what is wrong with a value.
type rule func(found *problems, path string, v any)

// members holds an object to what must and what may be in it.
func members(found *problems, path string, object map[string]any, must, may map[string]rule) {
	for _, name := range slices.Sorted(maps.Keys(must)) {
		if _, ok := object[name]; !ok {
			*found = append(*found, below(path, name)+" is missing")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		check := must[name]
		if check == nil {
			check = may[name]
		}
		if check == nil {
			*found = append(*found, below(path, name)+" is not a member of manifests")
			continue
		}
		check(found, below(path, name), object[name])
	}
}

// The rules of the manifest's members, as in manifest.schema.json.
var (
	required = map[string]rule{
		"schema": anything, "pipeline": name, "run": text("a run's id of 12 hex digits", `^[0-9a-f]{12}$`), "execution": name, "startTime": moment,
		"environment": name, "definition": hash, "parameters": object(anything), "code": object(anyText), "images": object(anyText),
		"instances": object(anyText), "interfaces": object(hash), "steps": object(orNull(object(anyText))), "artifacts": object(uri),
		"metrics": object(object(anything)), "models": object(orNull(shape(map[string]rule{"ModelPackageArn": name}, nil))),
		"notRegistered": object(anyText),
	}
	optional = map[string]rule{
		"versions": object(shape(
			map[string]rule{"Arn": name, "Version": whole(1), "Data": uri, "Image": name, "Run": name, "Pipeline": name},
			map[string]rule{"Code": object(anyText), "Images": object(anyText), "Artifacts": object(anyText)},
		)),
		"inputs": object(uri), "status": text("a status", `^(RUNNING|SUCCEEDED|FAILED|TIMED_OUT|ABORTED)$`), "error": anyText, "cause": anyText,
		"failedStep": anyText, "endTime": moment, "commit": text("a commit", `^[0-9a-f]{40}([0-9a-f]{24})?$`), "dirty": boolean,
		"resumes": anyText, "partial": anyText, "isolation": text("direct or namespace", `^(direct|namespace)$`),
		"digests": object(text(`"sha256:" and 64 hex digits`, `^sha256:[0-9a-f]{64}$`)), "bytes": object(whole(0)), "packages": object(list(anyText)),
		"times": object(shape(map[string]rule{"start": moment}, map[string]rule{"end": moment})), "cached": object(anyText), "record": anything,
	}

	anyText = text("text", "")
	name    = text("text that is not empty", `^(?s:.+)$`)
	hash    = text("64 hex digits", `^[0-9a-f]{64}$`)
	uri     = text("an s3:// URI", `^s3://[^/]+/(?s:.)`)
)

func anything(*problems, string, any) {}

// text wants a string that a pattern matches.
func text(what, pattern string) rule {
	compiled := sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) }) // most programs decode none
	return func(found *problems, path string, v any) {
		if s, ok := v.(string); !ok || !compiled().MatchString(s) {
			*found = append(*found, fmt.Sprintf("%s is %s, not %s", path, show(v), what))
		}
	}
}

func moment(found *problems, path string, v any) {
	s, ok := v.(string)
	if _, err := time.Parse(time.RFC3339Nano, s); !ok || err != nil {
		*found = append(*found, fmt.Sprintf("%s is %s, not a time such as 2026-01-31T12:00:00.000Z", path, show(v)))
	}
}

func boolean(found *problems, path string, v any) {
	if _, ok := v.(bool); !ok {
		*found = append(*found, fmt.Sprintf("%s is %s, not true or false", path, show(v)))
	}
}

// whole wants a whole number of at least least.
func whole(least int64) rule {
	return func(found *problems, path string, v any) {
		n, ok := v.(json.Number)
		if i, err := n.Int64(); !ok || err != nil || i < least {
			*found = append(*found, fmt.Sprintf("%s is %s, not a whole number from %d", path, show(v), least))
		}
	}
}

// object wants an object whose every value keeps a rule.
func object(each rule) rule {
	return func(found *problems, path string, v any) {
		o, ok := v.(map[string]any)
		if !ok {
			*found = append(*found, fmt.Sprintf("%s is %s, not an object", path, show(v)))
		}
		for _, key := range slices.Sorted(maps.Keys(o)) {
			each(found, below(path, key), o[key])
		}
	}
}

// shape wants an object of named members.
func shape(must, may map[string]rule) rule {
	return func(found *problems, path string, v any) {
		o, ok := v.(map[string]any)
		if !ok {
			*found = append(*found, fmt.Sprintf("%s is %s, not an object", path, show(v)))
			return
		}
		members(found, path, o, must, may)
	}
}

func list(each rule) rule {
	return func(found *problems, path string, v any) {
		all, ok := v.([]any)
		if !ok {
			*found = append(*found, fmt.Sprintf("%s is %s, not an array", path, show(v)))
		}
		for i, one := range all {
			each(found, fmt.Sprintf("%s/%d", path, i), one)
		}
	}
}

func orNull(r rule) rule {
	return func(found *problems, path string, v any) {
		if v != nil {
			r(found, path, v)
		}
	}
}

// show is a value as JSON, not too long.
func show(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%T", v)
	}
	if len(b) > 60 {
		b = append(bytes.ToValidUTF8(b[:57], nil), "..."...)
	}
	return string(b)
}
