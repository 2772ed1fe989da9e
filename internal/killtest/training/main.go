// Command training is the census pipeline as it is generated, with three shell
// scripts as its steps: what is killed by the tests of internal/killtest. It is
// built with the tag failpoint.
package main

import (
	"bytes"
	"os"
	"strings"

	"github.com/mlmax/mlmax/generated/training/training"
	"github.com/mlmax/mlmax/pipeline/cli"
)

func main() {
	d := training.Definition()
	d.ASL = bytes.ReplaceAll(d.ASL, []byte(`"python3"`), []byte(`"/bin/sh"`))
	for i := range d.Jobs {
		python := d.Jobs[i].Script
		d.Jobs[i].Script = strings.TrimSuffix(python, ".py") + ".sh"
		d.ASL = bytes.ReplaceAll(d.ASL, []byte(python), []byte(d.Jobs[i].Script))
	}
	os.Exit(cli.Main(d, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
