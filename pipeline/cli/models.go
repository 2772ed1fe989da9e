package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/mlmax/mlmax/pipeline/record"
	"github.com/mlmax/mlmax/pipeline/terminal"
	"github.com/spf13/cobra"
)

// A registry is what is known of model versions.
type registry interface {
	Groups(ctx context.Context) ([]string, error)
	Models(ctx context.Context, q record.ModelQuery) ([]record.ModelPackage, error)
	Model(ctx context.Context, arn string) (*record.ModelPackage, error)
	ModelVersion(ctx context.Context, group string, version int) (*record.ModelPackage, error)
	NewestModel(ctx context.Context, group, status string) (*record.ModelPackage, error)
	Approvals(ctx context.Context, group string, version int) ([]record.Approval, error)
	Decide(ctx context.Context, a record.Approval) (before string, err error)
	// SaveManifest keeps what is known of a run, and of what it registered, beside the
	// record.
	SaveManifest(ctx context.Context, run string) error
}

// A modelLine is one version in "models --json".
type modelLine struct {
	Group    string         `json:"group"`
	Version  int            `json:"version"`
	Status   string         `json:"status"`
	ARN      string         `json:"arn"`
	Created  time.Time      `json:"created"`
	Run      string         `json:"run"`
	Pipeline string         `json:"pipeline,omitempty"`
	Metrics  map[string]any `json:"metrics"`
}

func lineOf(m *record.ModelPackage) modelLine {
	meta := m.Metadata()
	return modelLine{
		Group: m.Group, Version: m.Version, Status: m.Status, ARN: m.ARN, Created: m.Created.UTC(), Run: m.Run,
		Pipeline: meta["mlmax.pipeline"], Metrics: under(meta, "metric."),
	}
}

// under are the metadata whose keys start with a prefix, without it. What is written
// as a number or a truth value is one.
func under(meta map[string]string, prefix string) map[string]any {
	all := map[string]any{}
	for key, text := range meta {
		name, ok := strings.CutPrefix(key, prefix)
		if !ok {
			continue
		}
		all[name] = text
		var v any
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&v); err == nil && !d.More() {
			switch v.(type) {
			case json.Number, bool:
				all[name] = v
			}
		}
	}
	return all
}

