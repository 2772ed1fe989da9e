package awsfake

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// s3Call is one request to S3. Its operation answers by the ResponseWriter, or returns
// an *s3Error.
type s3Call struct {
	w           *World
	rw          http.ResponseWriter
	r           *http.Request
	q           url.Values
	name, key   string  // of bucket and object
	bucket      *Bucket // nil for operations on no bucket, or none that is there
	region      string  // that the request was signed for
	operation   *s3Op
	body        []byte
	contentSums map[string]string // checksums that came with the body, verified
}

// s3Op is one operation: what of a request it knows, and what it does.
type s3Op struct {
	query   []string // parameters besides x-id
	headers []string // x-amz-* besides those of every request
	// run is called with w.mu held.
	run func(*s3Call) error
	// anyBucket is for operations that do not need an own bucket in the signed Region.
	anyBucket bool
}

// s3Error is an error as S3 tells it.
type s3Error struct {
	status        int
	code, message string
	// more are further elements of the error, in pairs of name and value.
	more []string
}

func (e *s3Error) Error() string { return e.code + ": " + e.message }

// s3Refuse makes an error.
func s3Refuse(status int, code, message string, more ...string) error {
	return &s3Error{status, code, message, more}
}

// Headers and query parameters that several operations know.
var (
	s3Common    = []string{"x-amz-content-sha256", "x-amz-date", "x-amz-security-token", "x-amz-user-agent", "x-amz-expected-bucket-owner"}
	s3Checksums = []string{"x-amz-checksum-crc32", "x-amz-checksum-crc32c", "x-amz-checksum-crc64nvme", "x-amz-checksum-sha1", "x-amz-checksum-sha256"}
	s3Upload    = slices.Concat(s3Checksums, []string{"x-amz-sdk-checksum-algorithm", "x-amz-trailer", "x-amz-decoded-content-length"})
	s3Put       = []string{"x-amz-storage-class", "x-amz-meta-", sseHeader, sseHeader + "-aws-kms-key-id", sseHeader + "-bucket-key-enabled"}
)

// sseHeader says how an object is encrypted.
const sseHeader = "x-amz-server-side-encryption"

// s3Operations are the operations by name. It is filled by init, since the operations'
// refusals name them.
var s3Operations map[string]*s3Op

func init() {
	s3Operations = map[string]*s3Op{
		"ListBuckets":       {run: s3ListBuckets, query: []string{"max-buckets", "prefix"}},
		"HeadBucket":        {run: s3HeadBucket},
		"GetBucketLocation": {run: s3BucketLocation, query: []string{"location"}, anyBucket: true},
		"CreateBucket":      {run: s3CreateBucket, anyBucket: true},
		"ListObjectsV2": {
			run:   s3ListObjects,
			query: []string{"list-type", "prefix", "delimiter", "max-keys", "continuation-token", "start-after", "encoding-type", "fetch-owner"},
		},
		"ListMultipartUploads": {run: s3ListUploads, query: []string{"uploads", "prefix", "encoding-type"}},
		"DeleteObjects":        {run: s3DeleteObjects, query: []string{"delete"}, headers: s3Upload},
		"HeadObject":           {run: s3GetObject, query: []string{"partNumber"}, headers: []string{"x-amz-checksum-mode"}},
		"GetObject":            {run: s3GetObject, query: []string{"partNumber"}, headers: []string{"x-amz-checksum-mode"}},
		"DeleteObject":         {run: s3DeleteObject},
		"PutObject":            {run: s3PutObject, headers: slices.Concat(s3Upload, s3Put)},
		"CreateMultipartUpload": {
			run: s3CreateUpload, query: []string{"uploads"}, headers: slices.Concat(s3Put, []string{"x-amz-checksum-algorithm", "x-amz-checksum-type"}),
		},
		"UploadPart": {run: s3UploadPart, query: []string{"uploadId", "partNumber"}, headers: s3Upload},
		"CompleteMultipartUpload": {
			run: s3CompleteUpload, query: []string{"uploadId"}, headers: slices.Concat(s3Checksums, []string{"x-amz-checksum-type", "x-amz-mp-object-size"}),
		},
		"AbortMultipartUpload": {run: s3AbortUpload, query: []string{"uploadId"}},
		"ListParts":            {run: s3ListParts, query: []string{"uploadId", "max-parts", "part-number-marker"}},
	}
}

