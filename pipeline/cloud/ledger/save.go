package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/smithy-go"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/cloud"
	"github.com/mlmax/mlmax/pipeline/manifest"
)

// manifestName is the manifest's name in the folder of its run.
const manifestName = "manifest.json"

// limit is how much of a manifest is read: that of a machine fits into a state's 256 KiB, and
// several are read at a time.
const limit = 8 << 20

// A tooLargeError is the error of an object that is longer than any manifest.
type tooLargeError struct{ key string }

func (e *tooLargeError) Error() string {
	return fmt.Sprintf("%s has more than %d bytes", e.key, limit)
}

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
	if code(err) == "AccessDeniedException" {
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
	if p.KmsKey != "" {
		in.ServerSideEncryption, in.SSEKMSKeyId = s3types.ServerSideEncryptionAwsKms, aws.String(p.KmsKey)
	}
	// Two writers and a machine: whoever comes late looks what is there now.
	for range 4 {
		in.Body = bytes.NewReader(text)
		if _, err = cloud.S3(p).PutObject(ctx, in); err == nil {
			return nil
		}
		if c := code(err); c != "PreconditionFailed" && c != "ConditionalRequestConflict" && c != "NoSuchKey" {
			return p.Explain(err, doing)
		}
		there, found := get(ctx, p, key, "")
		if code(found) == "NoSuchKey" {
			in.IfNoneMatch, in.IfMatch = aws.String("*"), nil
			continue
		}
		if found != nil {
			return p.Explain(found, doing)
		}
		known, damaged := manifest.Decode(there.text)
		if damaged != nil {
			return fmt.Errorf("%s: what is there cannot be read, and is left as it is: %w", doing, damaged)
		}
		if known.Status == "" || bytes.Equal(there.text, text) {
			return nil
		}
		in.IfNoneMatch, in.IfMatch = nil, aws.String(there.etag)
	}
	return p.Explain(err, doing)
}

// An object is what was read of S3.
type object struct {
	text []byte
	etag string
	// modified is when it was written, in milliseconds since 1970.
	modified int64
	// same says that it is what the caller has already; there is no text then.
	same bool
}

// readings is how often an object is asked for whose content did not arrive whole.
const readings = 4

// get reads an object, unless its ETag is known. What arrives is held to the checksum that
// S3 keeps of it.
func get(ctx context.Context, p *cloud.Place, key, known string) (*object, error) {
	in := &s3.GetObjectInput{Bucket: aws.String(p.Bucket), Key: aws.String(key), ChecksumMode: s3types.ChecksumModeEnabled, ExpectedBucketOwner: aws.String(p.Account)}
	if known != "" {
		in.IfNoneMatch = aws.String(known)
	}
	var problem error
	for try := range readings {
		out, err := cloud.S3(p).GetObject(ctx, in)
		if status(err) == http.StatusNotModified {
			return &object{etag: known, same: true}, nil
		}
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(io.LimitReader(out.Body, limit+1))
		err = errors.Join(err, out.Body.Close())
		switch {
		case err == nil && len(text) > limit:
			return nil, &tooLargeError{key}
		case err == nil && out.ContentLength != nil && int64(len(text)) != *out.ContentLength:
			err = io.ErrUnexpectedEOF
		case err == nil:
			return &object{text: text, etag: aws.ToString(out.ETag), modified: aws.ToTime(out.LastModified).UnixMilli()}, nil
		}
		problem = fmt.Errorf("read s3://%s/%s: %w", p.Bucket, key, err)
		if try+1 == readings || p.Wait(ctx, pause<<try) != nil {
			break
		}
	}
	return nil, problem
}

// code is that of a service's refusal, or empty.
func code(err error) string {
	var e smithy.APIError
	if errors.As(err, &e) {
		return e.ErrorCode()
	}
	return ""
}

// status is that of the answer that holds an error, or 0.
func status(err error) int {
	var e interface{ HTTPStatusCode() int }
	if errors.As(err, &e) {
		return e.HTTPStatusCode()
	}
	return 0
}
