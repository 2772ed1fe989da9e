package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/mlmax/mlmax/gen/ir"
	"github.com/spf13/cobra"
)

func (a *app) showCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show [packages]",
		Short: "show what a spec was understood to be",
		Long: `Show prints an outline of each pipeline: parameters, steps in the order of
execution with what feeds each input, model versions, registrations, environments. With --json it
prints an object with the members specs (as written, with positions) and plans
(resolved); specs are there even if there are errors, plans only if there are none.
Their members are those of the types Spec and Plan in package gen/ir.`,
		Example: "  mlmaxgen show ./specs/census\n  mlmaxgen show --json ./specs/census",
		RunE: func(c *cobra.Command, args []string) error {
			r, err := a.generate(c.Context(), args)
			if err != nil {
				return err
			}
			if err := a.text(r.Diagnostics); err != nil {
				return err
			}
			if a.json {
				plans := r.Plans
				if plans == nil {
					plans = []*ir.Plan{}
				}
				err = a.printJSON(members{{"specs", written(r.Specs, a.config().Dir)}, {"plans", plans}})
			} else {
				err = outline(a.stdout, r.Plans)
			}
			if err == nil && r.Diagnostics.Errors() > 0 {
				err = errFound
			}
			return err
		},
	}
}

// outline prints plans for people.
func outline(out io.Writer, plans []*ir.Plan) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	for i, p := range plans {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "pipeline %s (%s.%s)\n", p.Name, p.Package, p.GoName)
		if p.Schedule != "" {
			fmt.Fprintf(w, "  schedule %s\n", p.Schedule)
		}
		if len(p.Parameters) > 0 {
			fmt.Fprintf(w, "  parameters\n")
		}
		for _, q := range p.Parameters {
			fmt.Fprintf(w, "    %s\t%s\t%s\n", q.Key, parameterType(q), parameterBounds(q))
		}
		if len(p.Versions) > 0 {
			fmt.Fprintf(w, "  model versions\n")
		}
		for _, v := range p.Versions {
			outlineVersion(w, v)
		}
		if len(p.Nodes) > 0 {
			fmt.Fprintf(w, "  steps\n")
		}
		for _, n := range p.Nodes {
			switch {
			case n.Job != nil:
				outlineJob(w, p, n.Job)
			case n.Registration != nil:
				outlineRegistration(w, n.Registration)
			}
		}
		if len(p.Environments) > 0 {
			fmt.Fprintf(w, "  environments\n")
		}
		for _, e := range p.Environments {
			fmt.Fprintf(w, "    %s\t%s\ts3://%s/%s\n", e.Name, e.Region, e.Bucket, e.Prefix)
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("printing the outline: %w", err)
	}
	return nil
}

func parameterType(p *ir.Parameter) string {
	if p.Location {
		return p.Artifact
	}
	return string(p.Type)
}

func parameterBounds(p *ir.Parameter) string {
	var parts []string
	if p.Default != nil {
		parts = append(parts, fmt.Sprintf("default %v", p.Default))
	} else {
		parts = append(parts, "no default")
	}
	if p.Local != "" {
		parts = append(parts, "locally "+p.Local)
	}
	if len(p.Enum) > 0 {
		parts = append(parts, "one of "+strings.Join(p.Enum, ", "))
	}
	if p.Min != nil {
		parts = append(parts, fmt.Sprintf("at least %v", *p.Min))
	}
	if p.Max != nil {
		parts = append(parts, fmt.Sprintf("at most %v", *p.Max))
	}
	if p.Pattern != "" {
		parts = append(parts, "matching "+p.Pattern)
	}
	return strings.Join(parts, "; ")
}

func outlineVersion(w io.Writer, v *ir.Version) {
	fmt.Fprintf(w, "    %s\t%s\tnewest %s of group %s, or %s; made by %s of %s\n", v.Name, v.Artifact, v.Status, v.Group, v.Param, v.Step, v.Pipeline)
	for _, part := range v.Parts {
		fmt.Fprintf(w, "      %s.%s\t%s\n", part.Step, part.Output, part.Artifact)
	}
}

func outlineJob(w io.Writer, p *ir.Plan, j *ir.Job) {
	fmt.Fprintf(w, "    %s\t%s\t%s:%s on %d x %s, %s/%s\n", j.Name, j.Kind, j.Framework, j.Version, j.Count, j.Instance, j.CodeDir, j.Script)
	switch {
	case j.Pin != "":
		fmt.Fprintf(w, "      pinned to %s\twith the code and image of its %s\n", j.Pin, j.PinStep)
	case j.ImageOf != "":
		fmt.Fprintf(w, "      image of %s\n", j.ImageOf)
	}
	for _, in := range j.Inputs {
		from := in.Param
		switch {
		case in.Version != "" && in.Step == "":
			from = in.Version
		case in.Version != "":
			from = in.Version + "." + in.Step + "." + in.Output
		case from == "":
			from = in.Step + "." + in.Output
		}
		fmt.Fprintf(w, "      reads %s\t%s\tfrom %s\n", in.Name, in.Artifact, from)
	}
	for _, out := range j.Outputs {
		use := "unused"
		switch {
		case out.Used:
			use = "used"
		case takenLater(p, j, out):
			use = "used with the model's version"
		}
		fmt.Fprintf(w, "      writes %s\t%s\t%s\n", out.Name, out.Artifact, use)
	}
	if len(j.After) > 0 {
		fmt.Fprintf(w, "      after %s\n", strings.Join(slices.Sorted(slices.Values(j.After)), ", "))
	}
}

// takenLater reports whether another pipeline takes an output with a version of the
// model that this one registers.
func takenLater(p *ir.Plan, j *ir.Job, out *ir.Output) bool {
	return slices.ContainsFunc(p.Registrations(), func(r *ir.Registration) bool {
		return slices.ContainsFunc(r.Parts, func(part *ir.Part) bool { return part.Step == j.Name && part.Output == out.Name })
	})
}

func outlineRegistration(w io.Writer, r *ir.Registration) {
	when := "always"
	if r.When != "" {
		when = "when " + r.When
	}
	fmt.Fprintf(w, "    %s\tregister\t%s.%s in group %s as %s, %s\n", r.Name, r.Step, r.Output, r.Group, r.Status, when)
}
