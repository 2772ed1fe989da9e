package cli

import (
	"fmt"
	"io"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/spf13/cobra"
)

// A graphJSON is what "graph --json" prints.
type graphJSON struct {
	Pipeline      string              `json:"pipeline"`
	Mermaid       string              `json:"mermaid"`
	Steps         []graphStep         `json:"steps"`
	Registrations []graphRegistration `json:"registrations"`
}

type graphStep struct {
	Name    string        `json:"name"`
	Kind    string        `json:"kind"`
	Image   string        `json:"image"`
	Outputs []graphOutput `json:"outputs"`
}

type graphOutput struct {
	Name     string `json:"name"`
	Artifact string `json:"artifact"`
}

type graphRegistration struct {
	Name  string `json:"name"`
	Group string `json:"group"`
	When  string `json:"when,omitempty"`
}

func (a *app) graphCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "graph",
		Short: "Print the pipeline as a Mermaid graph",
		Example: "  " + a.command + " graph\n" +
			"  " + a.command + " graph --json",
		Args: a.noArguments,
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				return encode(a.stdout, graphOf(a.definition))
			}
			if _, err := io.WriteString(a.stdout, a.definition.Graph); err != nil {
				return fmt.Errorf("write the graph: %w", err)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print steps and graph as one JSON object")
	return c
}

func graphOf(d *pipeline.Definition) graphJSON {
	g := graphJSON{Pipeline: d.Name, Mermaid: d.Graph, Steps: []graphStep{}, Registrations: []graphRegistration{}}
	for _, j := range d.Jobs {
		step := graphStep{Name: j.Name, Kind: j.Kind, Image: j.Image, Outputs: []graphOutput{}}
		for _, o := range j.Outputs {
			step.Outputs = append(step.Outputs, graphOutput{o.Name, o.Artifact})
		}
		g.Steps = append(g.Steps, step)
	}
	for _, r := range d.Registrations {
		g.Registrations = append(g.Registrations, graphRegistration{r.Name, r.Group, r.When})
	}
	return g
}
