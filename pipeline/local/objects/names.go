package objects

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

var bucketName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
})

// CheckName says what is wrong with a bucket and key, or nil. S3 takes more keys
// than a file system does; those that would not be one file below one folder are
// refused.
func CheckName(bucket, key string) error {
	if !bucketName().MatchString(bucket) {
		return fmt.Errorf("bucket name %q is not 3 to 63 lower-case letters, digits, dots and hyphens", bucket)
	}
	switch {
	case key == "":
		return fmt.Errorf("object key is empty")
	case len(key) > 1024:
		return fmt.Errorf("object key %.40q… has %d bytes, more than 1024", key, len(key))
	case !utf8.ValidString(key):
		return fmt.Errorf("object key %q is not UTF-8", key)
	case strings.ContainsFunc(key, unicode.IsControl):
		return fmt.Errorf("object key %q holds a control character", key)
	}
	for segment := range strings.SplitSeq(key, "/") {
		switch {
		case segment == "" || segment == "." || segment == "..":
			return fmt.Errorf("object key %q holds the segment %q, which no file can have", key, segment)
		case len(segment) > 255:
			return fmt.Errorf("object key holds the segment %.40q… of %d bytes, more than 255", segment, len(segment))
		}
	}
	return nil
}

// Parse takes an s3:// URI apart. The key is empty for a whole bucket, and ends in
// a slash for a folder that was written so.
func Parse(uri string) (bucket, key string, err error) {
	rest, ok := strings.CutPrefix(uri, "s3://")
	if !ok {
		return "", "", fmt.Errorf("%q is not an s3:// URI", uri)
	}
	bucket, key, _ = strings.Cut(rest, "/")
	probe := strings.TrimSuffix(key, "/")
	if probe == "" {
		probe = "any"
	}
	if err := CheckName(bucket, probe); err != nil {
		return "", "", err
	}
	return bucket, key, nil
}
