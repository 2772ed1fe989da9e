package terminal_test

import (
	"fmt"

	"github.com/mlmax/mlmax/pipeline/terminal"
)

func ExampleClean() {
	fmt.Println(terminal.Clean("loss \x1b[31m0.1\x1b[0m\a"))
	// Output: loss 0.1
}
