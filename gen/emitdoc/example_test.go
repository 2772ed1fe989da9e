package emitdoc_test

import (
	"fmt"

	"github.com/mlmax/mlmax/gen/emitdoc"
	"github.com/mlmax/mlmax/internal/plantest"
)

func ExampleMermaid() {
	fmt.Print(emitdoc.Mermaid(plantest.Bare("example.com/m/bare")))
	// Output:
	// flowchart TD
	//     step_Run["Run<br/>processing, sklearn:1.4-2"]
}
