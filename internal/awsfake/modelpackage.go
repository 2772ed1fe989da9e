package awsfake

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// packageRequest is what this account knows of CreateModelPackage: versions in a group. What
// belongs to packages without a group, the marketplace or validation is refused.
type packageRequest struct {
	ModelPackageGroupName      string
	ModelPackageName           string
	ModelPackageDescription    string
	ModelApprovalStatus        string
	ClientToken                string
	CustomerMetadataProperties map[string]string
	MetadataProperties         *struct{ CommitId, Repository, GeneratedBy, ProjectId string }
	InferenceSpecification     *struct {
		Containers []struct {
			ContainerHostname, Image, ImageDigest, ModelDataUrl string
			ModelDataSource                                     *struct {
				S3DataSource struct{ S3Uri, S3DataType, CompressionType string }
			}
			Environment                 map[string]string
			Framework, FrameworkVersion string
		}
		SupportedTransformInstanceTypes, SupportedRealtimeInferenceInstanceTypes []string
		SupportedContentTypes, SupportedResponseMIMETypes                        []string
	}
	ModelMetrics *struct {
		ModelQuality, ModelDataQuality *struct{ Statistics, Constraints *metricsSource }
		Bias                           *struct{ Report, PreTrainingReport, PostTrainingReport *metricsSource }
		Explainability                 *struct{ Report *metricsSource }
	}
	SourceUri           string
	SkipModelValidation string
	Domain, Task        string
	Tags                []tag
}

// metricsSource is an object with metrics.
type metricsSource struct{ ContentType, ContentDigest, S3Uri string }

// What members must look like.
var (
	metadataText = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)
	clientToken  = regexp.MustCompile(`^[a-zA-Z0-9-]{1,36}$`)
	digestText   = regexp.MustCompile(`^[Ss][Hh][Aa]256:[0-9a-fA-F]{64}$`)
	approvals    = []string{"", "Approved", "Rejected", "PendingManualApproval"}
)

// approvalSet is how SageMaker names them.
const approvalSet = "satisfy enum value set: [Approved, Rejected, PendingManualApproval]"

func (w *World) createModelPackage(body []byte) (any, error) {
	var in packageRequest
	if err := readExact(body, &in); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	g, err := w.group(in.ModelPackageGroupName)
	if err != nil {
		return nil, err
	}
	var request map[string]any
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, err
	}
	for _, v := range g.versions {
		if in.ClientToken != "" && v.Request["ClientToken"] == in.ClientToken {
			if !reflect.DeepEqual(v.Request, request) {
				return nil, refusal("ConflictException", "The client token %s was used with another request.", in.ClientToken)
			}
			return map[string]string{"ModelPackageArn": v.ARN}, nil
		}
	}
	g.last++
	v := &ModelPackage{
		ARN: w.ARN("sagemaker", fmt.Sprintf("model-package/%s/%d", strings.ToLower(g.Name), g.last)), Version: g.last, Request: request,
		Approval: cmp.Or(in.ModelApprovalStatus, "PendingManualApproval"), Metadata: in.CustomerMetadataProperties, Created: w.now(), Modified: w.now(),
	}
	g.versions = append(g.versions, v)
	return map[string]string{"ModelPackageArn": v.ARN}, nil
}

// check holds a request against the service's model.
func (in *packageRequest) check() error {
	switch {
	case in.ModelPackageGroupName != "" && in.ModelPackageName != "":
		return refusal("ValidationException", "Both ModelPackageName and ModelPackageGroupName are provided in the input. Cannot determine which one to use.")
	case in.ModelPackageGroupName == "" && in.ModelPackageName == "":
		return refusal("ValidationException", "Missing ARN.")
	case in.ModelPackageName != "":
		return refusal("ValidationException", "awsfake's registry has only versions in groups")
	case in.Tags != nil:
		return refusal("ValidationException", "Tags are not supported for a versioned Model Package. Tag the Model Package Group instead.")
	case in.ClientToken != "" && !clientToken.MatchString(in.ClientToken):
		return unfit(in.ClientToken, "clientToken", "satisfy regular expression pattern: [a-zA-Z0-9-]+ and have length less than or equal to 36")
	case !slices.Contains(approvals, in.ModelApprovalStatus):
		return unfit(in.ModelApprovalStatus, "modelApprovalStatus", approvalSet)
	case in.CustomerMetadataProperties != nil && len(in.CustomerMetadataProperties) == 0:
		return unfit("{}", "customerMetadataProperties", "have length greater than or equal to 1")
	}
	if err := checkMetadata(in.CustomerMetadataProperties); err != nil {
		return err
	}
	if s := in.InferenceSpecification; s != nil {
		if n := len(s.Containers); n < 1 || n > 15 {
			return unfit(n, "inferenceSpecification.containers", "have length between 1 and 15")
		}
		for i, c := range s.Containers {
			if c.Image == "" {
				return unfit("null", fmt.Sprintf("inferenceSpecification.containers.%d.member.image", i+1), "not be null")
			}
		}
		if s.SupportedTransformInstanceTypes != nil && len(s.SupportedTransformInstanceTypes) == 0 {
			return unfit("[]", "inferenceSpecification.supportedTransformInstanceTypes", "have length greater than or equal to 1")
		}
	}
	return in.checkMetrics()
}

