package emitcfn_test

import (
	"fmt"

	"github.com/mlmax/mlmax/gen/emitasl"
	"github.com/mlmax/mlmax/gen/emitcfn"
	"github.com/mlmax/mlmax/internal/plantest"
)

func ExampleEmit() {
	p := plantest.Census()
	for _, f := range emitcfn.Emit(p, emitasl.Emit(p)) {
		fmt.Println(f.Path)
	}
	// Output:
	// training/training/template.json
	// training/training/env/dev.json
}
