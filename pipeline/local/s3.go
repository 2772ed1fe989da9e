package local

import (
	"bytes"
	"context"
	"crypto/md5" // what S3 calls an ETag; nothing is trusted for it
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"

	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/local/failpoint"
	"github.com/mlmax/mlmax/pipeline/local/objects"
	"github.com/mlmax/mlmax/pipeline/record"
)

// payloadLimit is the size of the largest result of a task (Step Functions quotas).
const payloadLimit = 262144

// s3Refused is how Step Functions names what S3's model does not name.
const s3Refused = "S3.S3Exception"

// getObject does aws-sdk:s3:getObject.
func (h *handler) getObject(ctx context.Context, t asl.Task) (json.RawMessage, error) {
	var request struct{ Bucket, Key string }
	if err := ReadRequest(t, &request); err != nil {
		return nil, err
	}
	if err := knownBucket(request.Bucket); err != nil {
		return nil, err
	}
	body, o, err := h.store.Get(ctx, request.Bucket, request.Key, payloadLimit)
	var large *objects.TooLargeError
	switch {
	case errors.Is(err, record.ErrNotFound):
		h.reasons.set(t.State, fmt.Sprintf("s3://%s/%s does not exist", request.Bucket, request.Key))
		return nil, asl.Fail("S3.NoSuchKeyException", notFound("The specified key does not exist."))
	case errors.As(err, &large):
		return nil, asl.Fail(asl.ErrorDataLimitExceeded,
			"The state/task 'aws-sdk:s3' returned a result with a size exceeding the maximum number of bytes service limit.")
	case err != nil:
		var corrupt *objects.CorruptError
		if errors.As(err, &corrupt) {
			return nil, h.mend(ctx, corrupt)
		}
		return nil, err
	}
	return json.Marshal(map[string]any{
		"AcceptRanges": "bytes", "Body": strings.ToValidUTF8(string(body), "\uFFFD"), "ContentLength": o.Bytes,
		"ContentType": "binary/octet-stream", "ETag": etag(body), "LastModified": asl.Timestamp(o.Created), "Metadata": map[string]any{},
		"ServerSideEncryption": "AES256",
	})
}

// putObject does aws-sdk:s3:putObject. The body is what Step Functions makes of
// it: any JSON value is stored as its JSON, a string with its quotes.
func (h *handler) putObject(ctx context.Context, t asl.Task) (json.RawMessage, error) {
	var request struct {
		Bucket, Key string
		Body        json.RawMessage
	}
	if err := ReadRequest(t, &request); err != nil {
		return nil, err
	}
	if err := knownBucket(request.Bucket); err != nil {
		return nil, err
	}
	if err := objects.CheckName(request.Bucket, request.Key); err != nil {
		return nil, asl.Fail(s3Refused, err.Error())
	}
	var body bytes.Buffer
	if len(request.Body) > 0 {
		if err := json.Compact(&body, request.Body); err != nil {
			return nil, fmt.Errorf("compact a checked body: %w", err)
		}
	}
	doing := fmt.Sprintf("saving s3://%s/%s", request.Bucket, request.Key)
	batch := h.store.Batch()
	defer batch.Discard()
	if err := batch.Put(request.Bucket, request.Key, body.Bytes()); err != nil {
		return nil, h.store.Explain(err, int64(body.Len()), doing)
	}
	if err := batch.Commit(ctx, h.db.PutObjects); err != nil {
		return nil, h.store.Explain(err, int64(body.Len()), doing)
	}
	failpoint.Hit(failpoint.ObjectPut)
	sum := binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(body.Bytes()))
	return json.Marshal(map[string]any{
		"ChecksumCRC32": base64.StdEncoding.EncodeToString(sum), "ChecksumType": "FULL_OBJECT",
		"ETag": etag(body.Bytes()), "ServerSideEncryption": "AES256",
	})
}

func knownBucket(name string) error {
	if name == bucket {
		return nil
	}
	return asl.Fail("S3.NoSuchBucketException", notFound("The specified bucket does not exist"))
}

func notFound(text string) string {
	return text + " (Service: S3, Status Code: 404, Request ID: local, Extended Request ID: local)"
}

func etag(body []byte) string {
	sum := md5.Sum(body)
	return `"` + hex.EncodeToString(sum[:]) + `"`
}
