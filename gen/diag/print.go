package diag

import (
	"bufio"
	"encoding/json"
	"fmt"
	"go/token"
	"io"
	"path/filepath"
	"strings"
)

// DefaultMax is how many diagnostics are printed before the rest is only
// counted.
const DefaultMax = 50

// Config says how a list is printed.
type Config struct {
	// Dir is the folder that paths are relative to; empty leaves them absolute.
	Dir string
	// Max caps the diagnostics printed as text; 0 means DefaultMax. JSON is
	// never capped.
	Max int
}

// Print writes the list as text, one diagnostic after the other:
//
//	specs/churn/churn.go:14:42: MLX012: step "eval" runs after unknown step "trian"
//		hint: did you mean "train"?
//		specs/churn/churn.go:12:2: steps declared here: train, prep
//
// Past the cap it writes how many there are in all. A very long message is
// shortened in its middle.
func (l List) Print(w io.Writer, c Config) error {
	limit := c.Max
	if limit <= 0 {
		limit = DefaultMax
	}
	out := bufio.NewWriter(w)
	for i, d := range l {
		if i == limit {
			fmt.Fprintf(out, "and %d more; %d in all\n", len(l)-limit, len(l))
			break
		}
		severity := ""
		if d.Severity == Warning {
			severity = "warning: "
		}
		fmt.Fprintf(out, "%s: %s: %s%s\n", c.where(d.Pos), d.Code, severity, cut(d.Message))
		if d.Hint != "" {
			fmt.Fprintf(out, "\thint: %s\n", d.Hint)
		}
		for _, r := range d.Related {
			fmt.Fprintf(out, "\t%s: %s\n", c.where(r.Pos), r.Message)
		}
	}
	return out.Flush()
}

// longest is how many bytes of a message are printed: the user's own text may stand
// in it, whatever its length.
const longest = 1000

// cut shortens what nobody reads to its end.
func cut(message string) string {
	if len(message) <= longest {
		return message
	}
	return strings.ToValidUTF8(message[:longest*3/4], "") + " … " + strings.ToValidUTF8(message[len(message)-longest/4:], "")
}

// JSON writes the list as one array of objects with the members file, line,
// column, endLine, endColumn, code, severity, message, hint and related.
func (l List) JSON(w io.Writer, c Config) error {
	all := make([]jsonDiagnostic, 0, len(l))
	for _, d := range l {
		j := jsonDiagnostic{
			jsonPlace: c.place(d.Pos),
			EndLine:   d.End.Line,
			EndColumn: d.End.Column,
			Code:      string(d.Code),
			Severity:  d.Severity.String(),
			Message:   d.Message,
			Hint:      d.Hint,
		}
		for _, r := range d.Related {
			j.Related = append(j.Related, jsonRelated{c.place(r.Pos), r.Message})
		}
		all = append(all, j)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(all)
}

type jsonPlace struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

type jsonDiagnostic struct {
	jsonPlace
	EndLine   int           `json:"endLine,omitempty"`
	EndColumn int           `json:"endColumn,omitempty"`
	Code      string        `json:"code"`
	Severity  string        `json:"severity"`
	Message   string        `json:"message"`
	Hint      string        `json:"hint,omitempty"`
	Related   []jsonRelated `json:"related,omitempty"`
}

type jsonRelated struct {
	jsonPlace
	Message string `json:"message"`
}

func (c Config) place(p token.Position) jsonPlace {
	return jsonPlace{c.file(p.Filename), p.Line, p.Column}
}

func (c Config) where(p token.Position) string {
	p.Filename = c.file(p.Filename)
	if p.Filename == "" && p.Line == 0 {
		return "mlmaxgen"
	}
	return p.String()
}

// file is the path relative to the configured folder, if it lies below it, with
// forward slashes.
func (c Config) file(name string) string {
	if c.Dir == "" || !filepath.IsAbs(name) {
		return filepath.ToSlash(name)
	}
	rel, err := filepath.Rel(c.Dir, name)
	if err != nil || strings.HasPrefix(rel, ".."+string(filepath.Separator)+"..") {
		return filepath.ToSlash(name)
	}
	return filepath.ToSlash(rel)
}
