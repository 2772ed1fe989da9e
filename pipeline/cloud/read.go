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

// objectLimit is how much of an object is read: what is read is JSON that this program or
// its machines wrote, of which a mark's list of files is the longest.
const objectLimit = 64 << 20

// ReadObject reads a small object of the place's bucket, unless its ETag is known. What
// arrives is held to the checksum that S3 keeps of it, and an answer that is cut off is
// asked for again: the SDK repeats calls, and not bodies. The error of what S3 refuses is
// the SDK's own; [IsAbsent] knows that of an object which is not there.
func (p *Place) ReadObject(ctx context.Context, key, known string) (*Object, error) {
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
		text, err := whole(out)
		if err == nil {
			return &Object{Text: text, ETag: aws.ToString(out.ETag), Modified: aws.ToTime(out.LastModified).UTC()}, nil
		}
		err = fmt.Errorf("read s3://%s/%s: %w", p.Bucket, key, err)
		if errors.Is(err, errTooLong) || try == attempts {
			return nil, err
		}
		if err := p.Wait(ctx, 250*time.Millisecond<<try); err != nil {
			return nil, err
		}
	}
}

// errTooLong says that an object is none of those that are read here.
var errTooLong = fmt.Errorf("it has more than %d bytes", objectLimit)

// whole reads the body of an answer.
func whole(out *s3.GetObjectOutput) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(out.Body, objectLimit+1))
	err = errors.Join(err, out.Body.Close())
	switch {
	case err != nil:
		return nil, err
	case len(text) > objectLimit:
		return nil, errTooLong
	case out.ContentLength != nil && int64(len(text)) != *out.ContentLength:
		return nil, io.ErrUnexpectedEOF
	}
	return text, nil
}

// IsAbsent says that an object is not there, as far as the caller may know: without
// s3:ListBucket S3 says that access is denied.
func IsAbsent(err error) bool { return HasCode(err, "NoSuchKey") }

// HasCode says that an error is a service's answer with one of the codes.
func HasCode(err error, codes ...string) bool {
	code := codeOf(err)
	return code != "" && slices.Contains(codes, code)
}
