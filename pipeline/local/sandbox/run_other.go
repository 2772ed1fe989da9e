//go:build !unix

package sandbox

import (
	"context"
	"errors"
	"io/fs"
)

var errSystem = errors.New("steps run on Linux and macOS only; on Windows, use its Subsystem for Linux")

func (j *Job) execute(context.Context, *command) (*Result, error) { return nil, errSystem }

type helper struct{}

func startHelper(string) (*helper, error) { return nil, errSystem }

func (h *helper) end() error { return nil }

func signalNumber(string) int { return 0 }

// Probe says that there are no namespaces.
func Probe(context.Context) error { return errSystem }

// sole says that a file has no other name, which is not known here.
func sole(fs.FileInfo) bool { return false }
