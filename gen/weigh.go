package gen

import (
	"fmt"
	"strings"

	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/ir"
)

// The service's limits in bytes, of files by how their names end: a template from
// S3 (CloudFormation quotas; cfn-lint E1002), a machine (CreateStateMachine
// definition).
var heaviest = []struct {
	suffix, what string
	bytes        int
}{
	{"/template.json", "a template", 1_000_000},
	{".asl.json", "a state machine", 1_048_576},
}

// weigh refuses files that the services would. It is the one check that only what
// was emitted can be put to.
func weigh(p *ir.Pipeline, files []ir.File, bag *diag.Bag) {
	for _, f := range files {
		for _, h := range heaviest {
			if strings.HasSuffix(f.Path, h.suffix) && len(f.Bytes) > h.bytes {
				bag.Report(diag.Diagnostic{
					Pos: p.Name.Pos, End: p.Name.End, Code: diag.ServiceLimit,
					Message: fmt.Sprintf("pipeline %q leads to %s of %d bytes, and the service takes %d", p.Name.V, h.what, len(f.Bytes), h.bytes),
					Hint:    "split the pipeline",
				})
			}
		}
	}
}
