package awsfake

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/local"
)

// s3Failure is an error of S3 as an SDK integration gives it.
func s3Failure(name string, status int, text string) error {
	return asl.Fail("S3."+name, fmt.Sprintf("%s (Service: S3, Status Code: %d, Request ID: fake, Extended Request ID: fake)", text, status))
}

// forbidden is S3's refusal of what a role may not do, which its model does not name.
func forbidden(err error) error { return s3Failure("S3Exception", 403, err.Error()) }

// payloadLimit is the size of the largest result of a task.
const payloadLimit = 262144

// getObject does aws-sdk:s3:getObject.
func (t *tasks) getObject(_ context.Context, task asl.Task) (json.RawMessage, error) {
	var in struct{ Bucket, Key string }
	if err := local.ReadRequest(task, &in); err != nil {
		return nil, err
	}
	w := t.w
	if err := t.may("s3:GetObject", w.bucketARN(in.Bucket, in.Key), nil); err != nil {
		return nil, forbidden(err)
	}
	o, err := t.object(in.Bucket, in.Key)
	if err != nil {
		return nil, err
	}
	if id := o.Headers[keyHeader]; id != "" {
		if err := t.may("kms:Decrypt", id, nil); err != nil {
			return nil, forbidden(err)
		}
	}
	answer := map[string]any{
		"AcceptRanges": "bytes", "Body": strings.ToValidUTF8(string(o.Body), string(utf8.RuneError)), "ContentLength": len(o.Body),
		"ContentType": o.Headers["Content-Type"], "ETag": o.ETag, "LastModified": asl.Timestamp(o.Modified), "Metadata": map[string]any{},
		"ServerSideEncryption": o.Headers[sseHeader],
	}
	if id := o.Headers[keyHeader]; id != "" {
		answer["SsekmsKeyId"] = id
	}
	raw, err := json.Marshal(answer)
	if len(raw) > payloadLimit {
		return nil, asl.Fail(asl.ErrorDataLimitExceeded,
			"The state/task 'aws-sdk:s3' returned a result with a size exceeding the maximum number of bytes service limit.")
	}
	return raw, err
}

// object finds an object for the machine's role. Who may not list a bucket is not told that
// an object is missing.
func (t *tasks) object(bucket, key string) (*Object, error) {
	t.w.mu.Lock()
	b := t.w.buckets[bucket]
	var o *Object
	if b != nil {
		o = b.objects[key]
	}
	t.w.mu.Unlock()
	switch {
	case b == nil:
		return nil, s3Failure("NoSuchBucketException", 404, "The specified bucket does not exist")
	case o != nil:
		return o, nil
	}
	if err := t.may("s3:ListBucket", t.w.bucketARN(bucket, ""), nil); err != nil {
		return nil, forbidden(err)
	}
	return nil, s3Failure("NoSuchKeyException", 404, "The specified key does not exist.")
}

// putObject does aws-sdk:s3:putObject. The body is any JSON value and is stored as its JSON:
// a string with its quotes.
func (t *tasks) putObject(_ context.Context, task asl.Task) (json.RawMessage, error) {
	var in struct {
		Bucket, Key, ContentType, ServerSideEncryption, SSEKMSKeyId string
		Body                                                        json.RawMessage
	}
	if err := local.ReadRequest(task, &in); err != nil {
		return nil, err
	}
	w := t.w
	if err := t.may("s3:PutObject", w.bucketARN(in.Bucket, in.Key), nil); err != nil {
		return nil, forbidden(err)
	}
	key := ""
	if in.ServerSideEncryption == "aws:kms" {
		if key = in.SSEKMSKeyId; key == "" {
			key = w.ARN("kms", "alias/aws/s3")
		} else if err := t.may("kms:GenerateDataKey", key, nil); err != nil {
			return nil, forbidden(err)
		}
	}
	var body bytes.Buffer
	if len(in.Body) > 0 {
		if err := json.Compact(&body, in.Body); err != nil {
			return nil, err
		}
	}
	contentType := in.ContentType
	if contentType == "" {
		contentType = "text/plain; charset=UTF-8"
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	b := w.buckets[in.Bucket]
	if b == nil {
		return nil, s3Failure("NoSuchBucketException", 404, "The specified bucket does not exist")
	}
	o := w.object(in.Key, body.Bytes(), contentType, key)
	o.Checksums = map[string]string{"crc32": checksum("crc32", o.Body)}
	b.objects[in.Key] = o
	answer := map[string]any{
		"ChecksumCRC32": o.Checksums["crc32"], "ChecksumType": "FULL_OBJECT", "ETag": o.ETag, "ServerSideEncryption": o.Headers[sseHeader],
	}
	if key != "" {
		answer["SsekmsKeyId"] = key
	}
	return json.Marshal(answer)
}