// s3Operation names the operation of a request in path style, nil if it is not known
// here. What a request asks for by a parameter that is not known is not guessed at.
func s3Operation(r *http.Request) (string, *s3Op) {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	q := r.URL.Query()
	where := "object"
	if bucket == "" {
		where = "service"
	} else if key == "" {
		where = "bucket"
	}
	var name string
	switch where + " " + r.Method {
	case "service GET":
		name = "ListBuckets"
	case "bucket HEAD":
		name = "HeadBucket"
	case "bucket PUT":
		name = "CreateBucket"
	case "bucket GET":
		name = either(q.Has("location"), "GetBucketLocation", either(q.Has("uploads"), "ListMultipartUploads", either(q.Get("list-type") == "2", "ListObjectsV2", "Unknown")))
	case "bucket POST":
		name = either(q.Has("delete"), "DeleteObjects", "Unknown")
	case "object HEAD":
		name = "HeadObject"
	case "object GET":
		name = either(q.Has("uploadId"), "ListParts", "GetObject")
	case "object DELETE":
		name = either(q.Has("uploadId"), "AbortMultipartUpload", "DeleteObject")
	case "object PUT":
		name = either(q.Has("uploadId"), "UploadPart", "PutObject")
	case "object POST":
		name = either(q.Has("uploads"), "CreateMultipartUpload", either(q.Has("uploadId"), "CompleteMultipartUpload", "Unknown"))
	default:
		name = "Unknown"
	}
	op := s3Operations[name]
	if op == nil {
		return "Unknown", nil
	}
	for parameter := range q {
		if parameter != "x-id" && !slices.Contains(op.query, parameter) {
			return "Unknown", nil
		}
	}
	return name, op
}

// either is one of two values.
func either(ok bool, a, b string) string {
	if ok {
		return a
	}
	return b
}

// s3 answers one request to S3.
func (w *World) s3(rw http.ResponseWriter, r *http.Request) {
	name, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	_, op := s3Operation(r)
	c := &s3Call{w: w, rw: rw, r: r, q: r.URL.Query(), name: name, key: key, operation: op}
	rw.Header().Set("x-amz-request-id", "FAKEREQUEST00001")
	rw.Header().Set("x-amz-id-2", "fake")
	if err := c.answer(); err != nil {
		var refused *s3Error
		if !errors.As(err, &refused) {
			refused = &s3Error{status: http.StatusInternalServerError, code: "InternalError", message: err.Error()}
		}
		c.refuse(refused)
	}
}

// answer checks what every operation has in common, and runs it.
func (c *s3Call) answer() error {
	if err := c.known(); err != nil {
		return err
	}
	before := c.generation()
	if err := c.read(); err != nil {
		return err
	}
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	c.bucket = c.w.buckets[c.name]
	if c.name != "" && !c.operation.anyBucket {
		if err := c.reach(); err != nil {
			return err
		}
	}
	if before >= 0 && c.bucket != nil && c.bucket.deleted[c.key] != before {
		return s3Refuse(http.StatusConflict, "ConditionalRequestConflict", "The conditional request cannot succeed due to a conflicting operation against this resource.",
			"Condition", "If-None-Match", "Key", c.key)
	}
	return c.operation.run(c)
}

