package emitasl_test

import (
	"fmt"

	"github.com/mlmax/mlmax/gen/emitasl"
	"github.com/mlmax/mlmax/internal/plantest"
)

func ExampleEmit() {
	for _, s := range emitasl.Emit(plantest.Bare("example.com/m/bare")).States {
		fmt.Println(s.Type, s.Name)
	}
	// Output:
	// Pass Merge parameters
	// Pass Check parameters
	// Choice Parameters fit
	// Fail Bad parameters
	// Task Run
	// Pass Describe run
	// Task Write manifest
}
