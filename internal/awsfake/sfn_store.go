package awsfake

import (
	"context"
	"fmt"
	"strings"

	"github.com/mlmax/mlmax/pipeline/local"
)

// jobStore is S3 as a job's role may use it.
type jobStore struct{ *job }

// may asks whether the job's role may do something. w.mu is held.
func (s *jobStore) may(action, resource string, context map[string][]string) bool {
	return s.t.w.permit(s.role, action, resource, context) == nil
}

// noDownload and noUpload are what a job fails with whose role may not read or write.
func noDownload(what string) error {
	return &local.RefusedError{Reason: "ClientError: Data download failed: AccessDenied (403): Access Denied: " + what}
}

func noUpload(what string) error {
	return &local.RefusedError{Reason: "ClientError: Artifact upload failed: AccessDenied (403): Access Denied: " + what}
}

// List implements [local.JobStore].
func (s *jobStore) List(_ context.Context, bucket, prefix string) ([]string, error) {
	w := s.t.w
	w.mu.Lock()
	defer w.mu.Unlock()
	if !s.may("s3:ListBucket", w.bucketARN(bucket, ""), map[string][]string{"s3:prefix": {prefix}}) {
		return nil, noDownload("s3:ListBucket of s3://" + bucket + "/" + prefix)
	}
	b := w.buckets[bucket]
	if b == nil {
		return nil, &local.RefusedError{Reason: "ClientError: Data download failed: NoSuchBucket (404): The specified bucket does not exist: " + bucket}
	}
	return b.keys(prefix), nil
}

// Get implements [local.JobStore].
func (s *jobStore) Get(_ context.Context, bucket, key string) ([]byte, error) {
	w := s.t.w
	w.mu.Lock()
	defer w.mu.Unlock()
	uri := "s3://" + bucket + "/" + key
	if !s.may("s3:GetObject", w.bucketARN(bucket, key), nil) {
		return nil, noDownload("s3:GetObject of " + uri)
	}
	b := w.buckets[bucket]
	if b == nil || b.objects[key] == nil {
		return nil, &local.RefusedError{Reason: fmt.Sprintf("ClientError: No S3 objects found under S3 URL %q given in input data source", uri)}
	}
	o := b.objects[key]
	if id := o.Headers[keyHeader]; id != "" && !s.may("kms:Decrypt", id, nil) {
		return nil, noDownload("kms:Decrypt of " + uri)
	}
	return o.Body, nil
}

// Put implements [local.JobStore].
func (s *jobStore) Put(_ context.Context, bucket, key string, content []byte) error {
	w := s.t.w
	w.mu.Lock()
	defer w.mu.Unlock()
	uri := "s3://" + bucket + "/" + key
	if !s.may("s3:PutObject", w.bucketARN(bucket, key), nil) {
		return noUpload("s3:PutObject of " + uri)
	}
	b := w.buckets[bucket]
	if b == nil {
		return &local.RefusedError{Reason: "ClientError: Artifact upload failed: NoSuchBucket (404): The specified bucket does not exist: " + bucket}
	}
	if s.outputKey != "" && !s.may("kms:GenerateDataKey", s.outputKey, nil) {
		return noUpload("kms:GenerateDataKey for " + uri)
	}
	b.objects[key] = w.object(key, content, "binary/octet-stream", s.outputKey)
	return nil
}

// bucketARN is that of an object, or of a bucket if there is no key.
func (w *World) bucketARN(bucket, key string) string {
	return strings.TrimSuffix("arn:"+w.Partition+":s3:::"+bucket+"/"+key, "/")
}

// keyHeader is the header that names the key of KMS.
const keyHeader = sseHeader + "-aws-kms-key-id"

// object is an object as a service of this account writes it.
func (w *World) object(key string, body []byte, contentType, kms string) *Object {
	o := &Object{
		Key: key, Body: body, Modified: w.now(), Checksums: map[string]string{"crc64nvme": checksum("crc64nvme", body)},
		Headers: map[string]string{"Content-Type": contentType, sseHeader: "AES256"},
	}
	if kms != "" {
		o.Headers[sseHeader], o.Headers[keyHeader] = "aws:kms", kms
	}
	o.ETag = o.sealed(etag(body))
	return o
}
