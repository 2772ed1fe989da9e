package cloud

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// part is the size of the parts that larger content is sent in, the smallest that S3 takes.
// Composite checksums rest on it.
const part = 5 << 20

// partOf is the size of the parts of content of this size: at most 10,000 are allowed.
func partOf(size int64) int64 { return max(part, size/9999+1) }

// partLanes is how many parts of one object are sent at once. Each is in memory.
const partLanes = 4

// cleanup is how long an upload that failed, or was interrupted, has to be aborted.
const cleanup = 30 * time.Second

// restarts is how often an upload in parts is begun anew after another writer got in its way.
const restarts = 3

// putParts uploads in parts, which are no object before the last call. What it leaves when
// it fails is aborted, also after an interrupt. A completion whose answer was lost is found
// by what is there.
func (p *Place) putParts(ctx context.Context, client *s3.Client, o object) (err error) {
	for range restarts {
		if err = p.putPartsOnce(ctx, client, o); codeOf(err) != "ConditionalRequestConflict" {
			break
		}
	}
	if err != nil && (errors.Is(err, errChanged) || ctx.Err() != nil || codeOf(err) == "PreconditionFailed" || p.same(ctx, client, o) != nil) {
		return err
	}
	return p.sweep(ctx, client, o.key)
}

func (p *Place) putPartsOnce(ctx context.Context, client *s3.Client, o object) error {
	request := &s3.CreateMultipartUploadInput{
		Bucket: &p.Bucket, Key: &o.key, ExpectedBucketOwner: p.owner(), ContentType: &o.kind,
		ChecksumAlgorithm: types.ChecksumAlgorithmSha256, ChecksumType: types.ChecksumTypeComposite,
	}
	if p.KmsKey != "" {
		request.ServerSideEncryption, request.SSEKMSKeyId, request.BucketKeyEnabled = types.ServerSideEncryptionAwsKms, &p.KmsKey, aws.Bool(true)
	}
	begun, err := client.CreateMultipartUpload(ctx, request)
	if err != nil {
		return err
	}
	parts, err := p.sendParts(ctx, client, o, begun.UploadId)
	if err == nil {
		_, err = client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
			Bucket: &p.Bucket, Key: &o.key, UploadId: begun.UploadId, ExpectedBucketOwner: p.owner(), IfNoneMatch: aws.String("*"),
			MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}, MpuObjectSize: &o.sum.size,
		}, func(options *s3.Options) {
			options.Retryer = p.config.Retryer() // after a conflict, S3 wants the upload begun anew
		})
	}
	if err == nil {
		return nil
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), cleanup)
	defer stop()
	if p.abort(ctx, client, o.key, begun.UploadId) != nil {
		fact, _ := p.words(err)
		return &explained{sentence(fact+"; what was sent is still there, and costs money until it is aborted",
			p.aws(fmt.Sprintf("s3api abort-multipart-upload --bucket %s --key %q --upload-id %s", p.Bucket, o.key, aws.ToString(begun.UploadId)))+
				", or run the same command again, which does it as well"), err}
	}
	return err
}

// sendParts reads the content once and sends it, some parts at once.
func (p *Place) sendParts(ctx context.Context, client *s3.Client, o object, upload *string) ([]types.CompletedPart, error) {
	in, err := o.open()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	content := &verified{in: in, whole: sha256.New(), want: o.sum}
	size := partOf(o.sum.size)
	parts := make([]types.CompletedPart, (o.sum.size+size-1)/size)
	work, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var senders sync.WaitGroup
	free := make(chan struct{}, partLanes)
	for i := range parts {
		free <- struct{}{}
		body := make([]byte, min(size, o.sum.size-int64(i)*size))
		if err := content.fill(body, i == len(parts)-1); err != nil {
			stop(err)
		}
		if work.Err() != nil {
			break
		}
		senders.Go(func() {
			defer func() { <-free }()
			if err := p.sendPart(work, client, o.key, upload, int32(i+1), body, &parts[i]); err != nil {
				stop(err)
			} else if o.sent != nil {
				o.sent(int64(len(body)))
			}
		})
	}
	senders.Wait()
	return parts, context.Cause(work)
}

// sendPart sends one part, and notes what completion has to say of it.
func (p *Place) sendPart(ctx context.Context, client *s3.Client, key string, upload *string, number int32, body []byte, part *types.CompletedPart) error {
	digest := sha256.Sum256(body)
	check := sum{hex: hex.EncodeToString(digest[:])}.base64()
	sent, err := client.UploadPart(ctx, &s3.UploadPartInput{
		Bucket: &p.Bucket, Key: &key, UploadId: upload, PartNumber: &number, ExpectedBucketOwner: p.owner(),
		Body: bytes.NewReader(body), ChecksumAlgorithm: types.ChecksumAlgorithmSha256, ChecksumSHA256: &check,
	})
	if err != nil {
		return err
	}
	*part = types.CompletedPart{ETag: sent.ETag, PartNumber: &number, ChecksumSHA256: &check}
	return nil
}

// verified is content that has to be what it was: what ends it is not sent otherwise.
type verified struct {
	in    io.Reader
	whole hash.Hash
	want  sum
}

// fill reads the next part. The last one is an error if the whole was not what it should be.
func (v *verified) fill(body []byte, last bool) error {
	if _, err := io.ReadFull(v.in, body); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errChanged
	} else if err != nil {
		return err
	}
	v.whole.Write(body)
	if !last {
		return nil
	}
	if n, _ := v.in.Read(make([]byte, 1)); n > 0 || hex.EncodeToString(v.whole.Sum(nil)) != v.want.hex {
		return errChanged
	}
	return nil
}

// abort ends an upload in parts. One that is no more was completed, or aborted by others.
func (p *Place) abort(ctx context.Context, client *s3.Client, key string, upload *string) error {
	_, err := client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &p.Bucket, Key: &key, UploadId: upload, ExpectedBucketOwner: p.owner()})
	if err != nil && codeOf(err) != "NoSuchUpload" {
		return p.Explain(err, "aborting the upload of s3://"+p.Bucket+"/"+key+", whose parts cost money until then")
	}
	return nil
}

// sweep aborts uploads under a key that is there by now: those of processes that were killed,
// and those that were begun twice because an answer was lost. They cost money, and nobody
// needs them.
func (p *Place) sweep(ctx context.Context, client *s3.Client, key string) error {
	found, err := client.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: &p.Bucket, Prefix: &key, ExpectedBucketOwner: p.owner()})
	if err != nil {
		return p.Explain(err, "looking for uploads of s3://"+p.Bucket+"/"+key+" that were left over")
	}
	for _, u := range found.Uploads {
		if aws.ToString(u.Key) != key {
			continue
		}
		if err := p.abort(ctx, client, key, u.UploadId); err != nil {
			return err
		}
	}
	return nil
}
