package awsfake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// policy is a policy document. What is not known here is refused when it is read: it must
// not pass for less.
type policy struct {
	Version   string
	ID        string `json:"Id"`
	Statement statements
}

// statement is one statement of a policy. Principal is of trust policies only.
type statement struct {
	Sid, Effect           string
	Action, NotAction     texts
	Resource, NotResource texts
	Principal             *principals
	Condition             map[string]map[string]texts
}

// principals are those who may assume a role.
type principals struct{ Service, AWS, Federated texts }

// statements are one statement or several.
type statements []statement

// UnmarshalJSON takes both.
func (l *statements) UnmarshalJSON(text []byte) error {
	strict := func(v any) error {
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		return d.Decode(v)
	}
	if len(text) > 0 && text[0] == '{' {
		*l = make(statements, 1)
		return strict(&(*l)[0])
	}
	return strict((*[]statement)(l))
}

// texts are one text or several.
type texts []string

// UnmarshalJSON takes both, and a boolean or number as the text that it is.
func (l *texts) UnmarshalJSON(text []byte) error {
	var one any
	if err := json.Unmarshal(text, &one); err != nil {
		return err
	}
	list, ok := one.([]any)
	if !ok {
		list = []any{one}
	}
	*l = texts{}
	for _, v := range list {
		switch v.(type) {
		case string, bool, float64:
			*l = append(*l, fmt.Sprint(v))
		default:
			return fmt.Errorf("awsfake: %s is no text", text)
		}
	}
	return nil
}

// readPolicy reads and judges a document.
func readPolicy(document json.RawMessage) (*policy, error) {
	p := &policy{}
	d := json.NewDecoder(bytes.NewReader(document))
	d.DisallowUnknownFields()
	if err := d.Decode(p); err != nil {
		return nil, fmt.Errorf("awsfake: read a policy: %w", err)
	}
	if p.Version != "2012-10-17" {
		return nil, fmt.Errorf("awsfake: a policy of version %q", p.Version)
	}
	for _, s := range p.Statement {
		if s.Effect != "Allow" && s.Effect != "Deny" {
			return nil, fmt.Errorf("awsfake: statement %q has the effect %q", s.Sid, s.Effect)
		}
		for _, text := range slices.Concat(s.Action, s.NotAction, s.Resource, s.NotResource) {
			if strings.Contains(text, "${") {
				return nil, fmt.Errorf("awsfake: statement %q has a variable in %q", s.Sid, text)
			}
		}
		for operator, keys := range s.Condition {
			if _, err := operatorOf(operator); err != nil {
				return nil, fmt.Errorf("statement %q: %w", s.Sid, err)
			}
			for key := range keys {
				if !knownKey(key) {
					return nil, fmt.Errorf("awsfake: statement %q has a condition on %s, of which nothing is known", s.Sid, key)
				}
			}
		}
	}
	return p, nil
}
