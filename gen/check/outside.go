package check

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/gen/ir"
)

// What an environment reaches outside of its own prefix: places that runs read, and
// people who are told.

func environmentReadable(p *pass) {
	p.environments(func(e *ir.Environment) {
		var seen []ir.Location
		for i, v := range e.Readable {
			place, _ := ir.ParseLocation(v.V)
			why, hint := badReadable(e, v.V)
			other := slices.IndexFunc(seen, func(l ir.Location) bool {
				return l.Bucket == place.Bucket && (strings.HasPrefix(place.Prefix, l.Prefix) || strings.HasPrefix(l.Prefix, place.Prefix))
			})
			switch {
			case p.known.line(v.Pos) && v.V == "":
			case why != "":
				p.report(at(v), fmt.Sprintf("readable place %q of environment %q: %s", v.V, e.VarName, why), hint)
			case other >= 0:
				p.report(at(v), fmt.Sprintf("readable places %q and %q of environment %q overlap", seen[other], v.V, e.VarName), "keep one of the two")
			case i == ir.MaxReadable:
				p.report(at(v), fmt.Sprintf("%d readable places are more than the policies of a role have room for: %d", len(e.Readable), i), "name a place that holds several")
			}
			if why == "" {
				seen = append(seen, place)
			}
		}
	})
}

const likePlace = `write it like "s3://bucket/prefix/"`

// badReadable says what is wrong with a place, or nothing.
func badReadable(e *ir.Environment, uri string) (why, hint string) {
	place, ok := ir.ParseLocation(uri)
	if !ok {
		switch {
		case !strings.HasPrefix(uri, "s3://"):
			return "it is no place in S3", likePlace
		case !strings.HasSuffix(uri, "/"):
			return "it does not end in a slash, and would stand for every key that begins so", fmt.Sprintf("write %q", uri+"/")
		}
		return "it is no place in S3", likePlace
	}
	if why, hint := badBucket(place.Bucket); why != "" {
		return why, hint
	}
	if why, hint := badPrefix(place.Prefix); why != "" {
		return why, hint
	}
	if place.Bucket != e.Bucket.V {
		return "", ""
	}
	for _, own := range []string{e.Prefix.V + "code/", e.Prefix.V + "runs/"} {
		if strings.HasPrefix(own, place.Prefix) || strings.HasPrefix(place.Prefix, own) {
			return fmt.Sprintf("the environment keeps its code and results there, in s3://%s/%s", e.Bucket.V, own), "name the folder that holds the data"
		}
	}
	return "", ""
}

// address is what of an e-mail address is taken: no quotes and no comments, and nothing
// that a parameter of a template could not hold.
var address = regexp.MustCompile(`^[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$`)

// How long an address and the part before its @ can be (RFC 5321, 4.5.3.1).
const (
	maxAddress   = 254
	maxLocalPart = 64
)

func environmentNotify(p *pass) {
	p.environments(func(e *ir.Environment) {
		v := e.Notify
		if v.V == "" {
			return
		}
		name, _, _ := strings.Cut(v.V, "@")
		switch {
		case !address.MatchString(v.V):
			p.report(at(v), fmt.Sprintf("%q, which environment %q notifies, is no e-mail address", v.V, e.VarName), `write one address, such as "ml-team@example.com"`)
		case len(v.V) > maxAddress || len(name) > maxLocalPart:
			p.report(at(v), fmt.Sprintf("the address that environment %q notifies is longer than mail allows", e.VarName), "use a shorter one")
		}
	})
}
