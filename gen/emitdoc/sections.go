package emitdoc

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mlmax/mlmax/gen/ir"
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
		d.printf("- runs as a %s job in %s on %s\n", j.Kind, jobImage(j), machine)
		if j.Spot {
			d.printf("- runs on Spot capacity%s\n", waiting(j))
		}
		if j.Isolated {
			d.printf("- has no network\n")
		}
		d.printf("- starts %s in %s%s\n", code(j.Script), d.link(j.CodeDir), pinned(j))
		for _, in := range j.Inputs {
			channel := ""
			if in.Channel != "" {
				channel = " as channel " + code(in.Channel)
			}
			d.printf("- reads %s (%s) from %s%s\n", code(in.Name), cell(in.Artifact), origin(in), channel)
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

// jobImage says which image a job runs in.
func jobImage(j *ir.Job) string {
	image := code(j.Framework + ":" + j.Version)
	switch {
	case j.Pin != "":
		return fmt.Sprintf("the image that %s of model version %s ran in (%s for a version made today)", code(j.PinStep), code(j.Pin), image)
	case j.ImageOf != "":
		return fmt.Sprintf("the image that model version %s was made in (%s for one made today)", code(j.ImageOf), image)
	}
	return "image " + image
}

// pinned says that a job does not run the code of today.
func pinned(j *ir.Job) string {
	if j.Pin == "" {
		return ""
	}
	return fmt.Sprintf(", **as it was when model version %s was made**: its digest is in the version's metadata, and an edit reaches this step with the next version", code(j.Pin))
}

// origin is what an input takes.
func origin(in *ir.Input) string {
	switch {
	case in.Param != "":
		return "parameter " + code(in.Param)
	case in.Version != "" && in.Step == "":
		return "the model of version " + code(in.Version)
	case in.Version != "":
		return "what " + code(in.Step+"."+in.Output) + " was when version " + code(in.Version) + " was made"
	}
	return "output " + code(in.Step+"."+in.Output)
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

// versions are the model versions that the pipeline starts from.
func (d *page) versions() {
	if len(d.Versions) == 0 {
		return
	}
	d.printf("## Model versions\n\n")
	for _, v := range d.Versions {
		d.printf("**%s** is the newest version of model group %s of the environment with status %s that %s registered, or the one that %s asks for, "+
			"which has to have that status, too. Without one the run stops before its first job, and says what to do.\n\n",
			prose(v.Name), code(v.Group), code(v.Status), code(v.Pipeline), code(v.Param))
		if v.Doc != "" {
			d.printf("%s\n\n", prose(v.Doc))
		}
		for _, pin := range v.Pins {
			d.printf("- its code and image of step %s are run; it has to have been made with interface %s of it\n", code(pin.Step), code(pin.Interface[:min(12, len(pin.Interface))]))
		}
		for _, part := range v.Parts {
			d.printf("- its %s (%s) is read\n", code(part.Step+"."+part.Output), cell(part.Artifact))
		}
		if len(v.Pins)+len(v.Parts) > 0 {
			d.printf("\n")
		}
	}
}

// schedule says when the pipeline starts by itself.
func (d *page) schedule() {
	if d.Schedule != "" {
		d.printf("## Schedule\n\n%s, with the defaults of all parameters, in each environment that switches its schedules on. "+
			"The time that a run is for is %s of its input. A start that does not come about is kept in a queue for 14 days.\n\n",
			code(d.Schedule), code(ir.ScheduledTime))
	}
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
	row("Readable besides", func(e *ir.Place) string {
		var all []string
		for _, l := range e.Readable {
			all = append(all, l.String())
		}
		return strings.Join(all, ", ")
	})
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
	row("Notices to", func(e *ir.Place) string { return e.Notify })
	if d.Schedule != "" {
		row("Schedule", func(e *ir.Place) string { return e.Schedule })
		row("Time zone of the schedule", func(e *ir.Place) string { return e.TimeZone })
	}
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