// known refuses what this fake does not know of a request.
func (c *s3Call) known() error {
	if c.operation == nil {
		return s3Refuse(http.StatusNotImplemented, "NotImplemented", fmt.Sprintf("awsfake's S3 does not know %s %s", c.r.Method, c.r.URL.RequestURI()))
	}
	match := scope.FindStringSubmatch(c.r.Header.Get("Authorization"))
	if match == nil {
		return s3Refuse(http.StatusForbidden, "AccessDenied", "Access Denied")
	}
	c.region = match[3]
	for header := range c.r.Header {
		header = strings.ToLower(header)
		if !strings.HasPrefix(header, "x-amz-") || slices.Contains(s3Common, header) {
			continue
		}
		if !slices.ContainsFunc(c.operation.headers, func(known string) bool {
			return header == known || strings.HasSuffix(known, "-") && strings.HasPrefix(header, known)
		}) {
			return s3Refuse(http.StatusNotImplemented, "NotImplemented", "A header you provided implies functionality that is not implemented", "Header", header)
		}
	}
	if len(c.key) > 1024 {
		return s3Refuse(http.StatusBadRequest, "KeyTooLongError", "Your key is too long", "Size", fmt.Sprint(len(c.key)), "MaxSizeAllowed", "1024")
	}
	return nil
}

// generation is how often the key of a conditional write had been deleted when the
// request came, or -1.
func (c *s3Call) generation() int {
	if c.r.Header.Get("If-None-Match") == "" || c.r.Method == http.MethodGet || c.r.Method == http.MethodHead {
		return -1
	}
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	if b := c.w.buckets[c.name]; b != nil {
		return b.deleted[c.key]
	}
	return -1
}

// reach makes sure that the bucket is there, in the Region that was signed for, and the
// caller's. w.mu is held.
func (c *s3Call) reach() error {
	b := c.bucket
	if b == nil {
		return s3Refuse(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist", "BucketName", c.name)
	}
	c.rw.Header().Set("x-amz-bucket-region", b.Region)
	if b.Region != c.region {
		return s3Refuse(http.StatusMovedPermanently, "PermanentRedirect",
			"The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.",
			"Endpoint", b.Name+".s3-"+b.Region+".amazonaws.com", "Bucket", b.Name)
	}
	return c.owned()
}

// owned makes sure that the bucket is the caller's, and whose he thinks it is.
func (c *s3Call) owned() error {
	want := c.r.Header.Get("x-amz-expected-bucket-owner")
	if c.bucket.Owner != c.w.Account || want != "" && want != c.bucket.Owner {
		return s3Refuse(http.StatusForbidden, "AccessDenied", "Access Denied")
	}
	return nil
}

// refuse answers with an error. A HEAD has no body, so its code is the client's guess.
func (c *s3Call) refuse(e *s3Error) {
	note(c.rw, e.code)
	c.rw.Header().Set("Content-Type", "application/xml")
	if c.r.Method == http.MethodHead || e.status == http.StatusNotModified {
		c.rw.WriteHeader(e.status)
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s<Error><Code>%s</Code><Message>%s</Message>", xml.Header, escape(e.code), escape(e.message))
	for i := 0; i+1 < len(e.more); i += 2 {
		fmt.Fprintf(&b, "<%[1]s>%[2]s</%[1]s>", e.more[i], escape(e.more[i+1]))
	}
	b.WriteString("<RequestId>FAKEREQUEST00001</RequestId><HostId>fake</HostId></Error>")
	c.rw.WriteHeader(e.status)
	_, _ = io.WriteString(c.rw, b.String()) // a client that went away is no concern
}

// xml answers with a document.
func (c *s3Call) xml(v any) error {
	body, err := xml.Marshal(v)
	if err != nil {
		return err
	}
	c.rw.Header().Set("Content-Type", "application/xml")
	_, _ = io.WriteString(c.rw, xml.Header+string(body)) // a client that went away is no concern
	return nil
}

// parse reads a document that a request brought.
func (c *s3Call) parse(v any) error {
	if err := xml.Unmarshal(c.body, v); err != nil {
		return s3Refuse(http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	return nil
}
