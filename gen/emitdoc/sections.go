package emitdoc

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/pipeline/asl"
)

func (d *page) steps() {
	d.printf("## Steps\n\n")
	for _, j := range d.Jobs() {
		d.printf("### %s\n\n", prose(j.Name))
		if j.Doc != "" {
			d.printf("%s\n\n", prose(j.Doc))
		}
		machine := fmt.Sprintf("%d x %s, %d GB", j.Count, code(j.Instance), j.VolumeGB)
		if j.TimeoutSeconds > 0 {
			machine += ", at most " + span(j.TimeoutSeconds)
		}
		d.printf("- runs as a %s job in image %s on %s\n", j.Kind, code(j.Framework+":"+j.Version), machine)
		if j.Spot {
			d.printf("- runs on Spot capacity%s\n", waiting(j))
		}
		if j.Isolated {
			d.printf("- has no network\n")
		}
		d.printf("- starts %s in %s\n", code(j.Script), d.link(j.CodeDir))
		for _, in := range j.Inputs {
			from := "output " + code(in.Step+"."+in.Output)
			if in.Param != "" {
				from = "parameter " + code(in.Param)
			}
			channel := ""
			if in.Channel != "" {
				channel = " as channel " + code(in.Channel)
			}
			d.printf("- reads %s (%s) from %s%s\n", code(in.Name), cell(in.Artifact), from, channel)
		}
		for _, o := range j.Outputs {
			d.printf("- writes %s (%s)%s\n", code(o.Name), cell(o.Artifact), written(o))
		}
		if len(j.After) > 0 {
			d.printf("- starts after %s\n", strings.Join(j.After, ", "))
		}
		d.printf("\n")
	}
}

func waiting(j *ir.Job) string {
	if j.MaxWaitSeconds == 0 {
		return ""
	}
	return ", waiting included at most " + span(j.MaxWaitSeconds)
}

func written(o *ir.Output) string {
	switch {
	case o.Model:
		return ", packed as `model.tar.gz`"
	case o.FileName != "":
		return ", file " + code(o.FileName)
	}
	return ""
}

func (d *page) registrations() {
	all := d.Registrations()
	if len(all) == 0 {
		return
	}
	d.printf("## Models\n\n")
	for _, r := range all {
		d.printf("**%s** adds a version of `%s.%s` to the model group %s of the environment, with status %s",
			prose(r.Name), r.Step, r.Output, code(r.Group), code(r.Status))
		if r.When != "" {
			d.printf(", when\n\n```\n%s\n```\n\nA run for which that is false succeeds all the same, and says that nothing was registered and why.\n\n",
				strings.ReplaceAll(r.When, "```", "'''"))
		} else {
			d.printf(", after every run that gets there.\n\n")
		}
		if r.Doc != "" {
			d.printf("%s\n\n", prose(r.Doc))
		}
	}
}

// machine lists the states, for those who read the state machine or its history.
func (d *page) machine(m *asl.Machine) {
	if m == nil {
		return
	}
	d.printf("## State machine\n\nIn [%[1]s/%[1]s.asl.json](%[1]s/%[1]s.asl.json), in the order in which they run:\n\n", d.Dir)
	var rows [][]string
	for _, s := range m.States {
		what := s.Comment
		if s.Resource != "" {
			what = strings.TrimSpace(code(s.Resource) + " " + cell(what))
		} else {
			what = cell(what)
		}
		rows = append(rows, []string{code(s.Name), s.Type, what})
	}
	d.table([]string{"State", "Type", "What it does"}, rows)
}

// environments is a table of what differs between places: a row for every
// setting that any of them has.
func (d *page) environments() {
	if len(d.Environments) == 0 {
		d.printf("## Environments\n\nNone is declared: the pipeline runs on this machine only.\n\n")
		return
	}
	d.printf("## Environments\n\nWhat differs between them; everything else is the same, byte for byte.\n\n")
	head := []string{"Setting"}
	for _, e := range d.Environments {
		head = append(head, code(e.Name))
	}
	var rows [][]string
	row := func(name string, value func(*ir.Place) string) {
		cells := []string{name}
		for _, e := range d.Environments {
			cells = append(cells, code(value(e)))
		}
		if slices.ContainsFunc(cells[1:], func(s string) bool { return s != "" }) {
			rows = append(rows, cells)
		}
	}
	row("Account", func(e *ir.Place) string { return e.Account })
	row("Region", func(e *ir.Place) string { return e.Region })
	row("Bucket", func(e *ir.Place) string { return e.Bucket })
	row("Prefix", func(e *ir.Place) string { return e.Prefix })
	row("KMS key", func(e *ir.Place) string { return e.KmsKey })
	row("Subnets", func(e *ir.Place) string { return strings.Join(e.Subnets, ", ") })
	row("Security groups", func(e *ir.Place) string { return strings.Join(e.SecurityGroups, ", ") })
	row("Permissions boundary", func(e *ir.Place) string { return e.PermissionsBoundary })
	row("Log kept, days", func(e *ir.Place) string {
		if e.LogRetentionDays == 0 {
			return ""
		}
		return strconv.Itoa(e.LogRetentionDays)
	})
	for _, j := range d.Jobs() {
		row("Instance of "+prose(j.Name), func(e *ir.Place) string { return e.Instances[j.Name] })
	}
	row("Tags", func(e *ir.Place) string { return pairs(e.Tags) })
	d.table(head, rows)
}

// pairs is a map as sorted text.
func pairs(m map[string]string) string {
	var all []string
	for k, v := range m {
		all = append(all, k+"="+v)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}
