package local

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/mlmax/mlmax/pipeline"
)

// noModule is how Python says that a package is not installed; the package is what
// comes before the first dot.
var noModule = regexp.MustCompile(`^ModuleNotFoundError: No module named '([^'.]+)`)

// moduleHint is what to do about a job that ended for want of a Python package, or
// nothing. As on AWS, only a training job's requirements.txt is installed.
func (h *handler) moduleHint(j *job) string {
	found := noModule.FindStringSubmatch(j.log.last())
	if found == nil {
		return ""
	}
	var of pipeline.Job
	for _, one := range h.definition.Jobs {
		if one.Name == j.task.State {
			of = one
		}
	}
	if j.kind == trainingKind {
		return fmt.Sprintf("step %s needs %s: add it to %s, then run again", of.Name, found[1], strings.TrimSuffix(of.CodeDir, "/")+"/requirements.txt")
	}
	return fmt.Sprintf("step %s needs %s, which image %s does not have: take another image for it", of.Name, found[1], of.Image)
}
