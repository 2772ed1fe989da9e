package delta

import (
	"cmp"
	"slices"

	"github.com/mlmax/mlmax/pipeline/price"
)

// ceiling is what one run costs at most: each step once, on all its instances, up to its
// time limit, at on-demand prices. Without any price it is nil, and the types that have
// none come beside it.
func ceiling(jobs []*job, region string) (*Cost, []string) {
	cost := &Cost{Date: price.Date(), Region: region}
	priced := false
	for _, j := range jobs {
		dollars, ok := price.Job(price.Use{
			Region: region, Instance: j.instance, Count: max(j.count, 1), VolumeGB: j.volumeGB, Seconds: j.seconds,
		})
		if !ok {
			name := cmp.Or(j.instance, "an instance type that cannot be read")
			if !slices.Contains(cost.Unknown, name) {
				cost.Unknown = append(cost.Unknown, name)
			}
			continue
		}
		priced = true
		cost.Dollars += dollars
	}
	slices.Sort(cost.Unknown)
	if !priced {
		return nil, cost.Unknown
	}
	cost.Dollars = price.Round(cost.Dollars)
	return cost, nil
}
