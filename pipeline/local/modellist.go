package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/record"
)

// describeModelPackage does aws-sdk:sagemaker:describeModelPackage: the request by
// which the version was made, and what has been decided about it since (botocore
// shape DescribeModelPackageOutput; a version has no ModelPackageName).
func (h *handler) describeModelPackage(ctx context.Context, t asl.Task) (json.RawMessage, error) {
	var request struct{ ModelPackageName string }
	if err := ReadRequest(t, &request); err != nil {
		return nil, err
	}
	m, err := h.db.Model(ctx, request.ModelPackageName)
	if errors.Is(err, record.ErrNotFound) {
		if err := h.noVersion(ctx, t.State, request.ModelPackageName); err != nil {
			return nil, err
		}
		return nil, refused(fmt.Sprintf("ModelPackage %s does not exist.", request.ModelPackageName))
	}
	if err != nil {
		return nil, err
	}
	decisions, err := h.db.Approvals(ctx, m.Group, m.Version)
	if err != nil {
		return nil, err
	}
	switch v := h.wantedBy(t.State, m.Group); {
	case v == nil:
	case v.Status != m.Status:
		h.wrongStatus(t.State, v, m)
	default:
		h.mu.Lock()
		h.versions[v.Name] = versionOf(m)
		h.mu.Unlock()
	}
	return described(m, decisions)
}

// described is the answer that describes a version.
func described(m *record.ModelPackage, decisions []record.Approval) (json.RawMessage, error) {
	var all map[string]any
	if err := json.Unmarshal(m.Request, &all); err != nil {
		return nil, fmt.Errorf("read the request of %s: %w", m.ARN, err)
	}
	delete(all, "ClientToken")
	for key, value := range summary(m) {
		all[key] = value
	}
	all["ModelPackageStatusDetails"] = map[string]any{"ValidationStatuses": []any{}, "ImageScanStatuses": []any{}}
	all["CertifyForMarketplace"] = false
	if n := len(decisions); n > 0 {
		all["ApprovalDescription"] = ApprovalDescription(decisions[n-1].Person, decisions[n-1].Note)
		all["LastModifiedTime"] = asl.Timestamp(decisions[n-1].At)
	}
	return json.Marshal(all)
}

// ApprovalDescription is what a version's ApprovalDescription says: who decided, and
// why. On AWS nothing else keeps the person's name.
func ApprovalDescription(person, note string) string { return person + ": " + note }

// summary is what ListModelPackages says of a version (botocore shape
// ModelPackageSummary).
func summary(m *record.ModelPackage) map[string]any {
	all := map[string]any{
		"ModelPackageArn": m.ARN, "ModelPackageGroupName": m.Group, "ModelPackageVersion": m.Version,
		"ModelPackageStatus": "Completed", "ModelApprovalStatus": m.Status, "CreationTime": asl.Timestamp(m.Created),
	}
	if text := m.Description(); text != "" {
		all["ModelPackageDescription"] = text
	}
	return all
}

// listed is how many versions a page has that asks for no number.
const listed = 10

// tokenPrefix starts a NextToken, and the last version of the page ends it: what is
// registered meanwhile moves no version to another page.
const tokenPrefix = "beyond-"

// listModelPackages does aws-sdk:sagemaker:listModelPackages for one group.
func (h *handler) listModelPackages(ctx context.Context, t asl.Task) (json.RawMessage, error) {
	var request struct {
		ModelPackageGroupName, ModelApprovalStatus, SortOrder, NextToken string
		MaxResults                                                       int
	}
	if err := ReadRequest(t, &request); err != nil {
		return nil, err
	}
	group := path.Base(request.ModelPackageGroupName) // a name or an ARN
	if known, err := h.db.HasGroup(ctx, group); err != nil {
		return nil, err
	} else if !known {
		h.noGroup(t.State, group)
		return nil, refused(fmt.Sprintf("ModelPackageGroup arn:aws:sagemaker:%s:%s:model-package-group/%s does not exist.", region, account, group))
	}
	// A version's number orders it both by name and by creation.
	query := record.ModelQuery{
		Group: group, Status: request.ModelApprovalStatus, NewestFirst: request.SortOrder == "Descending", Limit: request.MaxResults,
	}
	if query.Limit == 0 {
		query.Limit = listed
	}
	if request.NextToken != "" {
		last, found := strings.CutPrefix(request.NextToken, tokenPrefix)
		beyond, err := strconv.Atoi(last)
		if !found || err != nil || beyond < 1 {
			return nil, refused("Invalid NextToken")
		}
		query.Beyond = beyond
	}
	page := query.Limit
	query.Limit++ // one more tells whether there is another page
	found, err := h.db.Models(ctx, query)
	if err != nil {
		return nil, err
	}
	list := []any{}
	for i := range found[:min(page, len(found))] {
		list = append(list, summary(&found[i]))
	}
	answer := map[string]any{"ModelPackageSummaryList": list}
	if len(found) > page {
		answer["NextToken"] = tokenPrefix + strconv.Itoa(found[page-1].Version)
	}
	return json.Marshal(answer)
}
