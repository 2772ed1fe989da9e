package check_test

import (
	"path/filepath"
	"testing"

	"github.com/mlmax/mlmax/gen/diag"
)

// TestImportedSteps wants steps of a package without pipelines to be judged where
// they are used, since nobody else does, and not to be missed where they are not.
func TestImportedSteps(t *testing.T) {
	t.Parallel()
	whole := diag.Explanation{}.Files()
	dir, found := findings(t, map[string]map[string]string{
		"use": {"go.mod": whole["go.mod"], "use.go": `package use

import (
	"example.test/spec/shared"
	"github.com/mlmax/mlmax"
)

type Fit struct {
	mlmax.Pipeline ` + "`name:\"fit\"`" + `

	Data mlmax.Source[shared.Data] ` + "`default:\"data/in.csv\"`" + `

	Prepare shared.Prepare
}
`,
			"../shared/shared.go": `package shared

import "github.com/mlmax/mlmax"

type Data struct{ mlmax.File }

type Prepare struct {
	mlmax.Processing ` + "`image:\"sklearn:1.4\" script:\"prepare/prepare.py\" instance:\"ml.m5.large\"`" + `

	Data mlmax.Input[Data] ` + "`arg:\"--dat\"`" + `
}

type Other struct {
	mlmax.Processing ` + "`image:\"nothing\" script:\"other/other.py\"`" + `
}
`,
			"../shared/prepare/prepare.py": "import argparse\nparser = argparse.ArgumentParser(allow_abbrev=False)\nparser.add_argument('--data')\nparser.parse_args()\n",
		},
	})
	const want = `shared.go:8:27: MLX011: unknown image "sklearn:1.4" of step "Prepare"
	hint: did you mean "sklearn:1.4-2"?
shared.go:10:31: MLX048: the script of step "Prepare" does not accept argument "--dat"
	hint: did you mean "--data"?
	prepare/prepare.py:3:1: its arguments begin here
`
	if got := text(t, filepath.Join(dir, "shared"), found["shared"]); got != want {
		t.Errorf("got:\n%s", got)
	}
	if got := text(t, dir, found["use"]); got != "" {
		t.Errorf("findings where the step is used:\n%s", got)
	}
}
