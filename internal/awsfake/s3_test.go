package awsfake

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	tmtypes "github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// configuration is the SDK's for a world behind a URL.
func configuration(w *World, url string) aws.Config {
	return aws.Config{
		Region: w.Region, BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider("AKIAFAKEFAKEFAKEFAKE", "fake", ""),
		Retryer:    func() aws.Retryer { return aws.NopRetryer{} },
		HTTPClient: HTTP(),
	}
}

// HTTP is the client of tests; like the SDK's own it follows no redirects.
func HTTP() *http.Client {
	return &http.Client{Transport: ownBody{http.DefaultTransport}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// ownBody gives the transport a body that nobody else closes. The SDK closes a request's as
// soon as an answer begins, and on loopback that can be before the transport has looked for the
// body's end: it then takes the connection for broken, with the answer half read.
type ownBody struct{ http.RoundTripper }

func (o ownBody) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		return o.RoundTripper.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err := errors.Join(err, r.Body.Close()); err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	return o.RoundTripper.RoundTrip(r)
}

// serve starts a world.
func serve(t *testing.T, w *World) string {
	server := w.Serve()
	t.Cleanup(server.Close)
	return server.URL
}

func s3Client(t *testing.T, w *World) *s3.Client {
	return s3.NewFromConfig(configuration(w, serve(t, w)), func(o *s3.Options) { o.UsePathStyle = true })
}

// answered is the code, status and text of an error of AWS.
func answered(t *testing.T, err error) string {
	t.Helper()
	var api smithy.APIError
	var response *smithyhttp.ResponseError
	if !errors.As(err, &api) || !errors.As(err, &response) {
		t.Fatalf("not an answer of the service: %v", err)
	}
	return fmt.Sprintf("%d %s: %s", response.HTTPStatusCode(), api.ErrorCode(), api.ErrorMessage())
}

func TestS3PutAndGet(t *testing.T) {
	t.Parallel()
	w := New(Options{}, "b")
	c := s3Client(t, w)
	body := []byte("age,workclass\n39,State-gov\n")
	sum := sha256.Sum256(body)
	sha := base64.StdEncoding.EncodeToString(sum[:])
	put := &s3.PutObjectInput{
		Bucket: aws.String("b"), Key: aws.String("data/é+ &/x.csv"), Body: bytes.NewReader(body), IfNoneMatch: aws.String("*"), ChecksumSHA256: &sha,
		ContentType: aws.String("text/csv"), Metadata: map[string]string{"digest": "d1"}, ServerSideEncryption: types.ServerSideEncryptionAwsKms, SSEKMSKeyId: aws.String("k1"),
		ExpectedBucketOwner: &w.Account,
	}
	out, err := c.PutObject(t.Context(), put)
	if err != nil {
		t.Fatal(err)
	}
	if got := aws.ToString(out.SSEKMSKeyId); got != "arn:aws:kms:eu-west-1:123456789012:key/k1" {
		t.Errorf("key %q", got)
	}
	got, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: put.Bucket, Key: put.Key, ChecksumMode: types.ChecksumModeEnabled})
	if err != nil {
		t.Fatal(err)
	}
	read, err := io.ReadAll(got.Body)
	if err != nil || !bytes.Equal(read, body) {
		t.Errorf("%q, %v", read, err)
	}
	if aws.ToString(got.ChecksumSHA256) != sha || got.Metadata["digest"] != "d1" || aws.ToString(got.ContentType) != "text/csv" || *got.ETag != *out.ETag {
		t.Errorf("%+v", got)
	}
	part, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: put.Bucket, Key: put.Key, Range: aws.String("bytes=-10")})
	if err != nil {
		t.Fatal(err)
	}
	if read, _ := io.ReadAll(part.Body); string(read) != "State-gov\n" || *part.ContentRange != "bytes 17-26/27" {
		t.Errorf("%q %s", read, *part.ContentRange)
	}
	put.Body = bytes.NewReader(body)
	if _, err := c.PutObject(t.Context(), put); answered(t, err) != "412 PreconditionFailed: At least one of the pre-conditions you specified did not hold" {
		t.Error(err)
	}
}

