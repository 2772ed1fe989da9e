package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/cloud"
	"github.com/mlmax/mlmax/pipeline/record"
)

// GroupName is the name in an environment of a model group.
func GroupName(environment, group string) string { return environment + "-" + group }

// A described version is what SageMaker says of one (botocore shape
// DescribeModelPackageOutput), as far as it is read here.
type described struct {
	ModelPackageArn, ModelPackageGroupName, ModelPackageStatus string
	ModelPackageVersion                                        int
	ModelApprovalStatus, ApprovalDescription                   string
	ModelPackageDescription                                    string          `json:",omitempty"`
	InferenceSpecification, ModelMetrics                       json.RawMessage `json:",omitempty"`
	CustomerMetadataProperties                                 map[string]string
	CreationTime, LastModifiedTime                             seconds
	LastModifiedBy                                             struct {
		UserProfileName string
		IamIdentity     struct{ Arn string }
	}
}

// seconds is a time as the JSON protocols write it: seconds since 1970.
type seconds float64

func (s seconds) time() time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.UnixMicro(int64(float64(s) * 1e6)).UTC()
}

// registry reads the versions of groups. A group that does not exist has none.
func registry(ctx context.Context, p *cloud.Place, groups []string) ([]record.ModelPackage, []record.Approval, error) {
	var arns []string
	for _, group := range groups {
		some, err := p.ModelVersions(ctx, group)
		if err != nil {
			return nil, nil, err
		}
		arns = append(arns, some...)
	}
	all := make([]described, len(arns))
	err := parallel(ctx, len(arns), func(ctx context.Context, i int) error {
		d, err := describe(ctx, p, arns[i])
		if err == nil {
			all[i] = *d
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	var models []record.ModelPackage
	var decisions []record.Approval
	for i := range all {
		m, err := all[i].version()
		if err != nil {
			return nil, nil, err
		}
		models = append(models, m)
		if a := all[i].decision(); a != nil {
			decisions = append(decisions, *a)
		}
	}
	slices.SortStableFunc(decisions, func(a, b record.Approval) int { return a.At.Compare(b.At) })
	return models, decisions, nil
}

func describe(ctx context.Context, p *cloud.Place, arn string) (*described, error) {
	var d described
	err := p.SageMaker(ctx, "DescribeModelPackage", map[string]string{"ModelPackageName": arn}, &d)
	if err != nil {
		return nil, p.Explain(err, "describing the model version "+arn)
	}
	if d.ModelPackageArn == "" {
		d.ModelPackageArn = arn
	}
	if d.ModelPackageGroupName == "" {
		d.ModelPackageGroupName = path.Base(path.Dir(arn))
	}
	if d.ModelPackageVersion == 0 {
		if d.ModelPackageVersion, err = strconv.Atoi(path.Base(arn)); err != nil {
			return nil, fmt.Errorf("%s is the ARN of no version in a group", arn)
		}
	}
	return &d, nil
}

// version is a version as the record has it: what it was registered with is told apart
// from what was decided since.
func (d *described) version() (record.ModelPackage, error) {
	registered := *d
	registered.ApprovalDescription, registered.ModelPackageStatus = "", ""
	if d.decision() != nil {
		registered.ModelApprovalStatus = pipeline.PendingManualApproval
	}
	request, err := json.Marshal(registered)
	if err != nil {
		return record.ModelPackage{}, fmt.Errorf("keep what is known of %s: %w", d.ModelPackageArn, err)
	}
	return record.ModelPackage{
		Group: d.ModelPackageGroupName, Version: d.ModelPackageVersion, ARN: d.ModelPackageArn, Status: d.ModelApprovalStatus, Run: d.CustomerMetadataProperties["mlmax.run"],
		Request: request, Created: d.CreationTime.time(),
	}, nil
}

// decision is the last one about a version, which is the only one that the service keeps:
// nil if nobody has decided.
func (d *described) decision() *record.Approval {
	if d.ApprovalDescription == "" && (d.LastModifiedTime == 0 || d.ModelApprovalStatus == pipeline.PendingManualApproval) {
		return nil
	}
	a := &record.Approval{Group: d.ModelPackageGroupName, Version: d.ModelPackageVersion, Status: d.ModelApprovalStatus, At: d.LastModifiedTime.time()}
	if a.At.IsZero() {
		a.At = d.CreationTime.time()
	}
	by, why, ours := strings.Cut(d.ApprovalDescription, ": ")
	switch {
	case ours:
		a.Person, a.Note = by, why
	default: // it was made elsewhere, such as on the console
		a.Person, a.Note = d.LastModifiedBy.UserProfileName, d.ApprovalDescription
		if a.Person == "" {
			a.Person = path.Base(d.LastModifiedBy.IamIdentity.Arn)
		}
		if a.Person == "." {
			a.Person = "somebody"
		}
		if a.Note == "" {
			a.Note = "no reason was given"
		}
	}
	return a
}
