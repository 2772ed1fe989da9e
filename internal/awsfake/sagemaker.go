package awsfake

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// registryOperations are the operations of SageMaker: its model registry, tags, and what
// jobs were. Each is called with w.mu held. Jobs are made by Step Functions only.
var registryOperations = map[string]func(*World, []byte) (any, error){
	"CreateModelPackageGroup":   (*World).createModelPackageGroup,
	"DescribeModelPackageGroup": (*World).describeModelPackageGroup,
	"ListModelPackageGroups":    (*World).listModelPackageGroups,
	"DeleteModelPackageGroup":   (*World).deleteModelPackageGroup,
	"CreateModelPackage":        (*World).createModelPackage,
	"DescribeModelPackage":      (*World).describeModelPackage,
	"UpdateModelPackage":        (*World).updateModelPackage,
	"ListModelPackages":         (*World).listModelPackages,
	"DeleteModelPackage":        (*World).deleteModelPackage,
	"AddTags":                   (*World).addTags,
	"ListTags":                  (*World).listTags,
	"DescribeProcessingJob":     (*World).describeProcessingJob,
	"DescribeTrainingJob":       (*World).describeTrainingJob,
}

// sageMaker answers one request of JSON 1.1.
func (w *World) sageMaker(rw http.ResponseWriter, r *http.Request) {
	w.json(rw, r, "SageMaker", registryOperations)
}

// unfit is what SageMaker says of a value that does not fit its model.
func unfit(value any, member, constraint string) *apiError {
	return refusal("ValidationException", "1 validation error detected: Value '%v' at '%s' failed to satisfy constraint: Member must %s", value, member, constraint)
}

// entityName is what a group can be called.
var entityName = regexp.MustCompile(`^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$`)

// groupARN is that of a group. The name's letters are small in it, as AWS has shown them.
func (w *World) groupARN(name string) string {
	return w.ARN("sagemaker", "model-package-group/"+strings.ToLower(name))
}

// group finds a group by name or ARN.
func (w *World) group(name string) (*ModelGroup, error) {
	if g := w.packages[name]; g != nil {
		return g, nil
	}
	for _, g := range w.packages {
		if w.groupARN(g.Name) == name {
			return g, nil
		}
	}
	if !strings.HasPrefix(name, "arn:") {
		if !entityName.MatchString(name) {
			return nil, unfit(name, "modelPackageGroupName", `satisfy regular expression pattern: (arn:aws[a-z\-]*:sagemaker:[a-z0-9\-]*:[0-9]{12}:[a-z\-]*\/)?([a-zA-Z0-9]([a-zA-Z0-9-]){0,62})(?<!-)`)
		}
		name = w.groupARN(name)
	}
	return nil, refusal("ValidationException", "ModelPackageGroup %s does not exist.", name)
}

func (w *World) createModelPackageGroup(body []byte) (any, error) {
	var in struct {
		ModelPackageGroupName, ModelPackageGroupDescription string
		Tags                                                []tag
	}
	if err := readExact(body, &in); err != nil {
		return nil, err
	}
	name := in.ModelPackageGroupName
	if !entityName.MatchString(name) {
		return nil, unfit(name, "modelPackageGroupName", `satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}`)
	}
	if err := w.createModelGroup(name); err != nil {
		return nil, refusal("ValidationException", "Model Package Group already exists: %s", w.groupARN(name))
	}
	w.packages[name].Description = in.ModelPackageGroupDescription
	w.tag(w.groupARN(name), in.Tags)
	return map[string]string{"ModelPackageGroupArn": w.groupARN(name)}, nil
}

// said is what is said of a group in lists and descriptions.
func (w *World) said(g *ModelGroup) map[string]any {
	out := map[string]any{
		"ModelPackageGroupName": g.Name, "ModelPackageGroupArn": w.groupARN(g.Name), "CreationTime": epoch(g.Created), "ModelPackageGroupStatus": "Completed",
	}
	if g.Description != "" {
		out["ModelPackageGroupDescription"] = g.Description
	}
	return out
}

func (w *World) describeModelPackageGroup(body []byte) (any, error) {
	var in struct{ ModelPackageGroupName string }
	if err := readExact(body, &in); err != nil {
		return nil, err
	}
	g, err := w.group(in.ModelPackageGroupName)
	if err != nil {
		return nil, err
	}
	out := w.said(g)
	out["CreatedBy"] = map[string]any{}
	return out, nil
}

func (w *World) listModelPackageGroups(body []byte) (any, error) {
	var in struct {
		NameContains, NextToken, SortBy, SortOrder string
		MaxResults                                 *int
	}
	if err := readExact(body, &in); err != nil {
		return nil, err
	}
	all := slices.SortedFunc(maps.Values(w.packages), func(a, b *ModelGroup) int {
		if in.SortBy == "Name" {
			return strings.Compare(a.Name, b.Name)
		}
		return a.Created.Compare(b.Created)
	})
	page, next, err := paged(w, all, in.SortOrder, in.MaxResults, in.NextToken, "groups", in.NameContains, in.SortBy)
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, g := range page {
		if strings.Contains(strings.ToLower(g.Name), strings.ToLower(in.NameContains)) {
			list = append(list, w.said(g))
		}
	}
	return pageOf("ModelPackageGroupSummaryList", list, next), nil
}

func (w *World) deleteModelPackageGroup(body []byte) (any, error) {
	var in struct{ ModelPackageGroupName string }
	if err := readExact(body, &in); err != nil {
		return nil, err
	}
	g, err := w.group(in.ModelPackageGroupName)
	if err != nil {
		return nil, err
	}
	if len(g.versions) > 0 {
		return nil, refusal("ConflictException", "Model Package Group %s cannot be deleted because it has existing Model Packages.", w.groupARN(g.Name))
	}
	delete(w.packages, g.Name)
	delete(w.tags, w.groupARN(g.Name))
	return nil, nil
}

// paged cuts a page out of a list that is in ascending order, which is the default. It is
// of so many entries before any filter, so that a filtered page may be short.
func paged[T any](w *World, all []T, order string, most *int, token string, request ...any) ([]T, string, error) {
	switch order {
	case "", "Ascending":
	case "Descending":
		slices.Reverse(all)
	default:
		return nil, "", unfit(order, "sortOrder", "satisfy enum value set: [Descending, Ascending]")
	}
	size := 10
	if most != nil {
		size = *most
	}
	if size < 1 {
		return nil, "", unfit(size, "maxResults", "have value greater than or equal to 1")
	}
	if size > 100 {
		return nil, "", unfit(size, "maxResults", "have value less than or equal to 100")
	}
	request = append(request, order)
	from, err := w.readToken(token, request...)
	if err != nil || from > int64(len(all)) {
		return nil, "", refusal("ValidationException", "Invalid NextToken.")
	}
	all = all[from:]
	if len(all) <= size {
		return all, "", nil
	}
	return all[:size], w.nextToken(from+int64(size), request...), nil
}

// pageOf is an answer with a list and the token of the next page.
func pageOf(name string, list []any, next string) map[string]any {
	out := map[string]any{name: list}
	if next != "" {
		out["NextToken"] = next
	}
	return out
}

// ModelVersions are how many versions each group has, by name.
func (w *World) ModelVersions() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[string]int{}
	for name, g := range w.packages {
		out[name] = len(g.versions)
	}
	return out
}

// number reads a version's number.
func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return n
}

// plain turns a decoded request into the same with nothing shared.
func plain(v any) any {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("awsfake: %v", err)) // it came from JSON
	}
	var out any
	_ = json.Unmarshal(text, &out) // it was just made
	return out
}
