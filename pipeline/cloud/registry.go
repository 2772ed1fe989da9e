package cloud

import (
	"context"
	"strings"
)

// ModelVersions are the ARNs of the versions in a model group; none where there is no such
// group.
func (p *Place) ModelVersions(ctx context.Context, group string) ([]string, error) {
	var arns []string
	in := map[string]any{"ModelPackageGroupName": group, "ModelPackageType": "Versioned", "MaxResults": 100}
	for {
		var page struct {
			ModelPackageSummaryList []struct{ ModelPackageArn string }
			NextToken               string
		}
		err := p.SageMaker(ctx, "ListModelPackages", in, &page)
		if IsNoGroup(err) {
			return nil, nil
		}
		if err != nil {
			return nil, p.Explain(err, "listing the versions of model group "+group)
		}
		for _, one := range page.ModelPackageSummaryList {
			arns = append(arns, one.ModelPackageArn)
		}
		if page.NextToken == "" {
			return arns, nil
		}
		in["NextToken"] = page.NextToken
	}
}

// IsNoGroup recognizes SageMaker's answer for a model group, or a version, that is not
// there: it has no code of its own.
func IsNoGroup(err error) bool {
	return HasCode(err, "ResourceNotFound") || HasCode(err, "ValidationException") && strings.Contains(err.Error(), "does not exist")
}
