package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
)

// A cache keeps what was read of S3, so that a second look asks only for what is new. It
// may be emptied at any time. Without a folder it keeps nothing.
type cache struct {
	root   *os.Root
	bucket string
}

// An entry is an object in the cache.
type entry struct {
	Key      string `json:"key"`
	ETag     string `json:"etag"`
	Modified int64  `json:"modified"`
	SHA256   string `json:"sha256"`
	// Final says that the object will not change.
	Final bool   `json:"final"`
	Text  []byte `json:"text"`
}

func openCache(dir, bucket string) (*cache, error) {
	if dir == "" {
		return &cache{}, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the cache of manifests: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the cache of manifests: %w", err)
	}
	return &cache{root: root, bucket: bucket}, nil
}

// close lets go of the folder.
func (c *cache) close() {
	if c.root != nil {
		_ = c.root.Close() // nothing is open in it
	}
}

// name is the file of a key.
func (c *cache) name(key string) string {
	return digest([]byte(c.bucket+"/"+key)) + ".json"
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// get is what the cache has of a key, or nil. What does not hold its own digest is as good
// as gone: it can be read anew.
func (c *cache) get(key string) *entry {
	if c.root == nil {
		return nil
	}
	text, err := c.root.ReadFile(c.name(key))
	if err != nil {
		return nil
	}
	var e entry
	if json.Unmarshal(text, &e) != nil || e.Key != key || e.SHA256 != digest(e.Text) {
		return nil
	}
	return &e
}

// has says whether the cache has something of a key, without reading it.
func (c *cache) has(key string) bool {
	if c.root == nil {
		return false
	}
	_, err := c.root.Stat(c.name(key))
	return err == nil
}

// put keeps an entry, whole or not at all.
func (c *cache) put(e entry) error {
	if c.root == nil {
		return nil
	}
	e.SHA256 = digest(e.Text)
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	name := c.name(e.Key)
	staged := name + "." + strconv.Itoa(os.Getpid())
	if err = c.root.WriteFile(staged, text, 0o600); err == nil {
		err = c.root.Rename(staged, name)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("keep a manifest in the cache: %w", err), c.root.RemoveAll(staged))
	}
	return nil
}
