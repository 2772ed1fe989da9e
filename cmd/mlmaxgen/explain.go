package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/tag"
	"github.com/spf13/cobra"
)

func (a *app) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain [CODE | tags | KEY | PERMISSION [packages]]",
		Short: "explain a diagnostic, the tags, or why a role may do something",
		Long: `Explain prints what a diagnostic's code means, with an example. Without an argument
it lists the codes. "tags" prints every tag key by the field that takes it; the
name of a key prints that one. A permission such as sagemaker:CreateTrainingJob
prints, for the pipelines of the packages (default ./...), each role that has it,
on which resources, and why; it may end in *.`,
		Example: `  mlmaxgen explain MLX020
  mlmaxgen explain tags
  mlmaxgen explain instance
  mlmaxgen explain sagemaker:CreateTrainingJob ./specs/census`,
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return a.explainCodes()
			case strings.Contains(args[0], ":"):
				return a.explainPermission(c.Context(), args[0], args[1:])
			case len(args) > 1:
				return errors.New("explain takes one word; packages follow only a permission")
			case args[0] == "tags":
				return a.explainTags()
			}
			return a.explainWord(args[0])
		},
	}
}

// explainCodes lists the codes, one a line.
func (a *app) explainCodes() error {
	all := diag.Explanations()
	if a.json {
		list := make([]jsonCode, 0, len(all))
		for _, e := range all {
			list = append(list, codeJSON(e))
		}
		return a.printJSON(list)
	}
	for _, e := range all {
		summary, warning := strings.CutSuffix(e.Summary, ". A warning.")
		if warning {
			summary += " (warning)"
		}
		fmt.Fprintf(a.stdout, "%s  %s\n", e.Code, strings.TrimSuffix(summary, "."))
	}
	return nil
}

// explainCode prints all that there is to say about one code.
func (a *app) explainCode(e diag.Explanation) error {
	if a.json {
		return a.printJSON(codeJSON(e))
	}
	fmt.Fprintf(a.stdout, "%s %s: %s\n", e.Code, e.Name, e.Summary)
	if e.Text != "" {
		fmt.Fprintf(a.stdout, "\n%s\n", e.Text)
	}
	if e.Example != "" {
		fmt.Fprintf(a.stdout, "\nExample:\n\n%s", indent(e.Example, "\t"))
	}
	return nil
}

type jsonCode struct {
	Code    string `json:"code"`
	Name    string `json:"name"`
	Summary string `json:"summary"`
	Text    string `json:"text,omitempty"`
	Example string `json:"example,omitempty"`
}

func codeJSON(e diag.Explanation) jsonCode {
	return jsonCode{string(e.Code), e.Name, e.Summary, e.Text, e.Example}
}

// explainWord explains a code or a tag key.
func (a *app) explainWord(word string) error {
	known := []string{"tags"}
	for _, e := range diag.Explanations() {
		if strings.EqualFold(string(e.Code), word) || strings.EqualFold(e.Name, word) {
			return a.explainCode(e)
		}
		known = append(known, string(e.Code))
	}
	for _, d := range tag.Directives() {
		for _, k := range d.Keys {
			if k.Name == word {
				return a.explainKey(word)
			}
			known = append(known, k.Name)
		}
	}
	hint := "mlmaxgen explain lists the codes, mlmaxgen explain tags the keys"
	if near := diag.Nearest(word, known); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	return fmt.Errorf("%q is neither a code nor a tag key nor a permission; %s", word, hint)
}
