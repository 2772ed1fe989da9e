package tag_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mlmax/mlmax/gen/tag"
)

// decode reads a tag into a directive and returns what was reported as
// "CODE at what: message".
func decode(t *testing.T, text string, directive any) []string {
	t.Helper()
	literal := "`" + text + "`"
	pairs, problems := tag.Parse(base, literal)
	problems = append(problems, tag.Decode(pairs, directive)...)
	var all []string
	for _, p := range problems {
		where := "field"
		if p.Pos.IsValid() {
			where = at(literal, p.Pos, p.End)
		}
		all = append(all, string(p.Code)+" at "+where+": "+p.Message)
	}
	return all
}

func TestDecode(t *testing.T) {
	t.Parallel()
	var d tag.TrainingUse
	problems := decode(t, `set:"Mode=train, Ratio = Share" bind:"Test=Prepare.Test" after:"A, B" instance:"ml.m5.large" count:"2" volume:"2TiB" timeout:"1h30m" isolated:"true" spot:"false" max-wait:"2h"`, &d)
	if problems != nil {
		t.Fatal(problems)
	}
	if d.Instance.V != "ml.m5.large" || d.Count.V != 2 || d.Volume.V != 2048 || d.Timeout.V != 90*time.Minute ||
		!d.Isolated.V || d.Spot.V || !d.Spot.Set() || d.MaxWait.V != 2*time.Hour {
		t.Errorf("settings: %+v", d)
	}
	var got []string
	for _, a := range append(d.Set, d.Bind...) {
		got = append(got, a.Left.V, a.Left.Text.S, a.Right.V)
	}
	for _, n := range d.After {
		got = append(got, n.V)
	}
	want := []string{"Mode", "Mode", "train", "Ratio", "Ratio", "Share", "Test", "Test", "Prepare.Test", "A", "B"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("assignments (-want +got):\n%s", diff)
	}
}

func TestDecodeProblems(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		tag       string
		directive any
		want      []string
	}{
		"unknown":       {`name:"x" nmae:"y"`, &tag.Pipeline{}, []string{`MLX004 at nmae: unknown tag key "nmae"`}},
		"twice":         {`name:"x" name:"y"`, &tag.Pipeline{}, []string{`MLX005 at name: tag key "name" is given twice`}},
		"missing":       {``, &tag.Pipeline{}, []string{`MLX006 at field: tag key "name" is missing`}},
		"empty":         {`name:""`, &tag.Pipeline{}, []string{`MLX007 at : the value of name is empty`}},
		"empty default": {`default:""`, &tag.PipelineParam{}, nil},
		"bool":          {`isolated:"yes"`, &tag.Use{}, []string{`MLX007 at yes: isolated: "yes" is neither true nor false`}},
		"int":           {`count:"2.0"`, &tag.Use{}, []string{`MLX007 at 2.0: count: "2.0" is not a whole number`}},
		"float":         {`min:"NaN" max:"1e999"`, &tag.PipelineParam{}, []string{`MLX007 at NaN: min: "NaN" is not a number`, `MLX007 at 1e999: max: "1e999" is not a number`}},
		"duration":      {`timeout:"20"`, &tag.Use{}, []string{`MLX007 at 20: timeout: "20" is not a duration`}},
		"negative":      {`timeout:"-5m"`, &tag.Use{}, []string{`MLX007 at -5m: timeout: duration "-5m" is not positive`}},
		"fraction":      {`timeout:"1500ms"`, &tag.Use{}, []string{`MLX007 at 1500ms: timeout: duration "1500ms" is no whole number of seconds`}},
		"size":          {`volume:"50GB"`, &tag.Use{}, []string{`MLX007 at 50GB: volume: "50GB" is not a size`}},
		"no size":       {`volume:"0GiB"`, &tag.Use{}, []string{`MLX007 at 0GiB: volume: "0GiB" is not a size`}},
		"assignment":    {`set:"Mode=train,Ratio"`, &tag.Use{}, []string{`MLX007 at Ratio: set: "Ratio" is not of the form Name=value`}},
		"half":          {`set:"Mode="`, &tag.Use{}, []string{`MLX007 at Mode=: set: "Mode=" is not of the form Name=value`}},
		"only":          {`only:"Mode=a,b"`, &tag.Input{}, []string{`MLX007 at a,b: only: "a,b" is more than one value`}},
		"list":          {`enum:"a,,b"`, &tag.PipelineParam{}, []string{`MLX007 at : enum: the list has an empty member`}},
		"names":         {`after:"A,"`, &tag.Use{}, []string{`MLX007 at : after: the list has an empty member`}},
		"no keys":       {`arg:"--x"`, &tag.Model{}, []string{`MLX004 at arg: unknown tag key "arg"`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if d := cmp.Diff(c.want, decode(t, c.tag, c.directive)); d != "" {
				t.Errorf("problems (-want +got):\n%s", d)
			}
		})
	}
}

// TestHelp holds every key to a comment that says what it is, of which type, by
// an example, what holds without it, and where it comes from.
func TestHelp(t *testing.T) {
	t.Parallel()
	all := tag.Directives()
	if len(all) < 15 {
		t.Fatalf("only %d directives found", len(all))
	}
	for _, d := range all {
		if !strings.Contains(d.Doc, "tag of") {
			t.Errorf("the comment of %s does not say where its tag stands: %q", d.Name, d.Doc)
		}
		for _, k := range d.Keys {
			doc := strings.Join(strings.Fields(k.Doc), " ")
			for _, part := range []string{"Type: ", "Example: " + k.Name + `:"`, "Default: ", "From: "} {
				if !strings.Contains(doc, part) {
					t.Errorf("the comment of %s in %s has no %q", k.Name, d.Name, part)
				}
			}
		}
	}
}
