package objects

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/mlmax/mlmax/pipeline/local/failpoint"
	"github.com/mlmax/mlmax/pipeline/record"
)

// Staged is a copy of some content, made by a batch, that has no key yet.
type Staged struct {
	// Digest is the hex SHA-256 of the content, Bytes its size.
	Digest string
	Bytes  int64

	item int // of the batch
}

// Stage copies the content that r gives, and digests the copy meanwhile. Where r is a
// file, the file system may share its blocks.
func (b *Batch) Stage(r io.Reader) (*Staged, error) {
	name := b.store.tempName()
	file, err := b.store.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	s := &Staged{item: len(b.items)}
	b.items = append(b.items, item{name: name, ours: true})
	made, err := b.store.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer made.Close()
	s.Digest, s.Bytes, err = copyDigested(file, made, r)
	return s, errors.Join(err, file.Close())
}

// PutStaged adds a staged copy as an object.
func (b *Batch) PutStaged(bucket, key string, s *Staged) error {
	if err := CheckName(bucket, key); err != nil {
		return err
	}
	it := &b.items[s.item]
	it.bucket, it.key = bucket, key
	err := b.store.root.Chmod(it.name, 0o444)
	if err == nil {
		err = b.store.share(it.name, s.Digest, s.Bytes)
	}
	if err != nil {
		return fmt.Errorf("store s3://%s/%s: %w", bucket, key, err)
	}
	b.objects = append(b.objects, record.Object{Bucket: bucket, Key: key, Digest: s.Digest, Bytes: s.Bytes, Created: b.store.now()})
	failpoint.Hit(failpoint.MidCopy)
	return nil
}

// chunk is how much is copied before it is digested.
const chunk = 8 << 20

// copyDigested copies r into an empty file, and digests what is in the file, as made
// reads it, behind the copying: both take about as long, and of large content most is
// still in memory then.
func copyDigested(file io.Writer, made, r io.Reader) (sum string, size int64, err error) {
	size, err = io.CopyN(file, r, chunk)
	if err == io.EOF { // the whole of it
		return digest(made)
	}
	if err != nil {
		return "", 0, err
	}
	hash := sha256.New()
	written := make(chan int64, 4)
	ended := make(chan error, 1)
	go func() {
		var failed error
		for n := range written {
			if failed == nil {
				_, failed = io.CopyN(hash, made, n)
			}
		}
		ended <- failed
	}()
	written <- size
	for err == nil {
		var n int64
		n, err = io.CopyN(file, r, chunk)
		written <- n
		size += n
	}
	close(written)
	if err == io.EOF {
		err = nil
	}
	err = errors.Join(err, <-ended)
	return hex.EncodeToString(hash.Sum(nil)), size, err
}
