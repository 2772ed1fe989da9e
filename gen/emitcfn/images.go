package emitcfn

import (
	"fmt"
	"slices"

	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/images"
)

// accountMap maps a Region to the account that owns a framework's images there.
const accountMap = "ImageAccounts"

func mappings(p *ir.Plan) asl.Object {
	var frameworks []string
	for _, j := range p.Jobs() {
		frameworks = append(frameworks, j.Framework)
	}
	slices.Sort(frameworks)
	frameworks = slices.Compact(frameworks)
	var regions asl.Object
	for _, region := range images.Regions() {
		if partition, _ := images.Partition(region); partition != p.Partition {
			continue
		}
		var accounts asl.Object
		for _, f := range frameworks {
			if account, ok := images.Account(f, region); ok {
				accounts = append(accounts, asl.Member{Key: f, Value: account})
			}
		}
		if accounts != nil {
			regions = append(regions, asl.Member{Key: region, Value: accounts})
		}
	}
	return object(accountMap, regions)
}

// imageVars are the values of ${<ImageName>Account} and ${<ImageName>Repository} in
// the resources of a job's role.
func imageVars(j *ir.Job) map[string]any {
	return map[string]any{
		j.ImageName + "Account":    imageAccount(j),
		j.ImageName + "Repository": image(j).Repository,
	}
}

func imageAccount(j *ir.Job) asl.Object {
	return object("Fn::FindInMap", []any{accountMap, ref("AWS::Region"), j.Framework})
}

// imageURI is a job's image in the Region's registry; the suffix differs between
// partitions.
func imageURI(j *ir.Job) any {
	i := image(j)
	return sub("${Registry}.dkr.ecr.${AWS::Region}.${AWS::URLSuffix}/"+i.Repository+":"+i.Tag,
		map[string]any{"Registry": imageAccount(j)})
}

func image(j *ir.Job) images.Image {
	i, ok := images.Lookup(j.Framework + ":" + j.Version)
	if !ok {
		panic(fmt.Sprintf("emitcfn: %s has unknown image %s:%s", j.Name, j.Framework, j.Version)) // check refuses it
	}
	return i
}
