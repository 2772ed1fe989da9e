package asl

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// A Problem is one thing that is wrong with a machine.
type Problem struct {
	// Path leads to the place: /States/Train/Retry/0. The whole machine is "/".
	Path    string
	Message string
	// Line and Column, from 1, are 0 for a machine that was not decoded. A column
	// counts bytes, as the Go compiler's does.
	Line, Column int
}

// String is "path: message".
func (p Problem) String() string { return p.Path + ": " + p.Message }

// A DecodeError is everything that is wrong with a definition.
type DecodeError struct {
	File     string
	Problems []Problem
}

// Error has one line a problem: file:line:column: path: message.
func (e *DecodeError) Error() string {
	lines := make([]string, 0, len(e.Problems))
	for _, p := range e.Problems {
		lines = append(lines, fmt.Sprintf("%s:%d:%d: %s", e.File, p.Line, p.Column, p))
	}
	return strings.Join(lines, "\n")
}

// lineColumn is the position of a byte offset, both from 1.
func lineColumn(src []byte, offset int) (line, column int) {
	offset = min(offset, len(src))
	for offset > 0 && offset < len(src) && !utf8.RuneStart(src[offset]) {
		offset--
	}
	before := src[:offset]
	return 1 + bytes.Count(before, []byte("\n")), offset - bytes.LastIndexByte(before, '\n')
}
