package cloud

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// An Object is what was read of the bucket.
type Object struct {
	Text []byte
	// ETag is that by which it can be asked for anew, and replaced.
	ETag string
	// Modified is when it was written.
	Modified time.Time
	// Same says that it is what the caller has already; there is no text then.
	Same bool
}

// ManifestLimit is how much of a manifest is read: that of a machine fits into a state's
// 256 KiB, and several are read at a time.
const ManifestLimit = 8 << 20

// A TooLargeError is the error of an object that is longer than any of its kind.
type TooLargeError struct {
	Key  string
	Most int64
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("%s has more than %d bytes", e.Key, e.Most)
}

// ReadObject reads an object of the place's bucket, unless its ETag is known. One of more
// than most bytes is a [*TooLargeError]. What arrives is held to the checksum that S3 keeps
// of it, and an answer that is cut off is asked for again: the SDK repeats calls, and not
// bodies. The error of what S3 refuses is the SDK's own; [IsAbsent] knows that of an object
// which is not there.
func (p *Place) ReadObject(ctx context.Context, key, known string, most int64) (*Object, error) {
	in := &s3.GetObjectInput{Bucket: &p.Bucket, Key: &key, ExpectedBucketOwner: p.owner(), ChecksumMode: types.ChecksumModeEnabled}
	if known != "" {
		in.IfNoneMatch = &known
	}
	client := S3(p)
	for try := 1; ; try++ {
		out, err := client.GetObject(ctx, in)
		if statusOf(err) == http.StatusNotModified {
			return &Object{ETag: known, Same: true}, nil
		}
		if err != nil {
			return nil, err
		}
		text, err := whole(out, most)
		if int64(len(text)) > most {
			return nil, &TooLargeError{key, most}
		}
		if err == nil {
			return &Object{Text: text, ETag: aws.ToString(out.ETag), Modified: aws.ToTime(out.LastModified).UTC()}, nil
		}
		err = fmt.Errorf("read s3://%s/%s: %w", p.Bucket, key, err)
		if try == attempts {
			return nil, err
		}
		if err := p.Wait(ctx, 250*time.Millisecond<<try); err != nil {
			return nil, err
		}
	}
}

// whole reads the body of an answer, and of one that is longer than most just more than that.
func whole(out *s3.GetObjectOutput, most int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(out.Body, most+1))
	err = errors.Join(err, out.Body.Close())
	if err == nil && int64(len(text)) <= most && out.ContentLength != nil && int64(len(text)) != *out.ContentLength {
		err = io.ErrUnexpectedEOF
	}
	return text, err
}

// IsAbsent says that an object is not there, as far as the caller may know: without
// s3:ListBucket S3 says that access is denied.
func IsAbsent(err error) bool {
	return statusOf(err) == http.StatusNotFound && codeOf(err) != "NoSuchBucket" // whose text may be cut off
}

// HasCode says that an error is a service's answer with one of the codes.
func HasCode(err error, codes ...string) bool {
	code := codeOf(err)
	return code != "" && slices.Contains(codes, code)
}