// checkMetrics holds the objects with metrics against the service's model.
func (in *packageRequest) checkMetrics() error {
	var all []*metricsSource
	if m := in.ModelMetrics; m != nil {
		if m.ModelQuality != nil {
			all = append(all, m.ModelQuality.Statistics, m.ModelQuality.Constraints)
		}
		if m.ModelDataQuality != nil {
			all = append(all, m.ModelDataQuality.Statistics, m.ModelDataQuality.Constraints)
		}
		if m.Bias != nil {
			all = append(all, m.Bias.Report, m.Bias.PreTrainingReport, m.Bias.PostTrainingReport)
		}
		if m.Explainability != nil {
			all = append(all, m.Explainability.Report)
		}
	}
	for _, s := range all {
		switch {
		case s == nil:
		case s.ContentType == "" || s.S3Uri == "":
			return unfit("null", "modelMetrics", "not be null: contentType and s3Uri")
		case s.ContentDigest != "" && !digestText.MatchString(s.ContentDigest):
			return unfit(s.ContentDigest, "contentDigest", "satisfy regular expression pattern: [Ss][Hh][Aa]256:[0-9a-fA-F]{64}")
		}
	}
	return nil
}

// checkMetadata holds metadata against the service's model: few characters, at most 256.
func checkMetadata(properties map[string]string) error {
	if len(properties) > 50 {
		return unfit(len(properties), "customerMetadataProperties", "have length less than or equal to 50")
	}
	for _, key := range slices.Sorted(maps.Keys(properties)) {
		value := properties[key]
		for _, one := range []struct {
			text string
			most int
		}{{key, 128}, {value, 256}} {
			if n := len([]rune(one.text)); n < 1 || n > one.most || !metadataText.MatchString(one.text) {
				return unfit(one.text, "customerMetadataProperties", fmt.Sprintf(`satisfy constraint: [Member must have length less than or equal to %d, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: ([\p{L}\p{Z}\p{N}_.:\/=+\-@]*)${1,%[1]d}]`, one.most))
			}
		}
	}
	return nil
}

// version finds a version by its ARN or as "group/number".
func (w *World) version(name string) (*ModelGroup, *ModelPackage, error) {
	short := strings.TrimPrefix(name, w.ARN("sagemaker", "model-package/"))
	group, n, _ := strings.Cut(short, "/")
	for _, g := range w.packages {
		if !strings.EqualFold(g.Name, group) {
			continue
		}
		for _, v := range g.versions {
			if v.Version == number(n) {
				return g, v, nil
			}
		}
	}
	if !strings.HasPrefix(name, "arn:") {
		name = w.ARN("sagemaker", "model-package/"+name)
	}
	return nil, nil, refusal("ValidationException", "ModelPackage %s does not exist.", name)
}

func (w *World) describeModelPackage(body []byte) (any, error) {
	var in struct{ ModelPackageName string }
	if err := readExact(body, &in); err != nil {
		return nil, err
	}
	g, v, err := w.version(in.ModelPackageName)
	if err != nil {
		return nil, err
	}
	out := w.summary(g, v)
	for name, value := range v.Request {
		if name != "ClientToken" && name != "Tags" && name != "ModelPackageGroupName" && name != "ModelApprovalStatus" && name != "CustomerMetadataProperties" {
			out[name] = plain(value)
		}
	}
	if len(v.Metadata) > 0 {
		out["CustomerMetadataProperties"] = maps.Clone(v.Metadata)
	}
	if v.ApprovalDescription != "" {
		out["ApprovalDescription"] = v.ApprovalDescription
	}
	if v.Modified != v.Created {
		out["LastModifiedTime"] = epoch(v.Modified)
		out["LastModifiedBy"] = map[string]any{}
	}
	out["ModelPackageStatusDetails"] = map[string]any{"ValidationStatuses": []any{}, "ImageScanStatuses": []any{}}
	out["CertifyForMarketplace"] = false
	out["CreatedBy"] = map[string]any{}
	return out, nil
}

