package srcdoc_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mlmax/mlmax/gen/srcdoc"
)

const source = `package p

// Code is a code.
type Code string

const (
	// First is one.
	//
	// More.
	First Code = "A1"
	Second Code = "A2"
	number = 3
)

// Third stands alone.
const Third = "A3"

// Shape is a struct.
type Shape struct {
	Base
	// Width is how wide.
	Width, Height Val[int] ` + "`tag:\"width\"`" + `
	pkg.Other
}
`

func TestValues(t *testing.T) {
	t.Parallel()
	got, err := srcdoc.Values(source)
	if err != nil {
		t.Fatal(err)
	}
	want := []srcdoc.Value{
		{Name: "First", Value: "A1", Doc: "First is one.\n\nMore."},
		{Name: "Second", Value: "A2"},
		{Name: "Third", Value: "A3", Doc: "Third stands alone."},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("values (-want +got):\n%s", d)
	}
}

func TestStructs(t *testing.T) {
	t.Parallel()
	got, err := srcdoc.Structs(source)
	if err != nil {
		t.Fatal(err)
	}
	want := []srcdoc.Struct{{Name: "Shape", Doc: "Shape is a struct.", Fields: []srcdoc.Field{
		{Name: "Base", Type: "Base", Embedded: true},
		{Name: "Width", Type: "Val[int]", Tag: `tag:"width"`, Doc: "Width is how wide."},
		{Name: "Height", Type: "Val[int]", Tag: `tag:"width"`, Doc: "Width is how wide."},
		{Name: "Other", Type: "pkg.Other", Embedded: true},
	}}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("structs (-want +got):\n%s", d)
	}
}

func TestBrokenSource(t *testing.T) {
	t.Parallel()
	if _, err := srcdoc.Values("package"); err == nil {
		t.Error("Values accepted source that does not parse")
	}
	if _, err := srcdoc.Structs("type X"); err == nil {
		t.Error("Structs accepted source that does not parse")
	}
}
