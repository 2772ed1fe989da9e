package execution

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/cloud"
)

// Input checks an execution's input and makes it one that AWS can read: data that is a
// path of this machine is uploaded under its digest, and its URI put in its place. URIs
// pass as they are. Progress goes to on, which may be nil.
func Input(ctx context.Context, p *cloud.Place, input json.RawMessage, on func(cloud.Progress)) (json.RawMessage, error) {
	text, err := canonical(input)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	values := map[string]any{}
	if err := d.Decode(&values); err != nil {
		return nil, fmt.Errorf("read the input: %w", err)
	}
	checked := map[string]any{}
	for key, value := range values {
		checked[key] = number(value)
	}
	if err := p.Definition.Check(checked); err != nil {
		return nil, err
	}
	for i := range p.Definition.Parameters {
		q := &p.Definition.Parameters[i]
		where, given := values[q.Key].(string)
		switch key, _ := q.Default.(string); {
		case !q.Location:
			continue
		case !given:
			where = "s3://" + p.Bucket + "/" + p.Prefix + key
			fallthrough
		case strings.HasPrefix(where, "s3://"):
			if err := present(ctx, p, q, where); err != nil {
				return nil, err
			}
			continue
		}
		if values[q.Key], err = p.UploadData(ctx, *q, where, on); err != nil {
			return nil, err
		}
	}
	return json.Marshal(values)
}

// present refuses data that is surely not there, before a job finds out. Whoever may not
// look is not refused: the roles may.
func present(ctx context.Context, p *cloud.Place, q *pipeline.Parameter, uri string) error {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(uri, "s3://"), "/")
	var missing bool
	var owner *string // a readable place may be of another account
	if bucket == p.Bucket {
		owner = aws.String(p.Account)
	}
	if q.File {
		_, err := cloud.S3(p).HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String(bucket), Key: aws.String(key), ExpectedBucketOwner: owner})
		var absent *types.NotFound
		missing = errors.As(err, &absent)
	} else {
		out, err := cloud.S3(p).ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String(bucket), Prefix: aws.String(key), MaxKeys: aws.Int32(1), ExpectedBucketOwner: owner})
		missing = err == nil && len(out.Contents) == 0
	}
	if !missing {
		return nil
	}
	file := "FILE"
	if q.Local != "" {
		file = q.Local
	}
	return fmt.Errorf("data for %q is missing: there is no %s; nothing was started\n\thint: upload what is on this machine: %s --%s %s", q.Key, uri, p.Next("run"), q.Flag, file)
}
