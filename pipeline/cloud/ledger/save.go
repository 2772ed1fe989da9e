package ledger

import (
	"bytes"
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/cloud"
	"github.com/mlmax/mlmax/pipeline/manifest"
)

// manifestName is the manifest's name in the folder of its run.
const manifestName = "manifest.json"

// Key is where the manifest of a run lies in the place's bucket.
func Key(p *cloud.Place, pipeline, run string) string {
	return p.Prefix + "runs/" + pipeline + "/" + run + "/" + manifestName
}

// Complete makes the manifest of an execution that has ended without writing one, and
// puts it where the machine would have. An execution that goes on is described as far as
// it came, and nothing is put.
func Complete(ctx context.Context, d *pipeline.Definition, p *cloud.Place, x Description, events []asl.HistoryEvent) (*manifest.Manifest, error) {
	if x.Definition == nil {
		var err error
		if x.Definition, err = definitionOf(ctx, p, x.ARN); err != nil {
			return nil, err
		}
	}
	m, err := FromHistory(d, p, x, events)
	if err != nil {
		return nil, err
	}
	switch pipeline.Status(m.Status) {
	case pipeline.Failed, pipeline.TimedOut, pipeline.Aborted:
		return m, Save(ctx, p, m)
	}
	return m, nil
}

// definitionOf is the text of the machine that an execution runs; nil where the caller may
// not see it.
func definitionOf(ctx context.Context, p *cloud.Place, execution string) ([]byte, error) {
	out, err := cloud.StepFunctions(p).DescribeStateMachineForExecution(ctx, &sfn.DescribeStateMachineForExecutionInput{ExecutionArn: aws.String(execution)})
	if cloud.HasCode(err, "AccessDeniedException") {
		return nil, nil // the committed machine has to do
	}
	if err != nil {
		return nil, p.Explain(err, "reading the state machine of "+execution)
	}
	return []byte(aws.ToString(out.Definition)), nil
}

// Save puts a manifest that was made from a history where the machine would have put its
// own. One that the machine wrote is never replaced: it is the better one. One that was
// made so before is, since the execution may have been resumed and have failed again.
func Save(ctx context.Context, p *cloud.Place, m *manifest.Manifest) error {
	text, err := m.Encode()
	if err != nil {
		return err
	}
	key := Key(p, m.Pipeline, m.Run)
	doing := "writing the manifest of run " + m.Run
	in := &s3.PutObjectInput{
		Bucket: aws.String(p.Bucket), Key: aws.String(key), Body: bytes.NewReader(text), ContentType: aws.String("application/json"),
		ChecksumAlgorithm: s3types.ChecksumAlgorithmSha256, IfNoneMatch: aws.String("*"), ExpectedBucketOwner: aws.String(p.Account),
	}
	p.Seal(in)
	// Two writers and a machine: whoever comes late looks what is there now.
	for range 4 {
		in.Body = bytes.NewReader(text)
		if _, err = cloud.S3(p).PutObject(ctx, in); err == nil {
			return nil
		}
		if !cloud.HasCode(err, "PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey") {
			return p.Explain(err, doing)
		}
		there, found := p.ReadObject(ctx, key, "", cloud.ManifestLimit)
		if cloud.IsAbsent(found) {
			in.IfNoneMatch, in.IfMatch = aws.String("*"), nil
			continue
		}
		if found != nil {
			return p.Explain(found, doing)
		}
		known, damaged := manifest.Decode(there.Text)
		if damaged != nil {
			return fmt.Errorf("%s: what is there cannot be read, and is left as it is: %w", doing, damaged)
		}
		if known.Status == "" || bytes.Equal(there.Text, text) {
			return nil
		}
		in.IfNoneMatch, in.IfMatch = nil, aws.String(there.ETag)
	}
	return p.Explain(err, doing)
}