// TestS3Refusals has the words of S3 for what goes wrong.
func TestS3Refusals(t *testing.T) {
	t.Parallel()
	w := New(Options{}, "b")
	w.AddBucket("far", "us-west-2", w.Account)
	w.AddBucket("foreign", w.Region, "999999999999")
	if err := w.PutObject("b", "k", []byte("text")); err != nil {
		t.Fatal(err)
	}
	c := s3Client(t, w)
	str := aws.String
	head := func(in s3.HeadBucketInput) error { _, err := c.HeadBucket(t.Context(), &in); return err }
	get := func(in s3.GetObjectInput) error { _, err := c.GetObject(t.Context(), &in); return err }
	put := func(in s3.PutObjectInput) error {
		if in.Body == nil {
			in.Body = strings.NewReader("text")
		}
		_, err := c.PutObject(t.Context(), &in)
		return err
	}
	_, noUpload := c.UploadPart(t.Context(), &s3.UploadPartInput{Bucket: str("b"), Key: str("k"), UploadId: str("none"), PartNumber: aws.Int32(1), Body: strings.NewReader("x")})
	_, acl := c.GetObjectAcl(t.Context(), &s3.GetObjectAclInput{Bucket: str("b"), Key: str("k")})
	_, token := c.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: str("b"), ContinuationToken: str("bad")})
	_, mine := c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: str("b"), CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: "eu-west-1"}})
	_, theirs := c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: str("foreign"), CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: "eu-west-1"}})
	_, nowhere := c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: str("new")})
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"no bucket", head(s3.HeadBucketInput{Bucket: str("none")}), "404 NotFound: "},
		{"other Region", head(s3.HeadBucketInput{Bucket: str("far")}), "301 MovedPermanently: Moved Permanently"},
		{"other account", head(s3.HeadBucketInput{Bucket: str("foreign")}), "403 Forbidden: Forbidden"},
		{"other owner than expected", head(s3.HeadBucketInput{Bucket: str("b"), ExpectedBucketOwner: str("999999999999")}), "403 Forbidden: Forbidden"},
		{"no key", get(s3.GetObjectInput{Bucket: str("b"), Key: str("none")}), "404 NoSuchKey: The specified key does not exist."},
		{"get from no bucket", get(s3.GetObjectInput{Bucket: str("none"), Key: str("k")}), "404 NoSuchBucket: The specified bucket does not exist"},
		{
			"get from other Region", get(s3.GetObjectInput{Bucket: str("far"), Key: str("k")}),
			"301 PermanentRedirect: The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.",
		},
		{"range behind the end", get(s3.GetObjectInput{Bucket: str("b"), Key: str("k"), Range: str("bytes=4-")}), "416 InvalidRange: The requested range is not satisfiable"},
		{"part there is not", get(s3.GetObjectInput{Bucket: str("b"), Key: str("k"), PartNumber: aws.Int32(2)}), "416 InvalidPartNumber: The requested partnumber is not satisfiable"},
		{"changed since", get(s3.GetObjectInput{Bucket: str("b"), Key: str("k"), IfMatch: str(`"other"`)}), "412 PreconditionFailed: At least one of the pre-conditions you specified did not hold"},
		{
			"wrong checksum", put(s3.PutObjectInput{Bucket: str("b"), Key: str("n"), ChecksumSHA256: aws.String(checksum("sha256", []byte("other")))}),
			"400 BadDigest: The SHA256 you specified did not match the calculated checksum.",
		},
		{"no checksum", put(s3.PutObjectInput{Bucket: str("b"), Key: str("n"), ChecksumSHA256: str("abc")}), "400 InvalidRequest: Value for x-amz-checksum-sha256 header is invalid."},
		{"wrong MD5", put(s3.PutObjectInput{Bucket: str("b"), Key: str("n"), ContentMD5: str("AAAAAAAAAAAAAAAAAAAAAA==")}), "400 BadDigest: The Content-MD5 you specified did not match what we received."},
		{"put if unchanged, changed", put(s3.PutObjectInput{Bucket: str("b"), Key: str("k"), IfMatch: str(`"x"`)}), "412 PreconditionFailed: At least one of the pre-conditions you specified did not hold"},
		{"put if unchanged, gone", put(s3.PutObjectInput{Bucket: str("b"), Key: str("n"), IfMatch: str(`"x"`)}), "404 NoSuchKey: The specified key does not exist."},
		{"put with what is not known", put(s3.PutObjectInput{Bucket: str("b"), Key: str("n"), Tagging: str("a=b")}), "501 NotImplemented: A header you provided implies functionality that is not implemented"},
		{"long key", put(s3.PutObjectInput{Bucket: str("b"), Key: str(strings.Repeat("k", 1025))}), "400 KeyTooLongError: Your key is too long"},
		{"no upload", noUpload, "404 NoSuchUpload: The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."},
		{"operation not known", acl, "501 NotImplemented: awsfake's S3 does not know GET /b/k?acl="},
		{"token", token, "400 InvalidArgument: The continuation token provided is incorrect"},
		{"bucket is there", mine, "409 BucketAlreadyOwnedByYou: Your previous request to create the named bucket succeeded and you already own it."},
		{
			"bucket is another's", theirs,
			"409 BucketAlreadyExists: The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.",
		},
		{"bucket in no Region", nowhere, "400 IllegalLocationConstraintException: The unspecified location constraint is incompatible for the region specific endpoint this request was sent to."},
	} {
		if got := answered(t, test.err); got != test.want {
			t.Errorf("%s:\n\t%s\nwant\n\t%s", test.name, got, test.want)
		}
	}
	if keys := w.Keys("b", ""); !slices.Equal(keys, []string{"k"}) {
		t.Errorf("a refused request had an effect: %q", keys)
	}
	var response *smithyhttp.ResponseError
	errors.As(head(s3.HeadBucketInput{Bucket: str("far")}), &response)
	if region := response.Response.Header.Get("x-amz-bucket-region"); region != "us-west-2" {
		t.Errorf("the Region of the bucket is given as %q", region)
	}
}