// summary is what a list says of a version. It has no name, only an ARN.
func (w *World) summary(g *ModelGroup, v *ModelPackage) map[string]any {
	out := map[string]any{
		"ModelPackageGroupName": g.Name, "ModelPackageVersion": v.Version, "ModelPackageArn": v.ARN, "CreationTime": epoch(v.Created),
		"ModelPackageStatus": "Completed", "ModelApprovalStatus": v.Approval,
	}
	if text, ok := v.Request["ModelPackageDescription"].(string); ok {
		out["ModelPackageDescription"] = text
	}
	return out
}

func (w *World) updateModelPackage(body []byte) (any, error) {
	var in struct {
		ModelPackageArn, ModelApprovalStatus string
		ApprovalDescription                  *string
		CustomerMetadataProperties           map[string]string
		CustomerMetadataPropertiesToRemove   []string
	}
	if err := readExact(body, &in); err != nil {
		return nil, err
	}
	_, v, err := w.version(in.ModelPackageArn)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(approvals, in.ModelApprovalStatus) {
		return nil, unfit(in.ModelApprovalStatus, "modelApprovalStatus", approvalSet)
	}
	if in.ApprovalDescription != nil && len([]rune(*in.ApprovalDescription)) > 1024 {
		return nil, unfit(*in.ApprovalDescription, "approvalDescription", "have length less than or equal to 1024")
	}
	if err := checkMetadata(in.CustomerMetadataProperties); err != nil {
		return nil, err
	}
	v.Approval = cmp.Or(in.ModelApprovalStatus, v.Approval)
	if in.ApprovalDescription != nil {
		v.ApprovalDescription = *in.ApprovalDescription
	}
	merged := maps.Clone(v.Metadata)
	if merged == nil {
		merged = map[string]string{}
	}
	maps.Copy(merged, in.CustomerMetadataProperties)
	for _, key := range in.CustomerMetadataPropertiesToRemove {
		delete(merged, key)
	}
	v.Metadata = merged
	v.Modified = w.now()
	return map[string]string{"ModelPackageArn": v.ARN}, nil
}

func (w *World) listModelPackages(body []byte) (any, error) {
	var in struct {
		ModelPackageGroupName, ModelApprovalStatus, ModelPackageType, NextToken, SortBy, SortOrder string
		MaxResults                                                                                 *int
	}
	if err := readExact(body, &in); err != nil {
		return nil, err
	}
	if !slices.Contains(approvals, in.ModelApprovalStatus) {
		return nil, unfit(in.ModelApprovalStatus, "modelApprovalStatus", approvalSet)
	}
	if !slices.Contains([]string{"", "Name", "CreationTime"}, in.SortBy) {
		return nil, unfit(in.SortBy, "sortBy", "satisfy enum value set: [CreationTime, Name]")
	}
	if in.ModelPackageGroupName == "" {
		if in.ModelPackageType != "Versioned" {
			return map[string]any{"ModelPackageSummaryList": []any{}}, nil // there is none without a group
		}
		return nil, refusal("ValidationException", "awsfake's registry lists the versions of one group")
	}
	g, err := w.group(in.ModelPackageGroupName)
	if err != nil {
		return nil, err
	}
	page, next, err := paged(w, slices.Clone(g.versions), in.SortOrder, in.MaxResults, in.NextToken, "versions", g.Name, in.ModelApprovalStatus, in.SortBy)
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, v := range page {
		if in.ModelApprovalStatus == "" || v.Approval == in.ModelApprovalStatus {
			list = append(list, w.summary(g, v))
		}
	}
	return pageOf("ModelPackageSummaryList", list, next), nil
}

func (w *World) deleteModelPackage(body []byte) (any, error) {
	var in struct{ ModelPackageName string }
	if err := readExact(body, &in); err != nil {
		return nil, err
	}
	g, v, err := w.version(in.ModelPackageName)
	if err != nil {
		return nil, err
	}
	g.versions = slices.DeleteFunc(g.versions, func(other *ModelPackage) bool { return other == v })
	return nil, nil
}
