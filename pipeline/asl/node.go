package asl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A kind is the JSON type of a node, in words for messages.
type kind string

const (
	kindObject kind = "an object"
	kindArray  kind = "an array"
	kindString kind = "a string"
	kindNumber kind = "a number"
	kindBool   kind = "a boolean"
	kindNull   kind = "null"
)

// maxDepth bounds nesting, so that no input can exhaust the stack.
const maxDepth = 500

// A node is a JSON value that knows where it stands.
type node struct {
	kind    kind
	offset  int // of its first byte
	parent  *node
	key     string // in an object, or the index in an array
	keyAt   int    // offset of the key, in an object
	members []*node
	scalar  any // string, json.Number or bool
}

// A syntaxError is JSON that cannot be read.
type syntaxError struct {
	offset  int
	message string
}

func (e *syntaxError) Error() string { return e.message }

// parseJSON reads one JSON value with the offsets of all its parts.
func parseJSON(b []byte) (*node, error) {
	if !json.Valid(b) {
		return nil, findSyntaxError(b)
	}
	p := &parser{src: b, dec: json.NewDecoder(bytes.NewReader(b))}
	p.dec.UseNumber()
	return p.value(nil, 0)
}

// findSyntaxError says where and why b is not JSON.
func findSyntaxError(b []byte) error {
	var raw json.RawMessage
	err := json.Unmarshal(b, &raw)
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return &syntaxError{0, "it is not JSON"}
	}
	at := int(syntax.Offset)
	if at < len(b) || strings.HasPrefix(err.Error(), "invalid character") {
		at-- // it counts the byte that is wrong
	}
	return &syntaxError{at, err.Error()}
}

type parser struct {
	src []byte
	dec *json.Decoder
}

// next is the offset at which the next token starts.
func (p *parser) next() int {
	i := int(p.dec.InputOffset())
	for i < len(p.src) && bytes.IndexByte([]byte(" \t\r\n,:"), p.src[i]) >= 0 {
		i++
	}
	return i
}

func (p *parser) token() (json.Token, int, error) {
	at := p.next()
	t, err := p.dec.Token()
	if err != nil {
		return nil, at, &syntaxError{at, err.Error()}
	}
	return t, at, nil
}

func (p *parser) value(parent *node, depth int) (*node, error) {
	t, at, err := p.token()
	if err != nil {
		return nil, err
	}
	n := &node{offset: at, parent: parent, scalar: t}
	if depth > maxDepth {
		return nil, &syntaxError{at, fmt.Sprintf("nested more than %d levels deep", maxDepth)}
	}
	switch t := t.(type) {
	case json.Delim:
		n.scalar = nil
		if t == '{' {
			n.kind = kindObject
			return n, p.object(n, depth)
		}
		n.kind = kindArray
		return n, p.array(n, depth)
	case string:
		n.kind = kindString
	case json.Number:
		n.kind = kindNumber
	case bool:
		n.kind = kindBool
	case nil:
		n.kind = kindNull
	}
	return n, nil
}

func (p *parser) object(n *node, depth int) error {
	for p.dec.More() {
		t, at, err := p.token()
		if err != nil {
			return err
		}
		m, err := p.value(n, depth+1)
		if err != nil {
			return err
		}
		m.key, m.keyAt = t.(string), at
		n.members = append(n.members, m)
	}
	_, _, err := p.token()
	return err
}

func (p *parser) array(n *node, depth int) error {
	for p.dec.More() {
		m, err := p.value(n, depth+1)
		if err != nil {
			return err
		}
		m.key = strconv.Itoa(len(n.members))
		n.members = append(n.members, m)
	}
	_, _, err := p.token()
	return err
}

// path is where the node stands, as AWS writes it: /States/Train/Retry/0.
func (n *node) path() string {
	if n.parent == nil {
		return ""
	}
	return n.parent.path() + "/" + n.key
}

// find returns the node at the end of a path, or the last one there is.
func (n *node) find(path string) *node {
	for _, m := range n.members {
		rest := "/" + m.key
		if path == rest {
			return m
		}
		if len(path) > len(rest) && path[:len(rest)] == rest && path[len(rest)] == '/' {
			return m.find(path[len(rest):])
		}
	}
	return n
}

// duplicate returns a key that n or a value in it has twice, or "".
func (n *node) duplicate() string {
	seen := map[string]bool{}
	for _, m := range n.members {
		if n.kind == kindObject && seen[m.key] {
			return m.key
		}
		seen[m.key] = true
		if d := m.duplicate(); d != "" {
			return d
		}
	}
	return ""
}

// value is the node as the model holds JSON: nil, bool, json.Number, string,
// []any or Object.
func (n *node) value() any {
	switch n.kind {
	case kindObject:
		o := make(Object, 0, len(n.members))
		for _, m := range n.members {
			o = append(o, Member{Key: m.key, Value: m.value()})
		}
		return o
	case kindArray:
		list := make([]any, 0, len(n.members))
		for _, m := range n.members {
			list = append(list, m.value())
		}
		return list
	}
	return n.scalar
}
