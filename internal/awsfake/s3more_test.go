package awsfake

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// TestS3Uploads lists what is left over of uploads, and removes it.
func TestS3Uploads(t *testing.T) {
	t.Parallel()
	w := New(Options{}, "b")
	c := s3Client(t, w)
	bucket, ctx := aws.String("b"), t.Context()
	for _, key := range []string{"runs/z", "runs/a", "other"} {
		begun, err := c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: bucket, Key: &key})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.UploadPart(ctx, &s3.UploadPartInput{Bucket: bucket, Key: &key, UploadId: begun.UploadId, PartNumber: aws.Int32(2), Body: strings.NewReader("text")}); err != nil {
			t.Fatal(err)
		}
	}
	left, err := c.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: bucket, Prefix: aws.String("runs/")})
	if err != nil || len(left.Uploads) != 2 || *left.Uploads[0].Key != "runs/a" {
		t.Fatalf("%+v, %v", left, err)
	}
	for _, u := range left.Uploads {
		parts, err := c.ListParts(ctx, &s3.ListPartsInput{Bucket: bucket, Key: u.Key, UploadId: u.UploadId})
		if err != nil || len(parts.Parts) != 1 || *parts.Parts[0].PartNumber != 2 || *parts.Parts[0].Size != 4 {
			t.Errorf("%+v, %v", parts, err)
		}
		abort := &s3.AbortMultipartUploadInput{Bucket: bucket, Key: u.Key, UploadId: u.UploadId}
		if _, err := c.AbortMultipartUpload(ctx, abort); err != nil {
			t.Error(err)
		}
		if _, err := c.AbortMultipartUpload(ctx, abort); !strings.HasPrefix(answered(t, err), "404 NoSuchUpload: ") {
			t.Error(err)
		}
	}
	if n := w.Uploads("b"); n != 1 || len(w.Keys("b", "")) != 0 {
		t.Errorf("%d uploads, keys %q", n, w.Keys("b", ""))
	}
}

// TestS3Buckets tells where buckets are, and makes one.
func TestS3Buckets(t *testing.T) {
	t.Parallel()
	w := New(Options{}, "here")
	w.AddBucket("old", "us-east-1", w.Account)
	w.AddBucket("far", "us-west-2", w.Account)
	url := serve(t, w)
	for _, test := range []struct{ from, bucket, want string }{
		{"eu-west-1", "here", "eu-west-1"},
		{"us-east-1", "old", ""},
		{"us-east-1", "far", "us-west-2"},
		{"eu-west-1", "far", "301 PermanentRedirect"},
		{"eu-west-1", "none", "404 NoSuchBucket"},
	} {
		conf := configuration(w, url)
		conf.Region = test.from
		out, err := s3.NewFromConfig(conf, func(o *s3.Options) { o.UsePathStyle = true }).GetBucketLocation(t.Context(), &s3.GetBucketLocationInput{Bucket: &test.bucket})
		var got string
		if err != nil {
			got, _, _ = strings.Cut(answered(t, err), ":")
		} else {
			got = string(out.LocationConstraint)
		}
		if got != test.want {
			t.Errorf("%s asked from %s: %q, want %q", test.bucket, test.from, got, test.want)
		}
	}
	c := s3.NewFromConfig(configuration(w, url), func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("new-one"), CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: "eu-west-1"}}); err != nil {
		t.Error(err)
	}
	head, err := c.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: aws.String("new-one"), ExpectedBucketOwner: &w.Account})
	if err != nil || *head.BucketRegion != "eu-west-1" {
		t.Errorf("%+v, %v", head, err)
	}
}

// TestS3Conditions reads under conditions.
func TestS3Conditions(t *testing.T) {
	t.Parallel()
	w := New(Options{}, "b")
	if err := w.PutObject("b", "k", []byte("text")); err != nil {
		t.Fatal(err)
	}
	tag := w.Object("b", "k").ETag
	c := s3Client(t, w)
	for _, test := range []struct {
		in   s3.HeadObjectInput
		want int
	}{
		{s3.HeadObjectInput{IfMatch: &tag}, 200},
		{s3.HeadObjectInput{IfMatch: aws.String("x")}, 412},
		{s3.HeadObjectInput{IfNoneMatch: &tag}, 304},
		{s3.HeadObjectInput{IfNoneMatch: aws.String("x")}, 200},
		{s3.HeadObjectInput{IfModifiedSince: aws.Time(time.Now().Add(time.Hour))}, 304},
		{s3.HeadObjectInput{IfUnmodifiedSince: aws.Time(time.Now().Add(-time.Hour))}, 412},
	} {
		test.in.Bucket, test.in.Key = aws.String("b"), aws.String("k")
		out, err := c.HeadObject(t.Context(), &test.in)
		got := "200"
		if err != nil {
			got = answered(t, err)
		} else if out.ServerSideEncryption != types.ServerSideEncryptionAes256 || *out.ContentLength != 4 {
			t.Errorf("%+v", out)
		}
		if !strings.HasPrefix(got, fmt.Sprint(test.want)) {
			t.Errorf("%s, want %d", got, test.want)
		}
	}
	calls := w.Calls()
	if last := calls[len(calls)-1]; last != (Call{"s3", "HeadObject", http.StatusPreconditionFailed, "PreconditionFailed"}) {
		t.Errorf("%+v", last)
	}
}
