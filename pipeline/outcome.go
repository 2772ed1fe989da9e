package pipeline

import (
	"errors"
	"fmt"
)

// Err is nil for a run that succeeded, and else says in one line how it ended.
func (o *Outcome) Err() error {
	if o.Status == Succeeded {
		return nil
	}
	text := fmt.Sprintf("run %s of %s ended %s", o.Run, o.Pipeline, o.Status)
	if o.FailedStep != "" {
		text += " in step " + o.FailedStep
	}
	for _, more := range []string{o.Error, o.Cause} {
		if more != "" {
			text += ": " + more
		}
	}
	if o.Log != "" {
		text += "; log: " + o.Log
	}
	return errors.New(text)
}
