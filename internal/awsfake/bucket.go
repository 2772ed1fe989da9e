package awsfake

import (
	"crypto/md5" // what S3 calls an ETag
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Bucket is a bucket of S3.
type Bucket struct {
	Name, Region, Owner string
	Created             time.Time
	objects             map[string]*Object
	uploads             map[string]*upload // unfinished multipart uploads by id
	deleted             map[string]int     // how often a key was deleted: a conditional write must not span one
}

// An Object is one object in a bucket.
type Object struct {
	Key, ETag string
	Body      []byte
	Metadata  map[string]string
	// Headers are what was said about the object when it was put and is given back with
	// it: Content-Type, Content-Encoding, x-amz-server-side-encryption and the like.
	Headers map[string]string
	// Checksums are base64, by algorithm in lower case: sha256, crc32, crc32c, crc64nvme, sha1.
	// A composite one is of the checksums of parts and ends in their number.
	Checksums map[string]string
	Composite bool
	Modified  time.Time

	parts []uploaded // of a multipart upload
}

// AddBucket makes a bucket, which may be in another Region or of another account.
func (w *World) AddBucket(name, region, owner string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.addBucket(name, region, owner)
}

func (w *World) addBucket(name, region, owner string) {
	w.buckets[name] = &Bucket{
		Name: name, Region: region, Owner: owner, Created: w.now(),
		objects: map[string]*Object{}, uploads: map[string]*upload{}, deleted: map[string]int{},
	}
}

// PutObject stores an object; the bucket must exist.
func (w *World) PutObject(bucket, key string, body []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	b, ok := w.buckets[bucket]
	if !ok {
		return fmt.Errorf("no bucket %q", bucket)
	}
	b.objects[key] = &Object{
		Key: key, Body: body, ETag: etag(body), Modified: w.now(), Checksums: map[string]string{"crc64nvme": checksum("crc64nvme", body)},
		Headers: map[string]string{"Content-Type": "binary/octet-stream", sseHeader: "AES256"},
	}
	return nil
}

// GetObject returns an object's content, nil if there is none.
func (w *World) GetObject(bucket, key string) []byte {
	if o := w.Object(bucket, key); o != nil {
		return o.Body
	}
	return nil
}

// Object returns an object, nil if there is none. It is not the caller's to change.
func (w *World) Object(bucket, key string) *Object {
	w.mu.Lock()
	defer w.mu.Unlock()
	if b, ok := w.buckets[bucket]; ok {
		return b.objects[key]
	}
	return nil
}

// DeleteObject removes an object; there need be none.
func (w *World) DeleteObject(bucket, key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if b, ok := w.buckets[bucket]; ok {
		b.remove(key)
	}
}

// Keys are the keys in a bucket that begin with a prefix, in order.
func (w *World) Keys(bucket, prefix string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if b, ok := w.buckets[bucket]; ok {
		return b.keys(prefix)
	}
	return nil
}

// Uploads is how many multipart uploads of a bucket were neither completed nor aborted.
func (w *World) Uploads(bucket string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if b, ok := w.buckets[bucket]; ok {
		return len(b.uploads)
	}
	return 0
}

// keys are the keys that begin with a prefix, in the order of their bytes.
func (b *Bucket) keys(prefix string) []string {
	var keys []string
	for key := range b.objects {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// remove deletes an object.
func (b *Bucket) remove(key string) {
	delete(b.objects, key)
	b.deleted[key]++
}

// etag is that of an object that was put whole and not encrypted by a key of KMS.
func etag(body []byte) string {
	sum := md5.Sum(body)
	return `"` + hex.EncodeToString(sum[:]) + `"`
}