// TestS3List pages through keys with and without folders.
func TestS3List(t *testing.T) {
	t.Parallel()
	w := New(Options{}, "b")
	for _, key := range []string{"a/1", "a/2", "b/1", "c", "d é&/x", "e", "A"} {
		if err := w.PutObject("b", key, []byte(key)); err != nil {
			t.Fatal(err)
		}
	}
	c := s3Client(t, w)
	for _, test := range []struct {
		prefix, delimiter string
		want              []string
	}{
		{"", "", []string{"A", "a/1", "a/2", "b/1", "c", "d é&/x", "e"}},
		{"", "/", []string{"A", "a/", "b/", "c", "d é&/", "e"}},
		{"a/", "/", []string{"a/1", "a/2"}},
		{"none", "/", nil},
	} {
		for size := int32(1); size < 9; size++ {
			var got []string
			pages := s3.NewListObjectsV2Paginator(c, &s3.ListObjectsV2Input{Bucket: aws.String("b"), Prefix: &test.prefix, Delimiter: &test.delimiter, MaxKeys: &size})
			for pages.HasMorePages() {
				page, err := pages.NextPage(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if *page.KeyCount > size {
					t.Errorf("a page of %d has %d", size, *page.KeyCount)
				}
				for _, o := range page.Contents {
					got = append(got, *o.Key)
				}
				for _, p := range page.CommonPrefixes {
					got = append(got, *p.Prefix)
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, test.want) {
				t.Errorf("%q by %q in pages of %d: %q, want %q", test.prefix, test.delimiter, size, got, test.want)
			}
		}
	}
	out, err := c.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("b"), Prefix: aws.String("d é"), EncodingType: types.EncodingTypeUrl})
	if err != nil {
		t.Fatal(err)
	}
	if key, err := url.QueryUnescape(*out.Contents[0].Key); err != nil || key != "d é&/x" {
		t.Errorf("%q, %v", *out.Contents[0].Key, err)
	}
}

// TestS3Delete deletes in bulk; what is not there is deleted as well.
func TestS3Delete(t *testing.T) {
	t.Parallel()
	w := New(Options{}, "b")
	for _, key := range []string{"a", "b", "c"} {
		if err := w.PutObject("b", key, nil); err != nil {
			t.Fatal(err)
		}
	}
	c := s3Client(t, w)
	out, err := c.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: aws.String("b"), Delete: &types.Delete{Objects: []types.ObjectIdentifier{
		{Key: aws.String("a")}, {Key: aws.String("none")},
	}}})
	if err != nil || len(out.Deleted) != 2 || len(out.Errors) != 0 {
		t.Fatalf("%+v, %v", out, err)
	}
	if _, err := c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("b"), Key: aws.String("c")}); err != nil {
		t.Fatal(err)
	}
	if keys := w.Keys("b", ""); !slices.Equal(keys, []string{"b"}) {
		t.Errorf("%q", keys)
	}
}

