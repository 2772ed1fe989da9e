package awsfake

import (
	"fmt"
	"strings"
	"time"
)

// An xmlMember is an element of an answer: a text, members, or a list of either.
type xmlMember struct {
	name  string
	value any
}

// members are an answer's, in order.
type members []xmlMember

// xml writes members; those with empty texts are left out, as the service does.
func (m members) xml() string {
	var b strings.Builder
	for _, e := range m {
		switch v := e.value.(type) {
		case string:
			if v != "" {
				fmt.Fprintf(&b, "<%s>%s</%[1]s>", e.name, escape(v))
			}
		case bool:
			fmt.Fprintf(&b, "<%s>%t</%[1]s>", e.name, v)
		case time.Time:
			if !v.IsZero() {
				fmt.Fprintf(&b, "<%s>%s</%[1]s>", e.name, v.UTC().Format("2006-01-02T15:04:05.000Z"))
			}
		case members:
			fmt.Fprintf(&b, "<%s>%s</%[1]s>", e.name, v.xml())
		case []members:
			fmt.Fprintf(&b, "<%s>", e.name)
			for _, one := range v {
				fmt.Fprintf(&b, "<member>%s</member>", one.xml())
			}
			fmt.Fprintf(&b, "</%s>", e.name)
		case []string:
			fmt.Fprintf(&b, "<%s>", e.name)
			for _, one := range v {
				fmt.Fprintf(&b, "<member>%s</member>", escape(one))
			}
			fmt.Fprintf(&b, "</%s>", e.name)
		default:
			panic(fmt.Sprintf("awsfake: %s is a %T", e.name, v))
		}
	}
	return b.String()
}
