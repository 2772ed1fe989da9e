package awsfake

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// kept are the headers of a PutObject that are given back with the object, besides
// Content-Type and x-amz-meta-.
var kept = []string{
	"Content-Encoding", "Cache-Control", "Content-Disposition", "Content-Language", "Expires",
	sseHeader, sseHeader + "-aws-kms-key-id", sseHeader + "-bucket-key-enabled",
}

// describe makes an object of the headers of a PutObject or CreateMultipartUpload; it
// has no content yet.
func (c *s3Call) describe() (*Object, error) {
	if class := c.r.Header.Get("x-amz-storage-class"); class != "" && class != "STANDARD" {
		return nil, s3Refuse(http.StatusNotImplemented, "NotImplemented", "awsfake's S3 has no storage class "+class)
	}
	o := &Object{Key: c.key, Metadata: map[string]string{}, Checksums: map[string]string{}, Modified: c.w.now()}
	o.Headers = map[string]string{"Content-Type": c.r.Header.Get("Content-Type")}
	if o.Headers["Content-Type"] == "" {
		o.Headers["Content-Type"] = "binary/octet-stream"
	}
	size := 0
	for name, values := range c.r.Header {
		if meta, ok := strings.CutPrefix(strings.ToLower(name), "x-amz-meta-"); ok {
			o.Metadata[meta] = strings.Join(values, ",")
			size += len(meta) + len(o.Metadata[meta])
		}
	}
	if size > 2048 {
		return nil, s3Refuse(http.StatusBadRequest, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size", "Size", fmt.Sprint(size), "MaxSizeAllowed", "2048")
	}
	for _, name := range kept {
		if value := c.r.Header.Get(name); value != "" {
			o.Headers[name] = value
		}
	}
	// The coding of the transfer is not the object's.
	var codings []string
	for _, coding := range strings.Split(o.Headers["Content-Encoding"], ",") {
		if coding = strings.TrimSpace(coding); coding != "" && coding != "aws-chunked" {
			codings = append(codings, coding)
		}
	}
	delete(o.Headers, "Content-Encoding")
	if len(codings) > 0 {
		o.Headers["Content-Encoding"] = strings.Join(codings, ",")
	}
	return o, c.encrypt(o)
}

// encrypt completes what an object says about its encryption.
func (c *s3Call) encrypt(o *Object) error {
	id := sseHeader + "-aws-kms-key-id"
	key := o.Headers[id]
	switch o.Headers[sseHeader] {
	case "":
		if key != "" {
			return s3Refuse(http.StatusBadRequest, "InvalidArgument",
				"Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms", "ArgumentName", sseHeader)
		}
		o.Headers[sseHeader] = "AES256"
	case "AES256":
		if key != "" {
			return s3Refuse(http.StatusBadRequest, "InvalidArgument",
				"Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms", "ArgumentName", sseHeader, "ArgumentValue", "AES256")
		}
	case "aws:kms":
		if key == "" {
			key = "alias/aws/s3"
		}
		if !strings.HasPrefix(key, "arn:") {
			if !strings.HasPrefix(key, "alias/") {
				key = "key/" + key
			}
			key = c.w.ARN("kms", key)
		}
		o.Headers[id] = key
	default:
		return s3Refuse(http.StatusBadRequest, "InvalidArgument", "The encryption method specified is not supported", "ArgumentName", sseHeader, "ArgumentValue", o.Headers[sseHeader])
	}
	return nil
}

// sealed is the ETag of content: what a key of KMS encrypts has one that is no MD5 sum.
func (o *Object) sealed(tag string) string {
	if o.Headers[sseHeader] != "aws:kms" {
		return tag
	}
	return etag([]byte("kms " + tag))
}

// writable holds a write against its conditions. w.mu is held.
func (c *s3Call) writable() error {
	there := c.bucket.objects[c.key]
	if condition := c.r.Header.Get("If-None-Match"); condition != "" {
		if condition != "*" {
			return s3Refuse(http.StatusNotImplemented, "NotImplemented", "A header you provided implies functionality that is not implemented", "Header", "If-None-Match")
		}
		if there != nil {
			return s3Refuse(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold", "Condition", "If-None-Match")
		}
	}
	if condition := c.r.Header.Get("If-Match"); condition != "" {
		if there == nil {
			return noKey(c.key)
		}
		if strings.Trim(condition, `"`) != strings.Trim(there.ETag, `"`) {
			return s3Refuse(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold", "Condition", "If-Match")
		}
	}
	return nil
}

func noKey(key string) error {
	return s3Refuse(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.", "Key", key)
}

func s3PutObject(c *s3Call) error {
	o, err := c.describe()
	if err != nil {
		return err
	}
	if err := c.writable(); err != nil {
		return err
	}
	o.Body, o.ETag, o.Checksums = c.body, o.sealed(etag(c.body)), c.contentSums
	if len(o.Checksums) == 0 {
		o.Checksums = map[string]string{"crc64nvme": checksum("crc64nvme", c.body)}
	}
	c.bucket.objects[c.key] = o
	c.rw.Header().Set("ETag", o.ETag)
	c.sums(o.Checksums, o.Composite)
	c.encryption(o)
	return nil
}

// sums are the headers for checksums.
func (c *s3Call) sums(sums map[string]string, composite bool) {
	for algorithm, sum := range sums {
		c.rw.Header().Set("x-amz-checksum-"+algorithm, sum)
		c.rw.Header().Set("x-amz-checksum-type", checksumType(composite))
	}
}

func checksumType(composite bool) string { return either(composite, "COMPOSITE", "FULL_OBJECT") }

// encryption are the headers that say how an object is encrypted.
func (c *s3Call) encryption(o *Object) {
	for name, value := range o.Headers {
		if strings.HasPrefix(name, sseHeader) {
			c.rw.Header().Set(name, value)
		}
	}
}

func s3GetObject(c *s3Call) error {
	o := c.bucket.objects[c.key]
	if o == nil {
		return noKey(c.key)
	}
	if err := c.readable(o); err != nil {
		return err
	}
	for name, value := range o.Headers {
		c.rw.Header().Set(name, value)
	}
	for name, value := range o.Metadata {
		c.rw.Header().Set("x-amz-meta-"+name, value)
	}
	c.rw.Header().Set("ETag", o.ETag)
	c.rw.Header().Set("Last-Modified", o.Modified.Format(http.TimeFormat))
	c.rw.Header().Set("Accept-Ranges", "bytes")
	from, to, partial, err := c.extent(o)
	if err != nil {
		return err
	}
	if c.r.Header.Get("x-amz-checksum-mode") == "ENABLED" {
		switch n := c.part(); {
		case n > 0 && len(o.parts) > 0 && o.Composite:
			c.sums(o.parts[n-1].sums, true)
		case !partial || n > 0 && len(o.parts) == 0:
			c.sums(o.Checksums, o.Composite)
		}
	}
	c.rw.Header().Set("Content-Length", fmt.Sprint(to-from))
	if partial {
		c.rw.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, len(o.Body)))
		c.rw.WriteHeader(http.StatusPartialContent)
	}
	if c.r.Method == http.MethodGet {
		_, _ = c.rw.Write(o.Body[from:to]) // a client that went away is no concern
	}
	return nil
}

// readable holds a read against its conditions.
func (c *s3Call) readable(o *Object) error {
	h := c.r.Header
	is := func(tag string) bool { return tag == "*" || strings.Trim(tag, `"`) == strings.Trim(o.ETag, `"`) }
	if tag := h.Get("If-Match"); tag != "" && !is(tag) {
		return s3Refuse(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold", "Condition", "If-Match")
	}
	if since, err := http.ParseTime(h.Get("If-Unmodified-Since")); err == nil && h.Get("If-Match") == "" && o.Modified.Truncate(1e9).After(since) {
		return s3Refuse(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold", "Condition", "If-Unmodified-Since")
	}
	if tag := h.Get("If-None-Match"); tag != "" && is(tag) {
		return s3Refuse(http.StatusNotModified, "NotModified", "Not Modified")
	}
	if since, err := http.ParseTime(h.Get("If-Modified-Since")); err == nil && h.Get("If-None-Match") == "" && !o.Modified.Truncate(1e9).After(since) {
		return s3Refuse(http.StatusNotModified, "NotModified", "Not Modified")
	}
	return nil
}

// part is the number of the part that is asked for, or 0.
func (c *s3Call) part() int {
	n, err := strconv.Atoi(c.q.Get("partNumber"))
	if err != nil {
		return 0
	}
	return n
}

// extent is which bytes of an object are asked for, and whether by a range or part.
func (c *s3Call) extent(o *Object) (from, to int, partial bool, err error) {
	size := len(o.Body)
	if c.q.Has("partNumber") {
		return c.partExtent(o)
	}
	span, ok := strings.CutPrefix(c.r.Header.Get("Range"), "bytes=")
	first, last, dash := strings.Cut(span, "-")
	if !ok || !dash || strings.Contains(span, ",") {
		return 0, size, false, nil
	}
	unsatisfiable := s3Refuse(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The requested range is not satisfiable",
		"RangeRequested", c.r.Header.Get("Range"), "ActualObjectSize", fmt.Sprint(size))
	if first == "" {
		n, err := strconv.Atoi(last)
		if err != nil {
			return 0, size, false, nil
		}
		if n == 0 || size == 0 {
			return 0, 0, false, unsatisfiable
		}
		return max(0, size-n), size, true, nil
	}
	from, err = strconv.Atoi(first)
	if err != nil {
		return 0, size, false, nil
	}
	to = size
	if last != "" {
		n, err := strconv.Atoi(last)
		if err != nil || n < from {
			return 0, size, false, nil
		}
		to = min(n+1, size)
	}
	if from >= size {
		return 0, 0, false, unsatisfiable
	}
	return from, to, true, nil
}

// partExtent is where a part of an object lies. What was put whole is its own first part.
func (c *s3Call) partExtent(o *Object) (from, to int, partial bool, err error) {
	n, count := c.part(), max(1, len(o.parts))
	if n < 1 || n > 10000 {
		return 0, 0, false, s3Refuse(http.StatusBadRequest, "InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive", "ArgumentName", "partNumber", "ArgumentValue", c.q.Get("partNumber"))
	}
	if n > count {
		return 0, 0, false, s3Refuse(http.StatusRequestedRangeNotSatisfiable, "InvalidPartNumber", "The requested partnumber is not satisfiable",
			"PartNumberRequested", fmt.Sprint(n), "ActualPartCount", fmt.Sprint(count))
	}
	if len(o.parts) == 0 {
		return 0, len(o.Body), len(o.Body) > 0, nil
	}
	c.rw.Header().Set("x-amz-mp-parts-count", fmt.Sprint(count))
	for _, p := range o.parts[:n-1] {
		from += p.size
	}
	return from, from + o.parts[n-1].size, true, nil
}
