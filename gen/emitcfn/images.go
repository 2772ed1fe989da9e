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
		if j.Pin != "" || j.ImageOf != "" { // a version may be of any framework
			frameworks = append(frameworks, allFrameworks()...)
			break
		}
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

// allFrameworks are those of the catalogue.
func allFrameworks() []string {
	var all []string
	for _, name := range images.Names() {
		i, _ := images.Lookup(name)
		all = append(all, i.Framework)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// imageVars are the values of ${<framework>Account} in the resources of a job's role.
func imageVars() map[string]any {
	vars := map[string]any{}
	for _, f := range allFrameworks() {
		vars[f+"Account"] = imageAccount(f)
	}
	return vars
}

func imageAccount(framework string) asl.Object {
	return object("Fn::FindInMap", []any{accountMap, ref("AWS::Region"), framework})
}

// imageURI is a job's image in the Region's registry; the suffix differs between
// partitions.
func imageURI(j *ir.Job) any {
	i := image(j)
	return sub("${Registry}.dkr.ecr.${AWS::Region}.${AWS::URLSuffix}/"+i.Repository+":"+i.Tag,
		map[string]any{"Registry": imageAccount(j.Framework)})
}

func image(j *ir.Job) images.Image {
	i, ok := images.Lookup(j.Framework + ":" + j.Version)
	if !ok {
		panic(fmt.Sprintf("emitcfn: %s has unknown image %s:%s", j.Name, j.Framework, j.Version)) // check refuses it
	}
	return i
}
