package execution

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/cloud/ledger"
	"github.com/mlmax/mlmax/pipeline/manifest"
)

// result fills in what the run made: by its manifest, which is written here where the
// machine did not come to do so.
func (w *watch) result(ctx context.Context, d *Description, o *pipeline.Outcome) error {
	m, err := w.manifest(ctx, d)
	if m == nil && err == nil {
		err = fmt.Errorf("run %s left no manifest at s3://%s/%s: what it made is not known here", w.name, w.p.Bucket, ledger.Key(w.p, w.p.Definition.Name, w.run))
	}
	if m == nil {
		return err
	}
	if err != nil {
		w.warn(err) // that it could not be left in S3
	}
	o.Run = m.Run
	for output, fields := range m.Metrics {
		for field, value := range fields {
			if d.Status == pipeline.Succeeded {
				o.Metrics[output+"."+field] = number(value)
			}
		}
	}
	o.Artifacts = w.artifacts(ctx, m, o.Parameters)
	for _, name := range sorted(m.Versions) {
		if o.Versions == nil {
			o.Versions = map[string]pipeline.ModelVersion{}
		}
		o.Versions[name] = w.version(ctx, m.Versions[name].Arn)
	}
	if d.Status != pipeline.Succeeded {
		return nil
	}
	o.Output = d.Output
	w.models(ctx, m, o)
	return nil
}

// artifacts are the data that the run started from and what its steps wrote, in the
// pipeline's order.
func (w *watch) artifacts(ctx context.Context, m *manifest.Manifest, parameters map[string]any) []pipeline.Artifact {
	var all []pipeline.Artifact
	for i := range w.p.Definition.Parameters {
		q := &w.p.Definition.Parameters[i]
		if uri, ok := parameters[q.Key].(string); ok && q.Location {
			all = append(all, pipeline.Artifact{Name: q.Key, URI: uri, Digest: w.digestOf(uri), Bytes: w.size(ctx, q, uri)})
		}
	}
	var names []string
	for _, job := range w.p.Definition.Jobs {
		for _, output := range job.Outputs {
			names = append(names, job.Name+"."+output.Name)
		}
	}
	for _, name := range sorted(m.Artifacts) {
		if !slices.Contains(names, name) {
			names = append(names, name) // of a machine that is not the tree's
		}
	}
	sizes := w.sizes(ctx, m)
	for _, name := range names {
		if uri := m.Artifacts[name]; uri != "" {
			all = append(all, pipeline.Artifact{Name: name, URI: uri, Digest: m.Digests[name], Bytes: sizes[name]})
		}
	}
	return all
}

// digestOf is the digest of data by its URI, where it was uploaded under it; else empty.
func (w *watch) digestOf(uri string) string {
	rest, ok := strings.CutPrefix(uri, "s3://"+w.p.Bucket+"/"+w.p.Prefix+"data/")
	digest, _, folder := strings.Cut(rest, "/")
	if sum, err := hex.DecodeString(digest); !ok || !folder || err != nil || len(sum) != sha256.Size {
		return ""
	}
	return "sha256:" + digest
}

// models fills in what was registered, and what was not.
func (w *watch) models(ctx context.Context, m *manifest.Manifest, o *pipeline.Outcome) {
	for _, name := range sorted(m.Models) {
		if m.Models[name] == nil || m.Models[name].ModelPackageArn == "" {
			continue
		}
		version := w.version(ctx, m.Models[name].ModelPackageArn)
		o.Model = &version
		if version.Status == pipeline.PendingManualApproval {
			o.Next = append(o.Next, pipeline.Suggestion{
				Command: w.p.Next("models approve " + w.ref(version) + " --by NAME --note TEXT"), Why: "let others take the version that was registered",
			})
		}
	}
	var reasons []string
	for _, name := range sorted(m.NotRegistered) {
		reasons = append(reasons, m.NotRegistered[name])
	}
	o.NotRegistered = strings.Join(reasons, "; ")
}

// ref is how the commands name a version: by its number, or with its group where the
// pipeline knows several.
func (w *watch) ref(v pipeline.ModelVersion) string {
	number := strconv.Itoa(v.Version)
	if known := w.p.Definition.Groups(); len(known) == 1 && w.p.Environment+"-"+known[0] == v.Group {
		return number
	}
	return v.Group + "/" + number
}

// version is a model version as it is now; where it cannot be looked at, what its ARN says.
func (w *watch) version(ctx context.Context, arn string) pipeline.ModelVersion {
	v := pipeline.ModelVersion{Group: path.Base(path.Dir(arn)), ARN: arn}
	v.Version, _ = strconv.Atoi(path.Base(arn)) // 0 where it has none
	var described struct{ ModelApprovalStatus string }
	if err := w.p.SageMaker(ctx, "DescribeModelPackage", map[string]string{"ModelPackageName": arn}, &described); err != nil {
		w.warn(w.p.Explain(err, "looking at "+arn))
	}
	v.Status = described.ModelApprovalStatus
	return v
}
