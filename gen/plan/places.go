package plan

import (
	"cmp"
	"slices"

	"github.com/mlmax/mlmax/gen/ir"
)

// places are the environments, each with the instance type of every job there:
// "Training.Train" before "Train" before the step's own.
func (p *planner) places() []*ir.Place {
	var all []*ir.Place
	for _, e := range p.spec.Environments {
		place := &ir.Place{
			Name: e.Name.V, Account: e.Account.V, Region: e.Region.V, Bucket: e.Bucket.V, Prefix: e.Prefix.V,
			KmsKey: e.KmsKey.V, PermissionsBoundary: e.PermissionsBoundary.V,
			Readable: locations(e.Readable), Notify: e.Notify.V,
			Subnets: values(e.Subnets), SecurityGroups: values(e.SecurityGroups),
			LogRetentionDays: or(e.LogRetentionDays.V, 30),
			Doc:              e.Doc,
			Instances:        map[string]string{}, Tags: map[string]string{},
		}
		if p.out.Schedule != "" {
			place.Schedule, place.TimeZone = "DISABLED", or(e.TimeZone.V, "UTC")
			if e.Schedule.V {
				place.Schedule = "ENABLED"
			}
		}
		for _, t := range e.Tags {
			place.Tags[t.Key.V] = t.Value.V
		}
		for _, j := range p.out.Jobs() {
			place.Instances[j.Name] = instance(e, p.pipe.GoName, j)
		}
		all = append(all, place)
	}
	slices.SortFunc(all, func(a, b *ir.Place) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

func instance(e *ir.Environment, pipeline string, j *ir.Job) string {
	chosen := j.Instance
	for _, key := range []string{j.Name, pipeline + "." + j.Name} {
		for _, o := range e.Instances {
			if o.Key.V == key {
				chosen = o.Value.V
			}
		}
	}
	return chosen
}

func locations(list []ir.At[string]) []ir.Location {
	var all []ir.Location
	for _, v := range list {
		l, ok := ir.ParseLocation(v.V)
		if !ok {
			bug("%q is no place in S3", v.V)
		}
		all = append(all, l)
	}
	return all
}

func values(list []ir.At[string]) []string {
	var all []string
	for _, v := range list {
		all = append(all, v.V)
	}
	return all
}
