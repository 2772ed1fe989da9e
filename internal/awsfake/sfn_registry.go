package awsfake

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/local"
)

func init() {
	integrations["aws-sdk:sagemaker:createModelPackage"] = (*tasks).createModelPackage
	integrations["aws-sdk:sagemaker:describeModelPackage"] = (*tasks).describeModelPackage
	integrations["aws-sdk:sagemaker:listModelPackages"] = (*tasks).listModelPackages
}

// modelledErrors are the exceptions that SageMaker's model has.
var modelledErrors = []string{"ConflictException", "ResourceLimitExceeded", "ResourceInUse", "ResourceNotFound"}

// registryCall makes a call of the model registry as an SDK integration does: by the very
// operation, with times as texts, and errors under the integration's names.
func (t *tasks) registryCall(task asl.Task, operation func(*World, []byte) (any, error), action string, resources ...string) (json.RawMessage, error) {
	var checked map[string]any
	if err := local.ReadRequest(task, &checked); err != nil {
		return nil, err
	}
	for _, resource := range resources {
		if err := t.may("sagemaker:"+action, resource, nil); err != nil {
			return nil, registryFailure(refusal("AccessDeniedException", "%v", err))
		}
	}
	t.w.mu.Lock()
	answer, err := operation(t.w, task.Arguments)
	t.w.mu.Unlock()
	if err != nil {
		return nil, registryFailure(err)
	}
	text, err := json.Marshal(answer)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	datesAsText(v)
	return json.Marshal(v)
}

// registryFailure names a refusal as an SDK integration does.
func registryFailure(err error) error {
	var refused *apiError
	if !errors.As(err, &refused) {
		return err
	}
	name := "SageMakerException"
	if slices.Contains(modelledErrors, refused.code) {
		name = strings.TrimSuffix(refused.code, "Exception") + "Exception"
	}
	return asl.Fail("SageMaker."+name, fmt.Sprintf("%s (Service: SageMaker, Status Code: %d, Request ID: fake)", refused.message, refused.status))
}

// datesAsText turns the times of an answer into ISO 8601, as Step Functions does.
func datesAsText(v any) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			datesAsText(item)
		}
	case map[string]any:
		for key, item := range v {
			if n, ok := item.(json.Number); ok && (key == "CreationTime" || key == "LastModifiedTime") {
				if seconds, err := n.Float64(); err == nil {
					v[key] = asl.Timestamp(time.UnixMilli(int64(seconds*1000 + 0.5)))
				}
			} else {
				datesAsText(item)
			}
		}
	}
}

// groupOf is the name of a group that a request names, which may do so by its ARN.
func groupOf(task asl.Task) string {
	var in struct{ ModelPackageGroupName string }
	_ = json.Unmarshal(task.Arguments, &in) // what it is not is told by the call itself
	return path.Base(in.ModelPackageGroupName)
}

// createModelPackage does aws-sdk:sagemaker:createModelPackage, which is checked on the group
// and on its versions.
func (t *tasks) createModelPackage(_ context.Context, task asl.Task) (json.RawMessage, error) {
	group := groupOf(task)
	return t.registryCall(task, (*World).createModelPackage, "CreateModelPackage",
		t.w.ARN("sagemaker", "model-package-group/"+group), t.w.ARN("sagemaker", "model-package/"+group+"/1"))
}

// describeModelPackage does aws-sdk:sagemaker:describeModelPackage.
func (t *tasks) describeModelPackage(_ context.Context, task asl.Task) (json.RawMessage, error) {
	var in struct{ ModelPackageName string }
	_ = json.Unmarshal(task.Arguments, &in) // what it is not is told by the call itself
	return t.registryCall(task, (*World).describeModelPackage, "DescribeModelPackage", in.ModelPackageName)
}

// listModelPackages does aws-sdk:sagemaker:listModelPackages. Which type of resource AWS looks
// at is not documented: both have to be allowed, so that neither can be left out.
func (t *tasks) listModelPackages(_ context.Context, task asl.Task) (json.RawMessage, error) {
	group := groupOf(task)
	return t.registryCall(task, (*World).listModelPackages, "ListModelPackages",
		t.w.ARN("sagemaker", "model-package-group/"+group), t.w.ARN("sagemaker", "model-package/"+group+"/*"))
}
