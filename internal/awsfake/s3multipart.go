package awsfake

import (
	"bytes"
	"crypto/md5" // what an ETag is made from
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// upload is a multipart upload that was begun.
type upload struct {
	id        string
	object    *Object // its headers; no content
	algorithm string  // of the checksum that every part has
	composite bool
	asked     bool // the client named the algorithm
	parts     map[int]*uploaded
}

// uploaded is a part. body is nil in the parts of an object.
type uploaded struct {
	body []byte
	size int
	etag string
	sums map[string]string
}

// smallest is the least size of a part that is not the last.
const smallest = 5 << 20

func s3CreateUpload(c *s3Call) error {
	o, err := c.describe()
	if err != nil {
		return err
	}
	u := &upload{object: o, algorithm: strings.ToLower(c.r.Header.Get("x-amz-checksum-algorithm")), parts: map[int]*uploaded{}}
	kind := c.r.Header.Get("x-amz-checksum-type")
	if u.asked = u.algorithm != ""; !u.asked {
		u.algorithm = "crc64nvme"
		if kind != "" {
			return s3Refuse(http.StatusBadRequest, "InvalidRequest", "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.")
		}
	}
	if !slices.Contains(algorithms, u.algorithm) {
		return s3Refuse(http.StatusBadRequest, "InvalidRequest", "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
	}
	u.composite = u.algorithm != "crc64nvme"
	if kind != "" {
		u.composite = kind == "COMPOSITE"
		whole := !strings.HasPrefix(u.algorithm, "sha")
		if kind != "COMPOSITE" && kind != "FULL_OBJECT" || u.composite && u.algorithm == "crc64nvme" || !u.composite && !whole {
			return s3Refuse(http.StatusBadRequest, "InvalidRequest", fmt.Sprintf("The %s checksum type cannot be used with the %s checksum algorithm.", kind, u.algorithm))
		}
	}
	c.w.next++
	u.id = fmt.Sprintf("upload%08d", c.w.next)
	c.bucket.uploads[u.id] = u
	c.encryption(o)
	if u.asked {
		c.rw.Header().Set("x-amz-checksum-algorithm", strings.ToUpper(u.algorithm))
		c.rw.Header().Set("x-amz-checksum-type", checksumType(u.composite))
	}
	return c.xml(struct {
		XMLName               xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ InitiateMultipartUploadResult"`
		Bucket, Key, UploadId string
	}{Bucket: c.name, Key: c.key, UploadId: u.id})
}

// upload finds the upload of a request.
func (c *s3Call) upload() (*upload, error) {
	u := c.bucket.uploads[c.q.Get("uploadId")]
	if u == nil || u.object.Key != c.key {
		return nil, s3Refuse(http.StatusNotFound, "NoSuchUpload",
			"The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.", "UploadId", c.q.Get("uploadId"))
	}
	return u, nil
}

func s3UploadPart(c *s3Call) error {
	u, err := c.upload()
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(c.q.Get("partNumber"))
	if err != nil || n < 1 || n > 10000 {
		return s3Refuse(http.StatusBadRequest, "InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive", "ArgumentName", "partNumber", "ArgumentValue", c.q.Get("partNumber"))
	}
	for algorithm := range c.contentSums {
		if u.asked && algorithm != u.algorithm {
			return s3Refuse(http.StatusBadRequest, "InvalidRequest", fmt.Sprintf("Checksum Type mismatch occurred, expected checksum Type: %s, actual checksum Type: %s", u.algorithm, algorithm))
		}
	}
	if u.asked && u.composite && len(c.contentSums) == 0 {
		return s3Refuse(http.StatusBadRequest, "InvalidRequest", fmt.Sprintf("Checksum Type mismatch occurred, expected checksum Type: %s, actual checksum Type: null", u.algorithm))
	}
	p := &uploaded{body: c.body, size: len(c.body), etag: u.object.sealed(etag(c.body)), sums: c.contentSums}
	if len(p.sums) == 0 {
		p.sums = map[string]string{u.algorithm: checksum(u.algorithm, c.body)}
	}
	u.parts[n] = p
	c.rw.Header().Set("ETag", p.etag)
	for algorithm, sum := range p.sums {
		c.rw.Header().Set("x-amz-checksum-"+algorithm, sum)
	}
	c.encryption(u.object)
	return nil
}

// completion is the request of CompleteMultipartUpload.
type completion struct {
	Part []struct {
		PartNumber                                                                     int
		ETag                                                                           string
		ChecksumCRC32, ChecksumCRC32C, ChecksumCRC64NVME, ChecksumSHA1, ChecksumSHA256 string
	}
}

func s3CompleteUpload(c *s3Call) error {
	u, err := c.upload()
	if err != nil {
		return err
	}
	var in completion
	if err := c.parse(&in); err != nil {
		return err
	}
	o, err := u.assemble(in)
	if err != nil {
		return err
	}
	if size := c.r.Header.Get("x-amz-mp-object-size"); size != "" && size != fmt.Sprint(len(o.Body)) {
		return s3Refuse(http.StatusBadRequest, "InvalidRequest", "The provided 'x-amz-mp-object-size' header value "+size+" does not match what was computed: "+fmt.Sprint(len(o.Body)))
	}
	if kind := c.r.Header.Get("x-amz-checksum-type"); kind != "" && kind != checksumType(u.composite) {
		return s3Refuse(http.StatusBadRequest, "InvalidRequest", fmt.Sprintf("The upload was created using the %s checksum mode. The complete request must use the same checksum mode.", checksumType(u.composite)))
	}
	for algorithm, want := range c.contentSums {
		have := o.Checksums[algorithm]
		if have == "" {
			return s3Refuse(http.StatusBadRequest, "InvalidRequest", fmt.Sprintf("Checksum Type mismatch occurred, expected checksum Type: %s, actual checksum Type: %s", u.algorithm, algorithm))
		}
		if !strings.Contains(want, "-") {
			have, _, _ = strings.Cut(have, "-")
		}
		if err := matches(algorithm, want, have); err != nil {
			return err
		}
	}
	if err := c.writable(); err != nil {
		return err
	}
	o.Modified = c.w.now()
	c.bucket.objects[c.key] = o
	delete(c.bucket.uploads, u.id)
	c.encryption(o)
	return c.xml(struct {
		XMLName                     xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CompleteMultipartUploadResult"`
		Location, Bucket, Key, ETag string
		ChecksumCRC32               string `xml:",omitempty"`
		ChecksumCRC32C              string `xml:",omitempty"`
		ChecksumCRC64NVME           string `xml:",omitempty"`
		ChecksumSHA1                string `xml:",omitempty"`
		ChecksumSHA256              string `xml:",omitempty"`
		ChecksumType                string
	}{
		Location: "https://" + c.name + ".s3." + c.bucket.Region + ".amazonaws.com/" + c.key, Bucket: c.name, Key: c.key, ETag: o.ETag,
		ChecksumCRC32: o.Checksums["crc32"], ChecksumCRC32C: o.Checksums["crc32c"], ChecksumCRC64NVME: o.Checksums["crc64nvme"],
		ChecksumSHA1: o.Checksums["sha1"], ChecksumSHA256: o.Checksums["sha256"], ChecksumType: checksumType(o.Composite),
	})
}

// assemble makes the object of the parts that are named.
func (u *upload) assemble(in completion) (*Object, error) {
	if len(in.Part) == 0 {
		return nil, s3Refuse(http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	for i := 1; i < len(in.Part); i++ {
		if in.Part[i].PartNumber <= in.Part[i-1].PartNumber {
			return nil, s3Refuse(http.StatusBadRequest, "InvalidPartOrder", "The list of parts was not in ascending order. The parts list must be specified in order by part number.")
		}
	}
	o := *u.object
	var tags, sums []byte
	for i, named := range in.Part {
		p := u.parts[named.PartNumber]
		said := map[string]string{
			"crc32": named.ChecksumCRC32, "crc32c": named.ChecksumCRC32C, "crc64nvme": named.ChecksumCRC64NVME, "sha1": named.ChecksumSHA1, "sha256": named.ChecksumSHA256,
		}
		if p == nil || strings.Trim(named.ETag, `"`) != strings.Trim(p.etag, `"`) || !p.has(said) {
			return nil, s3Refuse(http.StatusBadRequest, "InvalidPart",
				"One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
				"PartNumber", fmt.Sprint(named.PartNumber), "ETag", named.ETag)
		}
		if u.asked && u.composite && said[u.algorithm] == "" {
			return nil, s3Refuse(http.StatusBadRequest, "InvalidRequest", fmt.Sprintf(
				"The upload was created using a %s checksum. The complete request must include the checksum for each part. It was missing for part %d in the request.", u.algorithm, named.PartNumber))
		}
		if i < len(in.Part)-1 && p.size < smallest {
			return nil, s3Refuse(http.StatusBadRequest, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size",
				"PartNumber", fmt.Sprint(named.PartNumber), "ProposedSize", fmt.Sprint(p.size), "MinSizeAllowed", fmt.Sprint(smallest))
		}
		o.Body = append(o.Body, p.body...)
		o.parts = append(o.parts, uploaded{size: p.size, etag: p.etag, sums: p.sums})
		tag := md5.Sum(p.body)
		tags = append(tags, tag[:]...)
		raw, err := base64.StdEncoding.DecodeString(p.sums[u.algorithm])
		if err != nil {
			return nil, err
		}
		sums = append(sums, raw...)
	}
	total := md5.Sum(tags)
	o.ETag = o.sealed(`"` + hex.EncodeToString(total[:]))
	o.ETag = fmt.Sprintf(`"%s-%d"`, strings.Trim(o.ETag, `"`), len(in.Part))
	o.Composite = u.composite
	o.Checksums = map[string]string{u.algorithm: checksum(u.algorithm, o.Body)}
	if u.composite {
		o.Checksums[u.algorithm] = fmt.Sprintf("%s-%d", checksum(u.algorithm, sums), len(in.Part))
	}
	return &o, nil
}

// has is whether a part's checksums are those that are said of it.
func (p *uploaded) has(said map[string]string) bool {
	for algorithm, sum := range said {
		if sum != "" && sum != p.sums[algorithm] && sum != checksum(algorithm, p.body) {
			return false
		}
	}
	return true
}

func s3AbortUpload(c *s3Call) error {
	u, err := c.upload()
	if err != nil {
		return err
	}
	delete(c.bucket.uploads, u.id)
	c.rw.WriteHeader(http.StatusNoContent)
	return nil
}

func s3ListParts(c *s3Call) error {
	u, err := c.upload()
	if err != nil {
		return err
	}
	if c.q.Has("max-parts") || c.q.Has("part-number-marker") {
		return s3Refuse(http.StatusNotImplemented, "NotImplemented", "awsfake's S3 lists all parts at once")
	}
	type part struct {
		PartNumber   int
		ETag         string
		Size         int
		LastModified string
	}
	out := struct {
		XMLName                             xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListPartsResult"`
		Bucket, Key, UploadId, StorageClass string
		IsTruncated                         bool
		MaxParts                            int
		Part                                []part
	}{Bucket: c.name, Key: c.key, UploadId: u.id, StorageClass: "STANDARD", MaxParts: 10000}
	for _, n := range slices.Sorted(maps.Keys(u.parts)) {
		p := u.parts[n]
		out.Part = append(out.Part, part{n, p.etag, p.size, u.object.Modified.Truncate(1e9).Format(iso)})
	}
	return c.xml(out)
}

func s3ListUploads(c *s3Call) error {
	type one struct{ Key, UploadId, StorageClass, Initiated string }
	out := struct {
		XMLName        xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListMultipartUploadsResult"`
		Bucket, Prefix string
		EncodingType   string `xml:",omitempty"`
		MaxUploads     int
		IsTruncated    bool
		Upload         []one
	}{Bucket: c.name, Prefix: c.encoded(c.q.Get("prefix")), EncodingType: c.q.Get("encoding-type"), MaxUploads: 1000}
	for _, id := range slices.Sorted(maps.Keys(c.bucket.uploads)) {
		u := c.bucket.uploads[id]
		if strings.HasPrefix(u.object.Key, c.q.Get("prefix")) {
			out.Upload = append(out.Upload, one{c.encoded(u.object.Key), id, "STANDARD", u.object.Modified.Truncate(1e9).Format(iso)})
		}
	}
	slices.SortStableFunc(out.Upload, func(a, b one) int { return bytes.Compare([]byte(a.Key), []byte(b.Key)) })
	return c.xml(out)
}
