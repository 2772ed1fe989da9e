package awsfake

import (
	"encoding/xml"
	"net/http"
)

func s3DeleteObject(c *s3Call) error {
	if c.r.Header.Get("If-Match") != "" {
		return s3Refuse(http.StatusNotImplemented, "NotImplemented", "A header you provided implies functionality that is not implemented", "Header", "If-Match")
	}
	c.bucket.remove(c.key)
	c.rw.WriteHeader(http.StatusNoContent)
	return nil
}

func s3DeleteObjects(c *s3Call) error {
	if c.r.Header.Get("Content-MD5") == "" && len(c.contentSums) == 0 {
		return s3Refuse(http.StatusBadRequest, "InvalidRequest", "Missing required header for this request: Content-MD5 OR x-amz-checksum-*")
	}
	var in struct {
		Quiet  bool
		Object []struct {
			Key       string
			VersionId string
			ETag      string
		}
	}
	if err := c.parse(&in); err != nil {
		return err
	}
	if len(in.Object) == 0 || len(in.Object) > 1000 {
		return s3Refuse(http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	type deleted struct{ Key string }
	out := struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ DeleteResult"`
		Deleted []deleted
	}{}
	for _, o := range in.Object {
		if o.VersionId != "" || o.ETag != "" {
			return s3Refuse(http.StatusNotImplemented, "NotImplemented", "awsfake's S3 deletes by key only")
		}
		c.bucket.remove(o.Key)
		if !in.Quiet {
			out.Deleted = append(out.Deleted, deleted{o.Key})
		}
	}
	return c.xml(out)
}
