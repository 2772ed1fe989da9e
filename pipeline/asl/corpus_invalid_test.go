package asl

import (
	"errors"
	"regexp"
	"strings"
	"testing"
)

// TestCorpusInvalid decodes the definitions that AWS refused, and some that it
// took. What is left out: refusals that concern the call or an Express machine,
// which a definition does not say, and JSONPath machines that AWS takes.
func TestCorpusInvalid(t *testing.T) {
	t.Parallel()
	const floorPassed, floorStrict = 9, 9
	cases, passed, strict := 0, 0, 0
	for _, c := range readCorpus(t, "invalid") {
		said := string(c.Expected)
		refused := strings.Contains(said, "SCHEMA_VALIDATION_FAILED") || strings.Contains(said, "INVALID_JSON_DESCRIPTION")
		if (!refused && !strings.Contains(said, `"result": "OK"`)) || strings.Contains(said, "Express") || strings.Contains(c.Text, "JSONPath") {
			continue
		}
		cases++
		name := c.ID[strings.LastIndex(c.ID, "::")+2:]
		text := c.Text
		if !strings.Contains(text, "QueryLanguage") {
			text = strings.Replace(text, "{", `{"QueryLanguage": "JSONata"`+comma(text), 1)
		}
		_, err := Decode("definition.json", []byte(text))
		if refused != (err != nil) {
			t.Logf("%s: recorded %s, got %v", name, said, err)
			continue
		}
		passed++
		var de *DecodeError
		if !refused || (errors.As(err, &de) && mentions(de, location(said))) {
			strict++
		} else {
			t.Logf("%s: recorded %s, got %v", name, said, err)
		}
	}
	t.Logf("invalid: %d of %d definitions judged as by AWS, %d at the same place", passed, cases, strict)
	if cases == floorPassed && (passed < floorPassed || strict < floorStrict) {
		t.Errorf("%d passed and %d strictly are below the floor", passed, strict)
	}
}

func comma(text string) string {
	if strings.TrimSpace(text) == "{}" {
		return ""
	}
	return ","
}

// location is the path in the text of a refusal; the whole machine where it has none.
func location(said string) string {
	if m := regexp.MustCompile(` at (/[A-Za-z0-9_/]+)`).FindStringSubmatch(said); m != nil {
		return m[1]
	}
	return "/"
}

func mentions(e *DecodeError, path string) bool {
	for _, p := range e.Problems {
		if p.Path == path || strings.HasPrefix(p.Path, path+"/") {
			return true
		}
	}
	return false
}