// TestS3Multipart uploads in parts and gets them back, through the SDK's transfer
// manager, too.
func TestS3Multipart(t *testing.T) {
	t.Parallel()
	w := New(Options{}, "b")
	c := s3Client(t, w)
	body := bytes.Repeat([]byte("0123456789abcdef"), 12<<20/16)
	m := transfermanager.New(c, func(o *transfermanager.Options) { o.PartSizeBytes = 5 << 20; o.MultipartUploadThreshold = 5 << 20 })
	for _, algorithm := range []tmtypes.ChecksumAlgorithm{tmtypes.ChecksumAlgorithmSha256, tmtypes.ChecksumAlgorithmCrc32, tmtypes.ChecksumAlgorithmCrc32c, ""} {
		key := aws.String("big" + string(algorithm))
		up, err := m.UploadObject(t.Context(), &transfermanager.UploadObjectInput{Bucket: aws.String("b"), Key: key, Body: bytes.NewReader(body), ChecksumAlgorithm: algorithm, IfNoneMatch: aws.String("*")})
		if err != nil {
			t.Fatalf("%s: %v", algorithm, err)
		}
		if !strings.HasSuffix(aws.ToString(up.ETag), `-3"`) {
			t.Errorf("%s: ETag %s", algorithm, aws.ToString(up.ETag))
		}
		if algorithm == tmtypes.ChecksumAlgorithmSha256 && !strings.HasSuffix(w.Object("b", *key).Checksums["sha256"], "-3") {
			t.Errorf("checksums %v", w.Object("b", *key).Checksums)
		}
		got, err := m.GetObject(t.Context(), &transfermanager.GetObjectInput{Bucket: aws.String("b"), Key: key, ChecksumMode: tmtypes.ChecksumModeEnabled})
		if err != nil {
			t.Fatalf("%s: %v", algorithm, err)
		}
		if read, err := io.ReadAll(got.Body); err != nil || !bytes.Equal(read, body) {
			t.Errorf("%s: got %d bytes, %v", algorithm, len(read), err)
		}
		plain, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("b"), Key: key, ChecksumMode: types.ChecksumModeEnabled})
		if err != nil {
			t.Fatal(err)
		}
		if read, err := io.ReadAll(plain.Body); err != nil || !bytes.Equal(read, body) {
			t.Errorf("%s: got %d bytes, %v", algorithm, len(read), err)
		}
		// The key is taken now, which is found out at the end; the upload is then aborted.
		_, err = m.UploadObject(t.Context(), &transfermanager.UploadObjectInput{Bucket: aws.String("b"), Key: key, Body: bytes.NewReader(body), ChecksumAlgorithm: algorithm, IfNoneMatch: aws.String("*")})
		if got := answered(t, err); got != "412 PreconditionFailed: At least one of the pre-conditions you specified did not hold" {
			t.Error(got)
		}
		if n := w.Uploads("b"); n != 0 {
			t.Errorf("%d uploads are left over", n)
		}
	}
}

// TestS3MultipartRefusals completes uploads as they must not be.
func TestS3MultipartRefusals(t *testing.T) {
	t.Parallel()
	w := New(Options{}, "b")
	c := s3Client(t, w)
	bucket, key := aws.String("b"), aws.String("k")
	begun, err := c.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: bucket, Key: key, ChecksumAlgorithm: types.ChecksumAlgorithmSha256})
	if err != nil {
		t.Fatal(err)
	}
	var parts []types.CompletedPart
	for n, text := range []string{"small", "last"} {
		p, err := c.UploadPart(t.Context(), &s3.UploadPartInput{
			Bucket: bucket, Key: key, UploadId: begun.UploadId, PartNumber: aws.Int32(int32(n + 1)), Body: strings.NewReader(text), ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
		})
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, types.CompletedPart{PartNumber: aws.Int32(int32(n + 1)), ETag: p.ETag, ChecksumSHA256: p.ChecksumSHA256})
	}
	bare := types.CompletedPart{PartNumber: aws.Int32(2), ETag: parts[1].ETag}
	for _, test := range []struct {
		name  string
		parts []types.CompletedPart
		want  string
	}{
		{"small part", parts, "400 EntityTooSmall: Your proposed upload is smaller than the minimum allowed size"},
		{"order", []types.CompletedPart{parts[1], parts[0]}, "400 InvalidPartOrder: The list of parts was not in ascending order. The parts list must be specified in order by part number."},
		{"no such part", []types.CompletedPart{{PartNumber: aws.Int32(3), ETag: parts[0].ETag}}, "400 InvalidPart: One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag."},
		{"no checksum", []types.CompletedPart{bare}, "400 InvalidRequest: The upload was created using a sha256 checksum. The complete request must include the checksum for each part. It was missing for part 2 in the request."},
	} {
		_, err := c.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{Bucket: bucket, Key: key, UploadId: begun.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: test.parts}})
		if got := answered(t, err); got != test.want {
			t.Errorf("%s:\n\t%s\nwant\n\t%s", test.name, got, test.want)
		}
	}
	if _, err := c.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{Bucket: bucket, Key: key, UploadId: begun.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts[1:]}}); err != nil {
		t.Error(err)
	}
	if got := string(w.GetObject("b", "k")); got != "last" {
		t.Errorf("%q", got)
	}
}

