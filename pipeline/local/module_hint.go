package local

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// noModule is how Python says that a package is not installed; the package is what
// comes before the first dot.
var noModule = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^ModuleNotFoundError: No module named '([^'.]+)`)
})

// moduleHint is what to do about a job that ended for want of a Python package, or
// nothing. As on AWS, only a training job's requirements.txt is installed.
func (h *handler) moduleHint(j *job) string {
	found := noModule().FindStringSubmatch(j.log.last())
	if found == nil {
		return ""
	}
	of := h.definition.Job(j.task.State)
	if of == nil {
		return ""
	}
	if of.Pin != "" {
		return fmt.Sprintf("step %s needs %s, which %s was made without: train again, and take the version that it registers", of.Name, found[1], h.version(of.Pin))
	}
	if j.kind == trainingKind {
		return fmt.Sprintf("step %s needs %s: add it to %s, then run again", of.Name, found[1], strings.TrimSuffix(of.CodeDir, "/")+"/requirements.txt")
	}
	return fmt.Sprintf("step %s needs %s, which image %s does not have: take another image for it", of.Name, found[1], j.image)
}
