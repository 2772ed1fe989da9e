package delta

import (
	"regexp"
	"strings"
)

var (
	digest      = regexp.MustCompile(`\b[0-9a-f]{64}\b`)
	versionCode = regexp.MustCompile(`\$(\w+)\.Code\.\w+`)
	// parameterOf is a parameter, as it is or as text; resultOf what a step left.
	parameterOf = regexp.MustCompile("^(?:\\$string\\(|\\$formatBase\\()?\\$params\\.(?:`([^`]+)`|(\\w+))(?:\\)|, 10\\))?$")
	resultOf    = regexp.MustCompile(`^\$(\w+)\.(\w+)$`)
	artifactOf  = regexp.MustCompile("^\\$(\\w+)\\.(?:Artifacts|Images)\\.(?:`([^`]+)`|(\\w+))$")
)

// short is the beginning of a digest, by which people tell one from another.
func short(digest string) string {
	if len(digest) < 12 {
		return digest
	}
	return digest[:12]
}

// pretty is an expression of the machine in the words of a spec, where it is one of the
// simple ones: "parameter Train.Strength", "Preprocess.Train". Others stay expressions.
func pretty(s string) string {
	inner, ok := strings.CutPrefix(s, "{%")
	if !ok {
		return s
	}
	inner = strings.TrimSpace(strings.TrimSuffix(inner, "%}"))
	if m := parameterOf.FindStringSubmatch(inner); m != nil {
		return "parameter " + m[1] + m[2]
	}
	if m := artifactOf.FindStringSubmatch(inner); m != nil {
		return m[2] + m[3] + " of version " + m[1]
	}
	if m := resultOf.FindStringSubmatch(inner); m != nil {
		return m[1] + "." + m[2]
	}
	return inner
}
