package local

import (
	"context"
	"encoding/json"
	"errors"
	"path"
	"strconv"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/local/failpoint"
	"github.com/mlmax/mlmax/pipeline/local/objects"
	"github.com/mlmax/mlmax/pipeline/record"
)

// sdkRefused is how an SDK integration names what SageMaker's model does not name.
const sdkRefused = "SageMaker.SageMakerException"

// refused is a refusal of the registry, as an SDK integration gives it.
func refused(text string) error {
	return asl.Fail(sdkRefused, text+" (Service: SageMaker, Status Code: 400)")
}

// createModelPackage does aws-sdk:sagemaker:createModelPackage, for versions in a
// group. A group that is not there is made: on AWS the template makes it.
func (h *handler) createModelPackage(ctx context.Context, t asl.Task) (json.RawMessage, error) {
	var request struct {
		ModelPackageGroupName, ModelApprovalStatus, ClientToken string
		InferenceSpecification                                  struct {
			Containers []struct{ ModelDataUrl string }
		}
		ModelMetrics map[string]map[string]struct{ S3Uri string }
		Tags         []any
	}
	if err := ReadRequest(t, &request); err != nil {
		return nil, err
	}
	if request.Tags != nil {
		return nil, refused("Tags cannot be given with a ModelPackageGroupName: put them on the group")
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
		status = pipeline.PendingManualApproval
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
		return refused("Could not find " + uri)
	}
	return err
}
