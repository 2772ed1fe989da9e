package awsfake

import (
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// bucketName is what a bucket can be called.
var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// iso is a time in S3's XML: whole seconds.
const iso = "2006-01-02T15:04:05.000Z"

func s3ListBuckets(c *s3Call) error {
	type bucket struct{ Name, BucketRegion, CreationDate string }
	out := struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListAllMyBucketsResult"`
		Owner   struct{ ID string }
		Buckets struct{ Bucket []bucket }
	}{}
	if c.q.Has("prefix") || c.q.Has("max-buckets") {
		return s3Refuse(http.StatusNotImplemented, "NotImplemented", "awsfake's S3 lists all buckets at once")
	}
	out.Owner.ID = c.w.Account
	for _, name := range slices.Sorted(maps.Keys(c.w.buckets)) {
		if b := c.w.buckets[name]; b.Owner == c.w.Account {
			out.Buckets.Bucket = append(out.Buckets.Bucket, bucket{b.Name, b.Region, b.Created.Truncate(1e9).Format(iso)})
		}
	}
	return c.xml(out)
}

func s3HeadBucket(c *s3Call) error {
	c.rw.Header().Set("x-amz-access-point-alias", "false")
	return nil
}

// s3BucketLocation can be asked of us-east-1 for any bucket, and of a bucket's Region.
func s3BucketLocation(c *s3Call) error {
	if c.bucket == nil || c.region != "us-east-1" {
		if err := c.reach(); err != nil {
			return err
		}
	} else if err := c.owned(); err != nil {
		return err
	}
	location := c.bucket.Region
	if location == "us-east-1" {
		location = "" // it was there before there were others
	}
	return c.xml(struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ LocationConstraint"`
		Region  string   `xml:",chardata"`
	}{Region: location})
}

func s3CreateBucket(c *s3Call) error {
	if c.bucket == nil && !bucketName.MatchString(c.name) {
		return s3Refuse(http.StatusBadRequest, "InvalidBucketName", "The specified bucket is not valid.", "BucketName", c.name)
	}
	var in struct{ LocationConstraint string }
	if len(c.body) > 0 {
		if err := c.parse(&in); err != nil {
			return err
		}
	}
	region := in.LocationConstraint
	if region == "" {
		region = "us-east-1"
	}
	if region != c.region {
		text := fmt.Sprintf("The %s location constraint is incompatible for the region specific endpoint this request was sent to.", either(in.LocationConstraint == "", "unspecified", in.LocationConstraint))
		return s3Refuse(http.StatusBadRequest, "IllegalLocationConstraintException", text)
	}
	if c.bucket != nil {
		if c.bucket.Owner != c.w.Account {
			return s3Refuse(http.StatusConflict, "BucketAlreadyExists",
				"The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.", "BucketName", c.name)
		}
		return s3Refuse(http.StatusConflict, "BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it.", "BucketName", c.name)
	}
	c.w.addBucket(c.name, region, c.w.Account)
	c.rw.Header().Set("Location", "/"+c.name)
	return nil
}

// listed is what ListObjectsV2 says of one object.
type listed struct {
	Key, LastModified, ETag string
	ChecksumAlgorithm       []string
	ChecksumType            string
	Size                    int
	StorageClass            string
}

// listing is the answer of ListObjectsV2.
type listing struct {
	XMLName               xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListBucketResult"`
	Name, Prefix          string
	Delimiter             string `xml:",omitempty"`
	StartAfter            string `xml:",omitempty"`
	EncodingType          string `xml:",omitempty"`
	ContinuationToken     string `xml:",omitempty"`
	NextContinuationToken string `xml:",omitempty"`
	KeyCount, MaxKeys     int
	IsTruncated           bool
	Contents              []listed
	CommonPrefixes        []struct{ Prefix string }
}

func s3ListObjects(c *s3Call) error {
	if c.q.Get("fetch-owner") == "true" {
		return s3Refuse(http.StatusNotImplemented, "NotImplemented", "awsfake's S3 lists no owners")
	}
	out, after, err := c.listing()
	if err != nil {
		return err
	}
	prefix, delimiter := c.q.Get("prefix"), c.q.Get("delimiter")
	last := ""
	for _, key := range c.bucket.keys(prefix) {
		entry, folder := key, false
		if rest := key[len(prefix):]; delimiter != "" {
			if i := strings.Index(rest, delimiter); i >= 0 {
				entry, folder = prefix+rest[:i+len(delimiter)], true
			}
		}
		if entry <= after || folder && strings.HasPrefix(after, entry) || folder && entry == last {
			continue // said on a page before, or just now
		}
		if out.KeyCount == out.MaxKeys {
			out.IsTruncated = out.MaxKeys > 0
			break
		}
		out.KeyCount++
		last = entry
		if folder {
			out.CommonPrefixes = append(out.CommonPrefixes, struct{ Prefix string }{c.encoded(entry)})
			continue
		}
		o := c.bucket.objects[key]
		one := listed{
			Key: c.encoded(key), LastModified: o.Modified.Truncate(1e9).Format(iso), ETag: o.ETag, Size: len(o.Body), StorageClass: "STANDARD",
			ChecksumType: checksumType(o.Composite),
		}
		for _, algorithm := range slices.Sorted(maps.Keys(o.Checksums)) {
			one.ChecksumAlgorithm = append(one.ChecksumAlgorithm, strings.ToUpper(algorithm))
		}
		out.Contents = append(out.Contents, one)
	}
	if out.IsTruncated {
		out.NextContinuationToken = base64.StdEncoding.EncodeToString([]byte("after " + last))
	}
	return c.xml(out)
}

// listing is the head of an answer to ListObjectsV2, and the entry behind which it begins.
func (c *s3Call) listing() (*listing, string, error) {
	out := &listing{
		Name: c.name, Prefix: c.encoded(c.q.Get("prefix")), Delimiter: c.encoded(c.q.Get("delimiter")), StartAfter: c.encoded(c.q.Get("start-after")),
		EncodingType: c.q.Get("encoding-type"), ContinuationToken: c.q.Get("continuation-token"), MaxKeys: 1000,
	}
	if out.EncodingType != "" && out.EncodingType != "url" {
		return nil, "", s3Refuse(http.StatusBadRequest, "InvalidArgument", "Invalid Encoding Method specified in Request", "ArgumentName", "encoding-type", "ArgumentValue", out.EncodingType)
	}
	if c.q.Has("max-keys") {
		n, err := strconv.Atoi(c.q.Get("max-keys"))
		if err != nil || n < 0 {
			return nil, "", s3Refuse(http.StatusBadRequest, "InvalidArgument", "Argument maxKeys must be an integer between 0 and 2147483647", "ArgumentName", "maxKeys", "ArgumentValue", c.q.Get("max-keys"))
		}
		out.MaxKeys = min(n, 1000)
	}
	after := c.q.Get("start-after")
	if c.q.Has("continuation-token") {
		raw, err := base64.StdEncoding.DecodeString(out.ContinuationToken)
		entry, ok := strings.CutPrefix(string(raw), "after ")
		if err != nil || !ok {
			return nil, "", s3Refuse(http.StatusBadRequest, "InvalidArgument", "The continuation token provided is incorrect", "ArgumentName", "continuation-token")
		}
		after = entry
	}
	return out, after, nil
}

// encoded is a key as it is listed: any key can be asked for in URL encoding, since XML
// cannot hold each.
func (c *s3Call) encoded(key string) string {
	if c.q.Get("encoding-type") != "url" {
		return key
	}
	return strings.ReplaceAll(url.QueryEscape(key), "%2F", "/")
}
