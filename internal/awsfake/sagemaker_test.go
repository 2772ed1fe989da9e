package awsfake

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// call makes a signed call of a JSON protocol and returns the answer, or the error as
// "status code: message".
func call(t *testing.T, url, service, target, body string) (map[string]any, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", target)
	sum := sha256.Sum256([]byte(body))
	if err := v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{AccessKeyID: "A", SecretAccessKey: "s"}, r, hex.EncodeToString(sum[:]), service, "eu-west-1", time.Now()); err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(answer.Body); err != nil {
		t.Fatal(err)
	}
	out := map[string]any{}
	if text.Len() > 0 {
		if err := json.Unmarshal(text.Bytes(), &out); err != nil {
			t.Fatal(err)
		}
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Sprintf("%d %s: %s", answer.StatusCode, out["__type"], out["message"])
	}
	return out, ""
}

// sageMaker calls SageMaker of a world.
func sageMaker(t *testing.T, w *World) func(action, body string) (map[string]any, string) {
	url := serve(t, w)
	return func(action, body string) (map[string]any, string) {
		t.Helper()
		return call(t, url, "sagemaker", "SageMaker."+action, body)
	}
}

// version is a request for a version with what is given besides.
func version(more string) string {
	return `{"ModelPackageGroupName":"Census","InferenceSpecification":{"Containers":[{"Image":"i","ModelDataUrl":"s3://b/m.tar.gz"}],"SupportedContentTypes":["text/csv"],"SupportedResponseMIMETypes":["text/csv"]}` + more + `}`
}

// TestRegistry makes versions, decides about them and lists them.
func TestRegistry(t *testing.T) {
	t.Parallel()
	do := sageMaker(t, New(Options{}))
	must := func(action, body string) map[string]any {
		t.Helper()
		out, refused := do(action, body)
		if refused != "" {
			t.Fatalf("%s %s: %s", action, body, refused)
		}
		return out
	}
	must("CreateModelPackageGroup", `{"ModelPackageGroupName":"Census","Tags":[{"Key":"k","Value":"v"}]}`)
	for i := range 12 {
		arn := must("CreateModelPackage", version(fmt.Sprintf(`,"ClientToken":"t-%d","CustomerMetadataProperties":{"run":"r%d"}`, i, i)))["ModelPackageArn"]
		if want := fmt.Sprintf("arn:aws:sagemaker:eu-west-1:123456789012:model-package/census/%d", i+1); arn != want {
			t.Errorf("%s, want %s", arn, want)
		}
	}
	if arn := must("CreateModelPackage", version(`,"ClientToken":"t-3","CustomerMetadataProperties":{"run":"r3"}`))["ModelPackageArn"]; !strings.HasSuffix(arn.(string), "/4") {
		t.Errorf("the same token made %s", arn)
	}
	must("UpdateModelPackage", `{"ModelPackageArn":"arn:aws:sagemaker:eu-west-1:123456789012:model-package/census/11","ModelApprovalStatus":"Approved","ApprovalDescription":"by ada","CustomerMetadataProperties":{"by":"ada"}}`)
	got := must("DescribeModelPackage", `{"ModelPackageName":"arn:aws:sagemaker:eu-west-1:123456789012:model-package/census/11"}`)
	if got["ModelApprovalStatus"] != "Approved" || got["ApprovalDescription"] != "by ada" || fmt.Sprint(got["CustomerMetadataProperties"]) != "map[by:ada run:r10]" ||
		got["ModelPackageName"] != nil || got["ModelPackageVersion"] != 11.0 || got["ClientToken"] != nil {
		t.Errorf("%v", got)
	}

	// The default order is ascending, ten at a time.
	list := must("ListModelPackages", `{"ModelPackageGroupName":"Census"}`)
	versions := list["ModelPackageSummaryList"].([]any)
	if len(versions) != 10 || versions[0].(map[string]any)["ModelPackageVersion"] != 1.0 || list["NextToken"] == nil {
		t.Errorf("%v", list)
	}
	// A filtered page may have nothing on it, although more pages come.
	first := must("ListModelPackages", `{"ModelPackageGroupName":"Census","ModelApprovalStatus":"Approved","MaxResults":6}`)
	if len(first["ModelPackageSummaryList"].([]any)) != 0 || first["NextToken"] == nil {
		t.Errorf("%v", first)
	}
	second := must("ListModelPackages", fmt.Sprintf(`{"ModelPackageGroupName":"Census","ModelApprovalStatus":"Approved","MaxResults":6,"NextToken":%q}`, first["NextToken"]))
	if len(second["ModelPackageSummaryList"].([]any)) != 1 || second["NextToken"] != nil {
		t.Errorf("%v", second)
	}
	if tags := must("ListTags", `{"ResourceArn":"arn:aws:sagemaker:eu-west-1:123456789012:model-package-group/census"}`); fmt.Sprint(tags["Tags"]) != "[map[Key:k Value:v]]" {
		t.Errorf("%v", tags)
	}

	// Numbers are not used again.
	must("DeleteModelPackage", `{"ModelPackageName":"Census/12"}`)
	if arn := must("CreateModelPackage", version(""))["ModelPackageArn"]; !strings.HasSuffix(arn.(string), "/13") {
		t.Errorf("after a deletion came %s", arn)
	}
}

