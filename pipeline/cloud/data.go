package cloud

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/dataset"
)

// dataPrefix is where data is uploaded to, below the environment's prefix: every role that
// reads a location may read there.
const dataPrefix = "data/"

// maxURI is how long an S3 URI of SageMaker's can be.
const maxURI = 1024

// UploadData brings a file of this machine, or a folder where the parameter is one, to where
// the pipeline's roles can read it, and returns its URI: data/DIGEST/NAME below the prefix. So
// the same data has the same URI whoever uploads it and however often, and is sent once. A
// folder has a mark, as code has. Links in a folder are followed. Progress goes to on, never
// two at once; on may be nil.
func (p *Place) UploadData(ctx context.Context, parameter pipeline.Parameter, path string, on func(Progress)) (uri string, err error) {
	root, files, err := dataset.Find(&parameter, path)
	if err != nil {
		return "", err
	}
	name := filepath.Base(root)
	objects := make([]object, len(files))
	for i, f := range files {
		s, err := sumFile(ctx, f.Path, f.Size)
		if ctx.Err() != nil {
			return "", p.Explain(ctx.Err(), "reading "+name)
		}
		if err != nil {
			return "", fmt.Errorf("data for %q cannot be read: %w", parameter.Key, err)
		}
		objects[i] = object{name: f.Name, kind: "application/octet-stream", sum: s, open: func() (io.ReadCloser, error) { return os.Open(f.Path) }}
	}
	digest, end := digestOf(objects, parameter.File), ""
	for i := range objects {
		objects[i].key = p.Prefix + dataPrefix + digest + "/" + name
		if !parameter.File {
			objects[i].key += "/" + objects[i].name
			end = "/"
		}
		if uri := "s3://" + p.Bucket + "/" + objects[i].key; !utf8.ValidString(uri) || utf8.RuneCountInString(uri) > maxURI || strings.ContainsFunc(uri, control) {
			return "", fmt.Errorf("data for %q: %q cannot be an S3 URI of SageMaker: it is at most %d characters of UTF-8, none of them control characters\n\thint: rename it", parameter.Key, uri, maxURI)
		}
	}
	client, t := p.storage(), newTally(name, sizeOf(objects), on)
	if parameter.File {
		err = p.uploadFile(ctx, client, objects[0], t)
	} else {
		err = p.uploadFolder(ctx, client, digest, name, objects, t)
	}
	if err != nil {
		var moved *movedError
		if errors.As(err, &moved) {
			return "", fmt.Errorf("data for %q changed while it was uploaded: %s\n\thint: run again when nothing writes to it; what was uploaded is not used", parameter.Key, moved.name)
		}
		return "", err
	}
	return "s3://" + p.Bucket + "/" + p.Prefix + dataPrefix + digest + "/" + name + end, nil
}

// control reports whether a character is one that no key of ours has.
func control(r rune) bool { return r < ' ' || r == 0x7f }

// sumFile is the sum of a file. It takes a while for a large one, and ends with ctx.
func sumFile(ctx context.Context, path string, size int64) (sum, error) {
	in, err := os.Open(path)
	if err != nil {
		return sum{}, err
	}
	defer in.Close()
	return sumOf(interruptible{ctx, in}, size)
}

// interruptible is a reader that ends with a context.
type interruptible struct {
	ctx context.Context
	io.Reader
}

func (r interruptible) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(b)
}

// digestOf is the digest by which data is known on the laptop as well.
func digestOf(objects []object, file bool) string {
	if file {
		return objects[0].sum.hex
	}
	files := map[string]string{}
	for _, o := range objects {
		files[o.name] = o.sum.hex
	}
	return pipeline.FolderDigest(files)
}

// uploadFile uploads one file. What is there is not sent.
func (p *Place) uploadFile(ctx context.Context, client *s3.Client, o object, t *tally) error {
	switch err := p.same(ctx, client, o); {
	case err == nil:
		t.done(o.sum.size, false)
		return nil
	case !errors.Is(err, errAbsent):
		return err
	}
	return p.putAll(ctx, client, []object{o}, t)
}

// uploadFolder uploads the files of a folder, and its mark last. The mark lies beside the
// folder, so that it is no part of it.
func (p *Place) uploadFolder(ctx context.Context, client *s3.Client, digest, name string, objects []object, t *tally) error {
	at := dataPrefix + digest + "/" + name
	found, err := p.mark(ctx, client, at, digest)
	if err != nil {
		return err
	}
	m := &Mark{Digest: digest, Pipeline: p.Definition.Name, Holds: []string{formFiles}}
	if found.has(m.Holds) {
		t.done(sizeOf(objects), false)
		return nil
	}
	if err := p.putAll(ctx, client, objects, t); err != nil {
		return err
	}
	for _, o := range objects {
		m.Files = append(m.Files, MarkFile{Path: o.name, SHA256: o.sum.hex, Bytes: o.sum.size})
	}
	return p.commit(ctx, client, at, found, m)
}

// UploadTemplate brings a template that is too long for a request to where CloudFormation can
// read it: templates/SHA256.json below the prefix. It returns its URL.
func (p *Place) UploadTemplate(ctx context.Context, body []byte) (address string, err error) {
	digest := sha256.Sum256(body)
	name := hex.EncodeToString(digest[:])
	o := object{
		key: p.Prefix + "templates/" + name + ".json", kind: "application/json", sum: sum{size: int64(len(body)), hex: name},
		open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil },
	}
	if _, err := p.put(ctx, p.storage(), o); err != nil {
		return "", err
	}
	return p.url(o.key), nil
}

// url is where an object of the bucket is, for who takes no s3:// URI. The bucket is no part
// of the host's name: it may have dots, which no certificate of S3's does.
func (p *Place) url(key string) string {
	suffix := "amazonaws.com"
	if p.Partition == "aws-cn" {
		suffix += ".cn"
	}
	segments := strings.Split(key, "/")
	for i, s := range segments {
		segments[i] = strings.ReplaceAll(url.PathEscape(s), "+", "%2B") // a plus is a space to some
	}
	return "https://s3." + p.Region + "." + suffix + "/" + p.Bucket + "/" + strings.Join(segments, "/")
}