// TestS3Chunks sends bodies in aws-chunked coding, as SDKs do over TLS.
func TestS3Chunks(t *testing.T) {
	t.Parallel()
	w := New(Options{}, "b")
	server := httptest.NewTLSServer(w)
	t.Cleanup(server.Close)
	conf := configuration(w, server.URL)
	conf.HTTPClient = server.Client()
	c := s3.NewFromConfig(conf, func(o *s3.Options) { o.UsePathStyle = true })
	body := strings.Repeat("text ", 100000)
	for _, stream := range []io.Reader{strings.NewReader(body), io.MultiReader(strings.NewReader(body))} {
		_, err := c.PutObject(t.Context(), &s3.PutObjectInput{
			Bucket: aws.String("b"), Key: aws.String("k"), Body: stream, ChecksumAlgorithm: types.ChecksumAlgorithmSha256, ContentEncoding: aws.String("gzip"), ContentLength: aws.Int64(int64(len(body))),
		})
		if err != nil {
			t.Fatal(err)
		}
		o := w.Object("b", "k")
		if string(o.Body) != body || o.Headers["Content-Encoding"] != "gzip" || o.Checksums["sha256"] != checksum("sha256", o.Body) {
			t.Errorf("%d bytes, %v, %v", len(o.Body), o.Headers, o.Checksums)
		}
	}
	// A checksum behind the content that is not its own.
	chunked := "4;chunk-signature=x\r\ntext\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, server.URL+"/b/n", strings.NewReader(chunked))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"Authorization": "AWS4-HMAC-SHA256 Credential=A/20260101/eu-west-1/s3/aws4_request", "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
		"Content-Encoding": "aws-chunked", "x-amz-decoded-content-length": "4", "x-amz-trailer": "x-amz-checksum-crc32",
	} {
		r.Header.Set(name, value)
	}
	answer, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if text, _ := io.ReadAll(answer.Body); answer.StatusCode != http.StatusBadRequest || !strings.Contains(string(text), "<Code>BadDigest</Code>") || w.Object("b", "n") != nil {
		t.Errorf("%s %s", answer.Status, text)
	}
}

// TestS3Conflict deletes a key while a conditional write of it is under way.
func TestS3Conflict(t *testing.T) {
	t.Parallel()
	w := New(Options{}, "b")
	in, out := io.Pipe()
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPut, "/b/k", in)
	r.ContentLength = 4
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=A/20260101/eu-west-1/s3/aws4_request")
	r.Header.Set("If-None-Match", "*")
	answer := httptest.NewRecorder()
	done := make(chan struct{})
	go func() { w.ServeHTTP(answer, r); close(done) }()
	_, _ = out.Write([]byte("te")) // it is being read now
	w.DeleteObject("b", "k")
	_, _ = out.Write([]byte("xt"))
	out.Close()
	<-done
	if answer.Code != http.StatusConflict || !strings.Contains(answer.Body.String(), "<Code>ConditionalRequestConflict</Code>") || w.Object("b", "k") != nil {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}

func TestChecksums(t *testing.T) {
	t.Parallel()
	for algorithm, want := range map[string]string{"crc32": "y/Q5Jg==", "crc32c": "4waSgw==", "crc64nvme": "rosUhgp5mIg="} {
		if got := checksum(algorithm, []byte("123456789")); got != want {
			t.Errorf("%s: %s, want %s", algorithm, got, want)
		}
	}
}
