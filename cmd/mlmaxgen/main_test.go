package main

import (
	"bytes"
	"strings"
	"testing"
)

// broken is a writer with a bug.
type broken struct{}

func (broken) Write([]byte) (int, error) { panic("index out of range") }

// TestBug demands that a panic ends the command with words that say whose fault
// it is and what to do.
func TestBug(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	if code := run([]string{"explain"}, nil, broken{}, &stderr); code != exitTrouble {
		t.Errorf("exit code %d", code)
	}
	for _, part := range []string{"this is a bug in mlmaxgen and not in your spec: index out of range", "please report it at https://", `command: mlmaxgen ["explain"]`, "main_test.go"} {
		if !strings.Contains(stderr.String(), part) {
			t.Errorf("no %q in:\n%s", part, stderr.String())
		}
	}
}

// TestHelp demands an example in the help of every command.
func TestHelp(t *testing.T) {
	t.Parallel()
	root := (&app{}).root()
	for _, c := range append(root.Commands(), root) {
		if !c.Hidden && (c.Example == "" || c.Long == "") {
			t.Errorf("the help of %s has no example, or says too little", c.Name())
		}
	}
}