func (a *app) modelsCommand() *cobra.Command {
	var asJSON, all bool
	var limit int
	c := &cobra.Command{
		Use:   "models",
		Short: "List, show, approve and reject model versions",
		Long: `Models lists the versions of the model groups that this pipeline registers to or
starts from, the newest first. A version is V in the commands below: its number,
GROUP/NUMBER, its ARN, or "latest".

Exit codes: 0 done, 1 there is no such version, 2 the command line is wrong, or
something else is in the way.`,
		Example: "  " + a.command + " models\n" +
			"  " + a.command + " models show latest\n" +
			"  " + a.command + ` models approve 3 --by "Ada L." --note "better on the held-out year"`,
		Args: a.noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			h, _, err := a.known(c.Context(), "")
			if none := (*noRecordError)(nil); errors.As(err, &none) {
				return a.printModels(nil, asJSON, all)
			}
			if err != nil {
				return err
			}
			defer h.Close()
			found, err := a.models(c.Context(), h, all, limit)
			if err != nil {
				return fmt.Errorf("list the models: %w", err)
			}
			return a.printModels(found, asJSON, all)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print an array of JSON objects")
	c.Flags().BoolVar(&all, "all", false, "list the other groups of the workspace or environment, too")
	c.Flags().IntVar(&limit, "limit", 20, "`NUMBER` of versions of a group at most; 0 is all")
	addAWS(c, a.definition, &a.aws)
	c.AddCommand(a.showCommand(), a.decideCommand(approving), a.decideCommand(rejecting))
	return c
}

// models finds the versions of the pipeline's groups, or of all that there are.
func (a *app) models(ctx context.Context, h registry, all bool, limit int) ([]record.ModelPackage, error) {
	groups := a.groups()
	if all {
		known, err := h.Groups(ctx)
		if err != nil {
			return nil, err
		}
		groups = known
	}
	var found []record.ModelPackage
	for _, group := range groups {
		some, err := h.Models(ctx, record.ModelQuery{Group: group, NewestFirst: true, Limit: limit})
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
	}
	return found, nil
}

// groups are the model groups of this pipeline, as the place where the history is names
// them.
func (a *app) groups() []string {
	groups := a.definition.Groups()
	for i, group := range groups {
		groups[i] = a.groupName(group)
	}
	return groups
}

// printModels prints versions as a table or as JSON.
func (a *app) printModels(found []record.ModelPackage, asJSON, all bool) error {
	if asJSON {
		lines := []modelLine{}
		for i := range found {
			lines = append(lines, lineOf(&found[i]))
		}
		return encode(a.stdout, lines)
	}
	if len(found) == 0 {
		a.noModels(all)
		return nil
	}
	several := slices.ContainsFunc(found, func(m record.ModelPackage) bool { return m.Group != found[0].Group })
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	heads := []string{"VERSION", "STATUS", "CREATED", "RUN", "METRICS"}
	if several || all {
		heads = append([]string{"GROUP"}, heads...)
	}
	fmt.Fprintln(w, strings.Join(heads, "\t"))
	for i := range found {
		m := &found[i]
		cells := []string{strconv.Itoa(m.Version), m.Status, local24(m.Created), m.Run, a.shortMetrics(m)}
		if several || all {
			cells = append([]string{m.Group}, cells...)
		}
		for i := range cells {
			cells[i] = terminal.Clean(cells[i])
		}
		fmt.Fprintln(w, strings.TrimRight(strings.Join(cells, "\t"), "\t"))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write the list: %w", err)
	}
	return nil
}

// local24 is a time for the reader, where they are.
func local24(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }

// noModels says why there is nothing to list, and what makes it different.
func (a *app) noModels(all bool) {
	switch groups := a.groups(); {
	case all:
		fmt.Fprintf(a.stderr, "no model has been registered in %s\n", a.where())
	case len(groups) == 0:
		fmt.Fprintf(a.stderr, "%s registers no model and starts from none; see %s\n", a.definition.Name, a.next("models --all"))
	default:
		fmt.Fprintf(a.stderr, "%s has no version here; train first: %s\n", strings.Join(groups, ", "), a.trainer())
	}
}

// trainer is the command that registers versions for this pipeline.
func (a *app) trainer() string {
	v := a.definition.Versions
	if len(v) == 0 {
		return a.next("")
	}
	other := commandOf(a.definition, a.command, v[0].Command)
	if a.aws.env != "" {
		return a.aws.next(other, "run")
	}
	return other + inWorkspace(a.workspace)
}

// operand finds the names in a condition.
var operand = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`[\pL_][\pL\pN_.]*`)
})

// shortMetrics are those metrics of a version that decided over its registration, or
// all if none did, by the last word of their names.
func (a *app) shortMetrics(m *record.ModelPackage) string {
	metrics := under(m.Metadata(), "metric.")
	for _, r := range a.definition.Registrations {
		if a.groupName(r.Group) != m.Group {
			continue
		}
		gate := map[string]any{}
		for _, name := range operand().FindAllString(r.When, -1) {
			if v, ok := metrics[name]; ok {
				gate[name] = v
			}
		}
		if len(gate) > 0 {
			metrics = gate
		}
	}
	last := func(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }
	seen := map[string]int{}
	for name := range metrics {
		seen[last(name)]++
	}
	var shown []string
	for _, name := range slices.Sorted(maps.Keys(metrics)) {
		label := last(name)
		if seen[label] > 1 {
			label = name
		}
		shown = append(shown, fmt.Sprintf("%s %v", label, metrics[name]))
	}
	return strings.Join(shown, ", ")
}
