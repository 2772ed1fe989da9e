package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/local/failpoint"
	"github.com/mlmax/mlmax/pipeline/local/objects"
	"github.com/mlmax/mlmax/pipeline/record"
)

// sdkRefused is how an SDK integration names what SageMaker's model does not name.
const sdkRefused = "SageMaker.SageMakerException"

// createModelPackage does aws-sdk:sagemaker:createModelPackage, for versions in a
// group. A group that is not there is made: on AWS the template makes it.
func (h *handler) createModelPackage(ctx context.Context, t asl.Task) (json.RawMessage, error) {
	var request struct {
		ModelPackageGroupName, ModelApprovalStatus, ClientToken string
		InferenceSpecification                                  struct {
			Containers []struct{ ModelDataUrl string }
		}
		ModelMetrics map[string]map[string]struct{ S3Uri string }
	}
	if err := decode(t.Arguments, createModelPackageRequest, sdkRefused, &request); err != nil {
		return nil, err
	}
	var needed []string
	for _, c := range request.InferenceSpecification.Containers {
		needed = append(needed, c.ModelDataUrl)
	}
	for _, kind := range sortedKeys(request.ModelMetrics) {
		for _, part := range sortedKeys(request.ModelMetrics[kind]) {
			needed = append(needed, request.ModelMetrics[kind][part].S3Uri)
		}
	}
	for _, uri := range needed {
		if err := h.exists(ctx, uri); err != nil {
			return nil, err
		}
	}
	status := request.ModelApprovalStatus
	if status == "" {
		status = "PendingManualApproval"
	}
	group := path.Base(request.ModelPackageGroupName) // a name or an ARN
	m, err := h.db.AddModel(ctx, record.ModelPackage{
		Group: group, Status: status, Token: request.ClientToken, Run: h.id, Request: t.Arguments, Created: h.clock.Now(),
	}, func(version int) string {
		return "arn:aws:sagemaker:" + region + ":" + account + ":model-package/" + group + "/" + strconv.Itoa(version)
	})
	if errors.Is(err, record.ErrTokenReused) {
		return nil, asl.Fail("SageMaker.ConflictException", "The client token was used with other parameters")
	}
	if err != nil {
		return nil, h.store.Explain(err, 0, "registering the model")
	}
	failpoint.Hit(failpoint.ModelRegistered)
	return json.Marshal(map[string]any{"ModelPackageArn": m.ARN})
}

// exists refuses a registration that names an object which is not there.
func (h *handler) exists(ctx context.Context, uri string) error {
	if uri == "" {
		return nil
	}
	bucket, key, err := objects.Parse(uri)
	if err == nil {
		_, err = h.store.Stat(ctx, bucket, key)
	}
	if errors.Is(err, record.ErrNotFound) {
		return asl.Fail(sdkRefused, fmt.Sprintf("Could not find %s (Service: SageMaker, Status Code: 400)", uri))
	}
	return err
}

// describeModelPackage does aws-sdk:sagemaker:describeModelPackage.
func (h *handler) describeModelPackage(ctx context.Context, t asl.Task) (json.RawMessage, error) {
	var request struct{ ModelPackageName string }
	if err := decode(t.Arguments, describeModelPackageRequest, sdkRefused, &request); err != nil {
		return nil, err
	}
	m, err := h.db.Model(ctx, request.ModelPackageName)
	if errors.Is(err, record.ErrNotFound) {
		return nil, asl.Fail(sdkRefused, fmt.Sprintf("ModelPackage %s does not exist. (Service: SageMaker, Status Code: 400)", request.ModelPackageName))
	}
	if err != nil {
		return nil, err
	}
	var described map[string]any
	if err := json.Unmarshal(m.Request, &described); err != nil {
		return nil, fmt.Errorf("read the request of %s: %w", m.ARN, err)
	}
	delete(described, "ClientToken")
	for key, value := range summary(m) {
		described[key] = value
	}
	described["ModelPackageStatusDetails"] = map[string]any{"ValidationStatuses": []any{}}
	return json.Marshal(described)
}

// summary is what ListModelPackages says of a version.
func summary(m *record.ModelPackage) map[string]any {
	return map[string]any{
		"ModelPackageArn": m.ARN, "ModelPackageGroupName": m.Group, "ModelPackageVersion": m.Version,
		"ModelPackageStatus": "Completed", "ModelApprovalStatus": m.Status, "CreationTime": asl.Timestamp(m.Created),
	}
}

// listModelPackages does aws-sdk:sagemaker:listModelPackages for one group.
func (h *handler) listModelPackages(ctx context.Context, t asl.Task) (json.RawMessage, error) {
	var request struct {
		ModelPackageGroupName, ModelApprovalStatus, SortBy, SortOrder, NextToken string
		MaxResults                                                               int
	}
	if err := decode(t.Arguments, listModelPackagesRequest, sdkRefused, &request); err != nil {
		return nil, err
	}
	// A version's number orders it both by name and by creation.
	found, err := h.db.Models(ctx, path.Base(request.ModelPackageGroupName))
	if err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(m record.ModelPackage) bool {
		return request.ModelApprovalStatus != "" && m.Status != request.ModelApprovalStatus
	})
	if request.SortOrder == "Descending" {
		slices.Reverse(found)
	}
	from := 0
	if request.NextToken != "" {
		from, err = strconv.Atoi(strings.TrimPrefix(request.NextToken, "from-"))
		if err != nil || from < 0 || from > len(found) {
			return nil, asl.Fail(sdkRefused, "Invalid NextToken (Service: SageMaker, Status Code: 400)")
		}
	}
	limit := request.MaxResults
	if limit == 0 {
		limit = 10
	}
	to := min(from+limit, len(found))
	list := []any{}
	for i := from; i < to; i++ {
		list = append(list, summary(&found[i]))
	}
	answer := map[string]any{"ModelPackageSummaryList": list}
	if to < len(found) {
		answer["NextToken"] = "from-" + strconv.Itoa(to)
	}
	return json.Marshal(answer)
}
