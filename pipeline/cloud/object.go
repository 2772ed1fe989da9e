package cloud

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// An object is something to be uploaded under a key that its content asks for, and which is
// therefore never written twice.
type object struct {
	key, kind string // kind is the content type
	// name is what the file is called where it comes from.
	name string
	// sum is what its content has to be; who reads it anew must find the same.
	sum  sum
	open func() (io.ReadCloser, error)
	// sent hears of each part that has been sent; nil where nobody asks.
	sent func(bytes int64)
	// holds says that what is there under the key, and is not the same bytes, means the
	// same; nil where nothing else can.
	holds func(io.Reader) error
}

// A sum is the SHA-256 of some content.
type sum struct {
	size int64
	// hex is of the whole; composite is S3's, of the sums of parts, if it goes in parts.
	hex, composite string
}

// sumOf reads content that is known to have about this size.
func sumOf(r io.Reader, size int64) (sum, error) {
	whole, parts := sha256.New(), sha256.New()
	if size < part {
		n, err := io.Copy(whole, r)
		return sum{size: n, hex: hex.EncodeToString(whole.Sum(nil))}, err
	}
	var n, count int64
	for {
		one := sha256.New()
		read, err := io.CopyN(io.MultiWriter(whole, one), r, partOf(size))
		if read > 0 {
			n, count = n+read, count+1
			parts.Write(one.Sum(nil))
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return sum{}, err
		}
	}
	return sum{n, hex.EncodeToString(whole.Sum(nil)), fmt.Sprintf("%s-%d", base64.StdEncoding.EncodeToString(parts.Sum(nil)), count)}, nil
}

// base64 is the sum of the whole as S3 writes it.
func (s sum) base64() string {
	raw, err := hex.DecodeString(s.hex)
	if err != nil {
		panic(err) // we made it
	}
	return base64.StdEncoding.EncodeToString(raw)
}

// errChanged says that content is not what it was when its digest was taken.
var errChanged = errors.New("it changed while it was read")

// storage is the client of S3 for uploads: it also tries again where two writers met.
func (p *Place) storage() *s3.Client {
	return s3.NewFromConfig(p.config, func(o *s3.Options) {
		o.Retryer = retry.AddWithErrorCodes(o.Retryer, conflictCodes...)
	})
}

// put uploads an object unless it is there. It says whether it was not. What is there is
// verified.
func (p *Place) put(ctx context.Context, client *s3.Client, o object) (anew bool, err error) {
	if o.sum.size < part {
		err = p.putWhole(ctx, client, o)
	} else {
		err = p.putParts(ctx, client, o)
	}
	doing := "uploading s3://" + p.Bucket + "/" + o.key
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, errChanged) || ctx.Err() != nil:
		return false, p.Explain(err, doing)
	case codeOf(err) == "PreconditionFailed":
		return false, p.same(ctx, client, o)
	}
	return false, p.Explain(err, doing)
}

// putWhole uploads in one request.
func (p *Place) putWhole(ctx context.Context, client *s3.Client, o object) error {
	in, err := o.open()
	if err != nil {
		return err
	}
	defer in.Close()
	body, err := io.ReadAll(io.LimitReader(in, o.sum.size+1))
	if err != nil {
		return err
	}
	if found := sha256.Sum256(body); hex.EncodeToString(found[:]) != o.sum.hex {
		return errChanged
	}
	request := &s3.PutObjectInput{
		Bucket: &p.Bucket, Key: &o.key, ExpectedBucketOwner: p.owner(), IfNoneMatch: aws.String("*"),
		Body: bytes.NewReader(body), ChecksumAlgorithm: types.ChecksumAlgorithmSha256, ChecksumSHA256: aws.String(o.sum.base64()), ContentType: &o.kind,
	}
	p.seal(request)
	_, err = client.PutObject(ctx, request)
	return err
}

// errAbsent says that there is no object.
var errAbsent = errors.New("there is no such object")

// head asks for an object's size and checksum.
func (p *Place) head(ctx context.Context, client *s3.Client, key string) (*s3.HeadObjectOutput, error) {
	found, err := client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &p.Bucket, Key: &key, ExpectedBucketOwner: p.owner(), ChecksumMode: types.ChecksumModeEnabled})
	switch statusOf(err) {
	case http.StatusNotFound:
		return nil, errAbsent
	case http.StatusBadRequest, http.StatusForbidden: // a HEAD is refused without a text
		_, said := client.GetObject(ctx, &s3.GetObjectInput{Bucket: &p.Bucket, Key: &key, ExpectedBucketOwner: p.owner(), Range: aws.String("bytes=0-0")})
		if statusOf(said) == http.StatusNotFound {
			return nil, errAbsent
		}
		if said != nil {
			err = said
		}
	}
	return found, p.Explain(err, "looking for s3://"+p.Bucket+"/"+key)
}

// same verifies what is there under an object's key: by its checksum, or by its content
// where it has none that can be compared.
func (p *Place) same(ctx context.Context, client *s3.Client, o object) error {
	found, err := p.head(ctx, client, o.key)
	if err != nil {
		return err
	}
	switch there := aws.ToString(found.ChecksumSHA256); {
	case there != "" && slices.Contains([]string{o.sum.base64(), o.sum.composite}, there):
		return nil
	case there != "" && !strings.Contains(there, "-") && o.holds == nil, aws.ToInt64(found.ContentLength) != o.sum.size && o.holds == nil:
		return p.foreign(o.key, nil)
	}
	for try := range attempts {
		if try > 0 {
			if err := p.Wait(ctx, time.Duration(try)*time.Second); err != nil {
				return err
			}
		}
		var whole bool
		if whole, err = p.compare(ctx, client, o); whole {
			return err
		}
	}
	return p.Explain(err, "verifying s3://"+p.Bucket+"/"+o.key)
}

// compare reads what is under an object's key. It is not whole where the answer was cut off,
// which says nothing about what is there.
func (p *Place) compare(ctx context.Context, client *s3.Client, o object) (whole bool, err error) {
	out, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: &p.Bucket, Key: &o.key, ExpectedBucketOwner: p.owner()})
	if err != nil {
		return true, p.Explain(err, "verifying s3://"+p.Bucket+"/"+o.key)
	}
	defer out.Body.Close()
	body := &heard{Reader: out.Body}
	var differs bool
	if o.holds != nil {
		err = o.holds(body)
		differs = err != nil
	} else {
		var content sum
		content, err = sumOf(body, 0)
		differs = err == nil && content.hex != o.sum.hex
	}
	switch {
	case body.err != nil:
		return false, body.err
	case differs:
		return true, p.foreign(o.key, err)
	}
	return true, err
}

// heard notes that reading failed.
type heard struct {
	io.Reader
	err error
}

func (h *heard) Read(b []byte) (int, error) {
	n, err := h.Reader.Read(b)
	if err != nil && err != io.EOF {
		h.err = err
	}
	return n, err
}

// foreign says that somebody else wrote what is there, and in what it differs if that is
// known.
func (p *Place) foreign(key string, why error) error {
	uri := "s3://" + p.Bucket + "/" + key
	more := ""
	if why != nil {
		more = ": " + why.Error()
	}
	return fmt.Errorf("%s has other content than its name says, and was left as it is%s\n\thint: find out who wrote it, then remove it: %s", uri, more, p.aws("s3 rm "+uri))
}
