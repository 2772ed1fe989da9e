package execution

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/cloud"
	"github.com/mlmax/mlmax/pipeline/cloud/ledger"
	"github.com/mlmax/mlmax/pipeline/manifest"
)

// readManifest reads the manifest of a run; nil if there is none.
func readManifest(ctx context.Context, p *cloud.Place, run string) (*manifest.Manifest, error) {
	key := ledger.Key(p, p.Definition.Name, run)
	doing := "reading the manifest s3://" + p.Bucket + "/" + key
	o, err := p.ReadObject(ctx, key, "", cloud.ManifestLimit)
	if cloud.IsAbsent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, p.Explain(err, doing)
	}
	m, err := manifest.Decode(o.Text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	return m, nil
}

// manifest is that of the run: the machine's own where it succeeded, else one by its
// history, which is left in S3.
func (w *watch) manifest(ctx context.Context, d *Description) (*manifest.Manifest, error) {
	if d.Status == pipeline.Succeeded {
		return readManifest(ctx, w.p, w.run)
	}
	return ledger.Complete(ctx, w.p.Definition, w.p, ledger.Description{
		ARN: d.ARN, Status: string(d.Status), Error: d.Error, Cause: d.Cause, Started: d.Started, Ended: d.Stopped,
	}, w.events)
}

// sizes are the sizes of a run's artifacts, by name: what lies below each one's URI. Where
// the run's folder cannot be listed, none is known.
func (w *watch) sizes(ctx context.Context, m *manifest.Manifest) map[string]int64 {
	sizes := map[string]int64{}
	base := "s3://" + w.p.Bucket + "/"
	pages := s3.NewListObjectsV2Paginator(cloud.ListObjectsV2(cloud.S3(w.p).ListObjectsV2), &s3.ListObjectsV2Input{
		Bucket: aws.String(w.p.Bucket), Prefix: aws.String(path.Dir(ledger.Key(w.p, m.Pipeline, m.Run)) + "/"), ExpectedBucketOwner: aws.String(w.p.Account),
	})
	for n := 0; pages.HasMorePages() && n < 10; n++ {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return sizes
		}
		for _, o := range page.Contents {
			for name, uri := range m.Artifacts {
				if at := base + aws.ToString(o.Key); at == uri || uri != "" && strings.HasPrefix(at, strings.TrimSuffix(uri, "/")+"/") {
					sizes[name] += aws.ToInt64(o.Size)
				}
			}
		}
	}
	return sizes
}

// size is that of data that a run was given; 0 where it cannot be seen. Of a folder of very
// many objects it is not asked for.
func (w *watch) size(ctx context.Context, q *pipeline.Parameter, uri string) int64 {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(uri, "s3://"), "/")
	if q.File {
		out, err := cloud.S3(w.p).HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String(bucket), Key: aws.String(key)})
		if err != nil {
			return 0
		}
		return aws.ToInt64(out.ContentLength)
	}
	out, err := cloud.S3(w.p).ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String(bucket), Prefix: aws.String(strings.TrimSuffix(key, "/") + "/")})
	if err != nil || aws.ToBool(out.IsTruncated) {
		return 0
	}
	var size int64
	for _, o := range out.Contents {
		size += aws.ToInt64(o.Size)
	}
	return size
}
