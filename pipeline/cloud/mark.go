package cloud

import (
	"bytes"
	"context"
	"encoding/json"
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

// A Mark is the object that is written last beside a code, or a folder of data, under the
// same digest with ".json". Who finds it knows that the rest is whole.
type Mark struct {
	Digest string `json:"digest"`
	// Commit is that of the work tree which it was uploaded from first, empty if not known;
	// Dirty says that the tree differed from it.
	Commit string `json:"commit,omitempty"`
	Dirty  bool   `json:"dirty,omitempty"`
	// Pipeline and Step are those which it was uploaded for first.
	Pipeline string `json:"pipeline"`
	Step     string `json:"step,omitempty"`
	// Holds are the forms that are there: "files" below DIGEST/, "archive" as DIGEST.tar.gz.
	Holds []string   `json:"holds"`
	Files []MarkFile `json:"files"`
}

// A MarkFile is one file of what is marked.
type MarkFile struct {
	Path       string `json:"path"`
	SHA256     string `json:"sha256"`
	Bytes      int64  `json:"bytes"`
	Executable bool   `json:"executable,omitempty"`
}

// The forms in which something is there.
const (
	formArchive = "archive"
	formFiles   = "files"
)

// has says that all of some forms are there. A mark that is missing has none.
func (m *Mark) has(forms []string) bool {
	return !slices.ContainsFunc(forms, func(f string) bool { return m == nil || !slices.Contains(m.Holds, f) })
}

// maxMark bounds what is read of a mark: its list of files may be long.
const maxMark = 64 << 20

// mark reads the mark of what lies at a place below the prefix, and has that digest; nil if
// there is none.
func (p *Place) mark(ctx context.Context, client *s3.Client, at, digest string) (*Mark, error) {
	m, _, err := p.tagged(ctx, client, at, digest)
	return m, err
}

// tagged is mark, with the ETag by which it can be replaced.
func (p *Place) tagged(ctx context.Context, client *s3.Client, at, digest string) (*Mark, string, error) {
	key := p.Prefix + at + ".json"
	text, tag, err := p.read(ctx, client, key, maxMark)
	if errors.Is(err, errAbsent) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", p.Explain(err, "looking for s3://"+p.Bucket+"/"+key)
	}
	var m Mark
	if err := json.Unmarshal(text, &m); err != nil || m.Digest != digest {
		return nil, "", p.foreign(key, err)
	}
	return &m, tag, nil
}

// ReadObject reads at most so many bytes of an object of the place's bucket; nil if there is
// none. A body that was cut off is asked for again, which the SDK does not do. The error is
// to be explained.
func (p *Place) ReadObject(ctx context.Context, key string, most int64) ([]byte, error) {
	text, _, err := p.read(ctx, S3(p), key, most)
	if errors.Is(err, errAbsent) {
		return nil, nil
	}
	return text, err
}

// read is ReadObject, with the object's ETag; errAbsent if there is none.
func (p *Place) read(ctx context.Context, client *s3.Client, key string, most int64) (text []byte, tag string, err error) {
	for try := range attempts {
		if try > 0 {
			if err := p.Wait(ctx, time.Duration(try)*time.Second); err != nil {
				return nil, "", err
			}
		}
		var out *s3.GetObjectOutput
		out, err = client.GetObject(ctx, &s3.GetObjectInput{Bucket: &p.Bucket, Key: &key, ExpectedBucketOwner: p.owner(), ChecksumMode: types.ChecksumModeEnabled})
		if err != nil {
			if statusOf(err) == http.StatusNotFound && codeOf(err) != "NoSuchBucket" {
				err = errAbsent
			}
			return nil, "", err
		}
		text, err = io.ReadAll(io.LimitReader(out.Body, most))
		out.Body.Close()
		if err == nil {
			return text, aws.ToString(out.ETag), nil
		}
	}
	return nil, "", err
}

// commit writes the mark, or adds to the one that was found what it does not have yet.
// Others may write it at the same time: what they wrote is kept.
func (p *Place) commit(ctx context.Context, client *s3.Client, at string, found *Mark, m *Mark) error {
	for range attempts {
		tag := ""
		if found != nil {
			var err error
			if found, tag, err = p.tagged(ctx, client, at, m.Digest); err != nil {
				return err
			}
			if found != nil && found.has(m.Holds) {
				return nil
			}
		}
		err := p.putMark(ctx, client, p.Prefix+at+".json", merged(found, m), tag)
		switch {
		case err == nil:
			return nil
		case codeOf(err) != "PreconditionFailed" && !(tag != "" && statusOf(err) == http.StatusNotFound):
			return p.Explain(err, "uploading s3://"+p.Bucket+"/"+p.Prefix+at+".json")
		}
		found = m // somebody, or an earlier try of ours, wrote it: look again
	}
	return fmt.Errorf("s3://%s/%s%s.json is written by several at once\n\thint: %s", p.Bucket, p.Prefix, at, again)
}

// merged is a mark with the forms of another one, which keeps who uploaded first.
func merged(found, m *Mark) *Mark {
	if found == nil {
		return m
	}
	both := *found
	for _, form := range m.Holds {
		if !slices.Contains(both.Holds, form) {
			both.Holds = append(slices.Clone(both.Holds), form)
		}
	}
	slices.Sort(both.Holds)
	return &both
}

// putMark writes a mark where there is none, or, with a tag, in place of that one.
func (p *Place) putMark(ctx context.Context, client *s3.Client, key string, m *Mark, tag string) error {
	text, err := json.Marshal(m)
	if err != nil {
		panic(err) // it is text and numbers
	}
	request := &s3.PutObjectInput{
		Bucket: &p.Bucket, Key: &key, ExpectedBucketOwner: p.owner(), Body: bytes.NewReader(append(text, '\n')),
		ChecksumAlgorithm: types.ChecksumAlgorithmSha256, ContentType: aws.String("application/json"),
	}
	p.seal(request)
	if tag == "" {
		request.IfNoneMatch = aws.String("*")
	} else {
		request.IfMatch = &tag
	}
	_, err = client.PutObject(ctx, request)
	return err
}

// seal has an object encrypted with the environment's key, where there is one.
func (p *Place) seal(request *s3.PutObjectInput) {
	if p.KmsKey != "" {
		request.ServerSideEncryption, request.SSEKMSKeyId, request.BucketKeyEnabled = types.ServerSideEncryptionAwsKms, &p.KmsKey, aws.Bool(true)
	}
}