// TestRegistryRefusals has the words of SageMaker for what goes wrong.
func TestRegistryRefusals(t *testing.T) {
	t.Parallel()
	do := sageMaker(t, New(Options{}))
	for _, body := range []string{`{"ModelPackageGroupName":"Census"}`} {
		if _, refused := do("CreateModelPackageGroup", body); refused != "" {
			t.Fatal(refused)
		}
	}
	if _, refused := do("CreateModelPackage", version(`,"ClientToken":"used"`)); refused != "" {
		t.Fatal(refused)
	}
	for _, test := range []struct{ action, body, want string }{
		{"CreateModelPackageGroup", `{"ModelPackageGroupName":"Census"}`, "400 ValidationException: Model Package Group already exists: arn:aws:sagemaker:eu-west-1:123456789012:model-package-group/census"},
		{"DescribeModelPackageGroup", `{"ModelPackageGroupName":"none"}`, "400 ValidationException: ModelPackageGroup arn:aws:sagemaker:eu-west-1:123456789012:model-package-group/none does not exist."},
		{"CreateModelPackage", strings.Replace(version(""), "Census", "none", 1), "400 ValidationException: ModelPackageGroup arn:aws:sagemaker:eu-west-1:123456789012:model-package-group/none does not exist."},
		{"DescribeModelPackage", `{"ModelPackageName":"Census/7"}`, "400 ValidationException: ModelPackage arn:aws:sagemaker:eu-west-1:123456789012:model-package/Census/7 does not exist."},
		{"CreateModelPackage", version(`,"Tags":[{"Key":"k","Value":"v"}]`), "400 ValidationException: Tags are not supported for a versioned Model Package. Tag the Model Package Group instead."},
		{"CreateModelPackage", version(`,"ClientToken":"used","ModelPackageDescription":"other"`), "400 ConflictException: The client token used was used with another request."},
		{"CreateModelPackage", version(`,"ClientToken":"with_underscore"`), "400 ValidationException: 1 validation error detected: Value 'with_underscore' at 'clientToken' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9-]+ and have length less than or equal to 36"},
		{"CreateModelPackage", version(`,"ModelApprovalStatus":"approved"`), "400 ValidationException: 1 validation error detected: Value 'approved' at 'modelApprovalStatus' failed to satisfy constraint: Member must satisfy enum value set: [Approved, Rejected, PendingManualApproval]"},
		{"CreateModelPackage", version(`,"CustomerMetadataProperties":{}`), "400 ValidationException: 1 validation error detected: Value '{}' at 'customerMetadataProperties' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"CreateModelPackage", version(`,"modelApprovalStatus":"Approved"`), `400 SerializationException: awsfake: there is no member "modelApprovalStatus"`},
		{"CreateModelPackage", version(`,"ModelCard":{}`), `400 SerializationException: json: unknown field "ModelCard"`},
		{"CreateModelPackage", `{}`, "400 ValidationException: Missing ARN."},
		{"ListModelPackages", `{"ModelPackageGroupName":"Census","MaxResults":101}`, "400 ValidationException: 1 validation error detected: Value '101' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 100"},
		{"ListModelPackages", `{"ModelPackageGroupName":"Census","NextToken":"x"}`, "400 ValidationException: Invalid NextToken."},
		{"DeleteModelPackageGroup", `{"ModelPackageGroupName":"Census"}`, "400 ConflictException: Model Package Group arn:aws:sagemaker:eu-west-1:123456789012:model-package-group/census cannot be deleted because it has existing Model Packages."},
		{"DescribeProcessingJob", `{"ProcessingJobName":"none"}`, "400 ValidationException: Could not find requested job with name: none"},
		{"DescribeTrainingJob", `{"TrainingJobName":"none"}`, "400 ValidationException: Requested resource not found."},
		{"CreateTrainingJob", `{}`, "400 UnknownOperationException: awsfake's SageMaker does not know CreateTrainingJob"},
	} {
		if _, got := do(test.action, test.body); got != test.want {
			t.Errorf("%s %s:\n\t%s\nwant\n\t%s", test.action, test.body, got, test.want)
		}
	}
	for _, value := range []string{"", "a,b", `quote\"`, "{x}", "50%", "a\\nb", strings.Repeat("x", 257)} {
		if _, got := do("CreateModelPackage", version(`,"CustomerMetadataProperties":{"k":"`+value+`"}`)); !strings.HasPrefix(got, "400 ValidationException") {
			t.Errorf("metadata %q: %s", value, got)
		}
	}
}

// TestDescribeJob has times in seconds, where Step Functions has milliseconds.
func TestDescribeJob(t *testing.T) {
	t.Parallel()
	w := New(Options{})
	w.jobs["training-job/j"] = map[string]any{"TrainingJobName": "j", "CreationTime": int64(1700000000500), "FinalMetricDataList": []any{map[string]any{"Value": 0.5, "Timestamp": int64(1700000000000)}}}
	got, refused := sageMaker(t, w)("DescribeTrainingJob", `{"TrainingJobName":"j"}`)
	if refused != "" || got["CreationTime"] != 1700000000.5 || fmt.Sprint(got["FinalMetricDataList"]) != "[map[Timestamp:1.7e+09 Value:0.5]]" {
		t.Errorf("%v %s", got, refused)
	}
}
