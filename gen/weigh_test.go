package gen

import (
	"fmt"
	"go/token"
	"strings"
	"testing"

	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/ir"
)

// TestWeigh wants a diagnostic at the pipeline's name for what the services refuse.
func TestWeigh(t *testing.T) {
	t.Parallel()
	pos := token.Position{Filename: "a.go", Line: 3, Column: 25}
	p := &ir.Pipeline{Name: ir.At[string]{V: "fit", Pos: pos, End: pos}}
	for _, tt := range []struct {
		name  string
		path  string
		bytes int
		want  string
	}{
		{"template that fits", "fit/fit/template.json", 1_000_000, ""},
		{"template", "fit/fit/template.json", 1_000_001, `pipeline "fit" leads to a template of 1000001 bytes, and the service takes 1000000`},
		{"machine that fits", "fit/fit/fit.asl.json", 1_048_576, ""},
		{"machine", "fit/fit/fit.asl.json", 1_048_577, `pipeline "fit" leads to a state machine of 1048577 bytes, and the service takes 1048576`},
		{"anything else", "fit/README.md", 2_000_000, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var bag diag.Bag
			weigh(p, []ir.File{{Path: tt.path, Bytes: make([]byte, tt.bytes)}}, &bag)
			got := ""
			for _, d := range bag.List() {
				got += d.Message
				if d.Code != diag.ServiceLimit || d.Pos != pos {
					t.Errorf("got %s at %v", d.Code, d.Pos)
				}
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestWeighPolicies wants a diagnostic where a role's policy would be larger than IAM
// takes, at what makes it so large.
func TestWeighPolicies(t *testing.T) {
	t.Parallel()
	at := func(line int, v string) ir.At[string] {
		pos := token.Position{Filename: "env.go", Line: line, Column: 2}
		return ir.At[string]{V: v, Pos: pos, End: pos}
	}
	for _, tt := range []struct {
		name           string
		prefix         string
		statements     int // each with the prefix
		readable, line int
		hint           string
	}{
		{"fits", "ml/", 40, 8, 0, ""},
		{"prefix", strings.Repeat("p", 127) + "/", 60, 0, 2, "shorten the prefix"},
		{"readable", strings.Repeat("p", 127) + "/", 40, 8, 3, "name fewer readable places, such as one that holds several"},
		{"conditions of another environment", strings.Repeat("p", 127) + "/", 38, 0, 0, ""},
		{"names", "", 120, 0, 1, "split the step, or shorten names"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := &ir.Environment{VarName: "Dev", Name: at(1, "dev"), Prefix: at(2, tt.prefix)}
			dev := &ir.Place{Name: "dev", Region: "eu-west-1", Bucket: "acme-dev", Prefix: tt.prefix}
			other := &ir.Place{Name: "other", Readable: make([]ir.Location, ir.MaxReadable)}
			for range tt.readable {
				e.Readable = append(e.Readable, at(3, "s3://b/"))
				dev.Readable = append(dev.Readable, ir.Location{Bucket: strings.Repeat("b", 63), Prefix: strings.Repeat("p", 127) + "/"})
			}
			role := &ir.Role{Name: "FitRole"}
			for i := range tt.statements {
				role.Statements = append(role.Statements, &ir.Statement{Sid: fmt.Sprint("S", i), Actions: []string{"s3:GetObject"},
					Resources: []string{"arn:${AWS::Partition}:s3:::${Bucket}/${Prefix}x"}})
			}
			for i := range ir.MaxReadable {
				role.Statements = append(role.Statements, &ir.Statement{Sid: fmt.Sprint("R", i), Actions: []string{"s3:GetObject"}, If: fmt.Sprint("HasReadable", i+1),
					Resources: []string{fmt.Sprintf("arn:${AWS::Partition}:s3:::${ReadableBucket%d}/${ReadablePrefix%[1]d}*", i+1)}})
			}
			p := &ir.Plan{GoName: "Fit", Partition: "aws", Roles: []*ir.Role{role}, Environments: []*ir.Place{dev, other}}
			s := &ir.Spec{Environments: []*ir.Environment{e, {VarName: "Other", Name: at(9, "other")}}}
			var bag diag.Bag
			weighPolicies(s, p, &bag)
			list := bag.List()
			if tt.line == 0 {
				if len(list) > 0 {
					t.Errorf("got %v", list)
				}
				return
			}
			if len(list) != 1 && tt.name != "names" || list[0].Pos.Line != tt.line || list[0].Hint != tt.hint || list[0].Code != diag.ServiceLimit ||
				!strings.Contains(list[0].Message, `in environment "Dev" the policy of FitRole of pipeline "Fit" would have `) {
				t.Errorf("got %v", list)
			}
		})
	}
}
