package images

import (
	"maps"
	"slices"
	"strings"
)

// Regions lists the Regions in which any image exists, of all partitions,
// sorted.
func Regions() []string {
	seen := map[string]bool{}
	for _, accounts := range load().Accounts {
		for region := range accounts {
			seen[region] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// Account is the 12-digit AWS account that owns a framework's images in a
// Region. It is not ok if the framework or the Region is unknown, or the Region
// has no such image.
func Account(framework, region string) (account string, ok bool) {
	account, ok = load().Accounts[framework][region]
	return account, ok
}

// partitions are the beginnings of Region names outside the commercial
// partition, as in botocore's partitions.json.
var partitions = []struct{ prefix, name string }{
	{"cn-", "aws-cn"},
	{"us-gov-", "aws-us-gov"},
	{"us-iso-", "aws-iso"},
	{"us-isob-", "aws-iso-b"},
	{"eu-isoe-", "aws-iso-e"},
	{"us-isof-", "aws-iso-f"},
}

// Partition is the partition of a Region, such as aws, aws-cn or aws-us-gov:
// the second word of every ARN in it. It is not ok if the Region is unknown.
func Partition(region string) (partition string, ok bool) {
	if !slices.Contains(Regions(), region) {
		return "", false
	}
	for _, p := range partitions {
		if strings.HasPrefix(region, p.prefix) {
			return p.name, true
		}
	}
	return "aws", true
}
