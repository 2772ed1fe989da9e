package cloud

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

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

// markLimit is how much of a mark is read: its list of files may be long.
const markLimit = 64 << 20

// mark reads the mark of what lies at a place below the prefix, and has that digest; nil if
// there is none.
func (p *Place) mark(ctx context.Context, at, digest string) (*Mark, error) {
	m, _, err := p.tagged(ctx, at, digest)
	return m, err
}

// tagged is mark, with the ETag by which it can be replaced.
func (p *Place) tagged(ctx context.Context, at, digest string) (*Mark, string, error) {
	key := p.Prefix + at + ".json"
	o, err := p.ReadObject(ctx, key, "", markLimit)
	if IsAbsent(err) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", p.Explain(err, "looking for s3://"+p.Bucket+"/"+key)
	}
	var m Mark
	if err := json.Unmarshal(o.Text, &m); err != nil || m.Digest != digest {
		return nil, "", p.foreign(key, err)
	}
	return &m, o.ETag, nil
}

// commit writes the mark, or adds to the one that was found what it does not have yet.
// Others may write it at the same time: what they wrote is kept.
func (p *Place) commit(ctx context.Context, client *s3.Client, at string, found *Mark, m *Mark) error {
	for range attempts {
		tag := ""
		if found != nil {
			var err error
			if found, tag, err = p.tagged(ctx, at, m.Digest); err != nil {
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
	p.Seal(request)
	if tag == "" {
		request.IfNoneMatch = aws.String("*")
	} else {
		request.IfMatch = &tag
	}
	_, err = client.PutObject(ctx, request)
	return err
}

// Seal has an object encrypted with the environment's key, where there is one.
func (p *Place) Seal(request *s3.PutObjectInput) {
	if p.KmsKey != "" {
		request.ServerSideEncryption, request.SSEKMSKeyId, request.BucketKeyEnabled = types.ServerSideEncryptionAwsKms, &p.KmsKey, aws.Bool(true)
	}
}
