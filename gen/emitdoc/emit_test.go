package emitdoc_test

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mlmax/mlmax/gen/emitdoc"
	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/internal/plantest"
	"github.com/mlmax/mlmax/pipeline/asl"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var machine = &asl.Machine{States: []*asl.State{
	{Name: "Parameters", Type: asl.PassState, Comment: "The input over the defaults."},
	{Name: "Train", Type: asl.TaskState, Resource: "arn:aws:states:::sagemaker:createTrainingJob.sync"},
}}

func TestGolden(t *testing.T) {
	t.Parallel()
	census := plantest.Census()
	census.Environments = append(census.Environments, &ir.Place{Name: "prod", Region: "us-east-1", Bucket: "acme-ml-prod",
		Subnets: []string{"subnet-1", "subnet-2"}, LogRetentionDays: 90, Tags: map[string]string{"team": "ml", "cost": "7"}})
	inference := plantest.Inference(t)
	inference.Schedule = "cron(0 6 * * ? *)"
	inference.Environments[0].Schedule, inference.Environments[0].TimeZone = "ENABLED", "Europe/Berlin"
	tests := []struct {
		name string
		plan *ir.Plan
	}{
		{"census", census},
		{"inference", inference},
		{"odd", plantest.Odd("example.com/m/json")},
		{"bare", plantest.Bare("example.com/m/bare")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			files := emitdoc.Emit(tt.plan, machine, tt.plan.ModulePath+"/generated")
			if len(files) != 1 || files[0].Path != tt.plan.Dir+"/README.md" {
				t.Fatalf("files = %+v", files)
			}
			name := "testdata/" + tt.name + ".md"
			if *update {
				if err := os.WriteFile(name, files[0].Bytes, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), string(files[0].Bytes)); d != "" {
				t.Errorf("-want +got (go test -update rewrites):\n%s", d)
			}
		})
	}
}

// TestPermissions holds what every job's role has to one place, and the rest to each
// role's own.
func TestPermissions(t *testing.T) {
	t.Parallel()
	p := plantest.Census()
	p.Roles = []*ir.Role{{Name: "MachineRole", Principal: "states", Statements: []*ir.Statement{
		{Actions: []string{"logs:Put"}, Resources: []string{"*"}, Reason: "log"},
	}}}
	for _, name := range []string{"Train", "Evaluate"} {
		p.Roles = append(p.Roles, &ir.Role{Name: name + "Role", Principal: "sagemaker", For: name, Statements: []*ir.Statement{
			{Actions: []string{"s3:GetObject"}, Resources: []string{"arn:${AWS::Partition}:s3:::${Bucket}/" + name}, Reason: "read", Needs: []string{name, name + ".In"}},
			{Actions: []string{"logs:Put"}, Resources: []string{"*"}, Reason: "log", Needs: []string{name}},
		}})
	}
	_, got, _ := strings.Cut(string(emitdoc.Emit(p, machine, "example.com/m/generated")[0].Bytes), "## Permissions")
	const head = "| Actions | Resources | Only if | Why |\n|---|---|---|---|\n"
	for _, want := range []string{
		"### MachineRole\n\nAssumed by `states.amazonaws.com`, for the state machine.\n\n" + head + "| `logs:Put` | `*` |  | log |\n\n",
		"for step Train.\n\n" + head + "| `s3:GetObject` | `arn:…:s3:::${Bucket}/Train` |  | read (Train.In) |\n\n",
		"for step Evaluate.\n\n" + head + "| `s3:GetObject` | `arn:…:s3:::${Bucket}/Evaluate` |  | read (Evaluate.In) |\n\n",
		"### Every step's role\n\nBesides what stands above.\n\n" + head + "| `logs:Put` | `*` |  | log |\n",
	} {
		if strings.Count(got, want) != 1 {
			t.Errorf("not once:\n%s\nin:\n%s", want, got)
		}
	}
	if strings.Count(got, "`logs:Put`") != 2 {
		t.Errorf("what is alike is repeated:\n%s", got)
	}
}

// TestMermaidNames holds every line of the graph to the little of Mermaid's
// grammar that is used, whatever the names.
func TestMermaidNames(t *testing.T) {
	t.Parallel()
	p := plantest.Census()
	p.Parameters[0].Key = "end"
	p.Jobs()[0].Name = `Prépro"];click x`
	p.Jobs()[0].Inputs[0].Param = "end"
	p.Versions = []*ir.Version{{Name: `it's "]`, Group: "a", Status: "Approved"}}
	p.Jobs()[1].Inputs[0].Version, p.Jobs()[1].Pin = `it's "]`, `it's "]`
	p.Registrations()[0].When = "a[\"b\"] >= `c` && <d> | %%{init}%% \\ #quot; }\n--> x"
	const node = `[a-z]+_[A-Za-z0-9_]+`
	const text = `"([^"` + "`" + `<>|&#;\\]|#[a-z0-9]+;|<br/>)*"`
	line := regexp.MustCompile(`^    ` + node + `(\[\(` + text + `\)\]|\[/` + text + `/\]|\[` + text + `\]|\{` + text + `\}| (-->\|(` + text + `|yes)\||-\.->) ` + node + `)$`)
	lines := strings.Split(strings.TrimSuffix(emitdoc.Mermaid(p), "\n"), "\n")
	if lines[0] != "flowchart TD" || len(lines) < 10 {
		t.Fatalf("graph:\n%s", strings.Join(lines, "\n"))
	}
	for _, l := range lines[1:] {
		if !line.MatchString(l) {
			t.Errorf("not in the grammar: %s", l)
		}
	}
}
