package asl

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/recolabs/gnata"
)

// expression returns the JSONata between "{%" and "%}", trimmed, and whether v is
// an expression: only a string that begins and ends so, with nothing outside.
func expression(v any) (source string, is bool) {
	s, is := v.(string)
	if !is || len(s) < 4 || !strings.HasPrefix(s, "{%") || !strings.HasSuffix(s, "%}") {
		return "", false
	}
	return strings.TrimSpace(s[2 : len(s)-2]), true
}

// A program is a compiled expression.
type program struct {
	source string
	code   *gnata.Expression
}

// The bounds of an expression. gnata parses and evaluates by recursion, in a time
// that grows with the square of the depth, and Go cannot recover from a stack
// that is exhausted.
const (
	maxExpression = 64 << 10
	maxBrackets   = 200
)

// compile parses an expression; a panic of the parser is an error.
func compile(source string) (p *program, err error) {
	if len(source) > maxExpression {
		return nil, fmt.Errorf("the expression has %d bytes, more than %d", len(source), maxExpression)
	}
	if bracketDepth(source) > maxBrackets {
		return nil, fmt.Errorf("the expression is nested more than %d levels deep", maxBrackets)
	}
	defer func() {
		if r := recover(); r != nil {
			p, err = nil, fmt.Errorf("the parser failed: %v", r)
		}
	}()
	code, err := gnata.Compile(source)
	if err != nil {
		return nil, err
	}
	return &program{source, code}, nil
}

// substitution matches a name that CloudFormation or the local runner fills.
var substitution = regexp.MustCompile(`\$\{[A-Za-z0-9]+\}`)

// programs compiles each expression at most once. It is safe for use by several
// goroutines.
type programs struct {
	mu sync.Mutex
	by map[string]*program
}

// check compiles an expression for its errors. Names that are not yet substituted
// stand where a number could.
func (p *programs) check(source string) error {
	if source == "" {
		return errors.New("the expression is empty")
	}
	if strings.Contains(source, "${") {
		source = substitution.ReplaceAllString(source, "1")
	}
	_, err := p.get(source)
	return err
}

func (p *programs) get(source string) (*program, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c, ok := p.by[source]; ok {
		return c, nil
	}
	c, err := compile(source)
	if err != nil {
		return nil, err
	}
	if p.by == nil {
		p.by = map[string]*program{}
	}
	p.by[source] = c
	return c, nil
}
