package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/local"
	"github.com/mlmax/mlmax/pipeline/record"
	"github.com/mlmax/mlmax/pipeline/terminal"
	"github.com/spf13/cobra"
)

// A modelShown is everything that is known of a version: what "models show --json"
// prints.
type modelShown struct {
	modelLine
	Description string `json:"description,omitempty"`
	// History is each status that it has had, the oldest first.
	History []modelStatus `json:"history"`
	// Model is what was registered, Image that by which it is served.
	Model modelPlace `json:"model"`
	Image string     `json:"image"`
	// Manifest describes the run that registered it.
	Manifest   *modelPlace     `json:"manifest,omitempty"`
	Commit     string          `json:"commit,omitempty"`
	Dirty      bool            `json:"dirty,omitempty"`
	Parameters map[string]any  `json:"parameters"`
	Steps      []modelStep     `json:"steps"`
	Artifacts  []modelArtifact `json:"artifacts"`
}

// A modelStatus is one status of a version.
type modelStatus struct {
	Status string    `json:"status"`
	At     time.Time `json:"at"`
	// By and Note are who gave it, and why; empty for that of the registration.
	By   string `json:"by,omitempty"`
	Note string `json:"note,omitempty"`
}

// A modelPlace is something by the URI that the run knows it by, and where it is on
// this machine.
type modelPlace struct {
	URI  string `json:"uri"`
	Path string `json:"path,omitempty"`
}

// A modelStep is a step that the model was made by.
type modelStep struct {
	Step      string `json:"step"`
	Code      string `json:"code"`
	Image     string `json:"image"`
	Interface string `json:"interface"`
}

// A modelArtifact is what such a step wrote.
type modelArtifact struct {
	Name string `json:"name"`
	modelPlace
}

func (a *app) showCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "show V",
		Short: "Print everything that is known of a version",
		Example: "  " + a.command + " models show latest\n" +
			"  " + a.command + " models show 3 --json",
		Args: a.oneVersion,
		RunE: func(c *cobra.Command, args []string) error {
			h, workspace, m, err := a.openModel(c, args[0])
			if err != nil {
				return err
			}
			defer h.Close()
			if a.account != nil {
				workspace = "" // nothing of it is on this machine
			}
			shown, err := describe(c.Context(), h, workspace, m)
			if err != nil {
				return err
			}
			if asJSON {
				return encode(a.stdout, shown)
			}
			return a.printModel(shown)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	addAWS(c, a.definition, &a.aws)
	return c
}

// describe collects what is known of a version, with where things are in a workspace; empty
// is none.
func describe(ctx context.Context, h history, workspace string, m *record.ModelPackage) (*modelShown, error) {
	decisions, err := h.Approvals(ctx, m.Group, m.Version)
	if err != nil {
		return nil, err
	}
	meta := m.Metadata()
	at := func(uri string) modelPlace {
		if workspace == "" {
			return modelPlace{URI: uri}
		}
		return modelPlace{uri, local.PathOf(workspace, uri)}
	}
	image, data := m.Container()
	s := &modelShown{
		modelLine: lineOf(m), Description: m.Description(), Image: image, Model: at(data),
		History:    []modelStatus{{Status: m.Registered(), At: m.Created.UTC()}},
		Parameters: under(meta, "param."), Steps: []modelStep{}, Artifacts: []modelArtifact{},
	}
	for _, d := range decisions {
		s.History = append(s.History, modelStatus{d.Status, d.At.UTC(), d.Person, d.Note})
	}
	if uri := meta["mlmax.manifest"]; uri != "" {
		place := at(uri)
		s.Manifest = &place
	}
	for _, key := range slices.Sorted(maps.Keys(meta)) {
		if step, ok := strings.CutPrefix(key, "code."); ok {
			s.Steps = append(s.Steps, modelStep{step, meta[key], meta["image."+step], meta["interface."+step]})
		}
		if name, ok := strings.CutPrefix(key, "artifact."); ok {
			s.Artifacts = append(s.Artifacts, modelArtifact{name, at(meta[key])})
		}
	}
	run, err := h.Run(ctx, m.Run)
	if errors.Is(err, record.ErrNotFound) {
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	s.Commit, s.Dirty = run.Commit, run.Dirty
	return s, nil
}

// printModel prints a version for people.
func (a *app) printModel(s *modelShown) error {
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	row := func(cells ...string) {
		for i := range cells {
			cells[i] = terminal.Clean(cells[i])
		}
		fmt.Fprintln(w, "  "+strings.Join(cells, "\t"))
	}
	// A heading ends the columns of what was above it.
	heading := func(text string) { fmt.Fprintf(w, "\n%s\n", text) }
	fmt.Fprintf(w, "version %d of %s, %s\n", s.Version, terminal.Clean(s.Group), terminal.Clean(s.Status))
	row("ARN", s.ARN)
	row("registered by", "run "+s.Run+" of "+s.Pipeline)
	if s.Commit != "" {
		dirty := ""
		if s.Dirty {
			dirty = ", and changes that were not committed"
		}
		row("commit", s.Commit+dirty)
	}
	row("model", s.Model.shown())
	row("image", s.Image)
	if s.Manifest != nil {
		row("manifest", s.Manifest.shown())
	}
	heading("Status")
	for _, h := range s.History {
		who := h.By + ": " + h.Note
		if h.By == "" {
			who = "as it was registered"
		}
		row(local24(h.At), h.Status, who)
	}
	for _, values := range []struct {
		name string
		all  map[string]any
	}{{"Metrics", s.Metrics}, {"Parameters", s.Parameters}} {
		if len(values.all) > 0 {
			heading(values.name)
		}
		for _, name := range slices.Sorted(maps.Keys(values.all)) {
			row(name, fmt.Sprint(values.all[name]))
		}
	}
	if len(s.Steps) > 0 {
		heading("Made by")
	}
	for _, step := range s.Steps {
		row(step.Step, "image "+step.Image, "code "+step.Code)
		row("", "", "interface "+step.Interface)
	}
	if len(s.Artifacts) > 0 {
		heading("Artifacts")
	}
	for _, artifact := range s.Artifacts {
		row(artifact.Name, artifact.shown())
	}
	if s.Status == pipeline.PendingManualApproval {
		heading("Next")
		ref := a.modelRef(s.Group, s.Version)
		row(a.next("models approve "+ref+" --by NAME --note TEXT"), "let pipelines start from it")
		row(a.next("models reject "+ref+" --by NAME --note TEXT"), "let none do so")
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write the version: %w", err)
	}
	return nil
}

// shown is where a person finds it.
func (p modelPlace) shown() string {
	if p.Path != "" {
		return shorten(p.Path)
	}
	return p.URI
}
