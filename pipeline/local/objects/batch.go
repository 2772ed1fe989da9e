package objects

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"github.com/mlmax/mlmax/pipeline/local/failpoint"
	"github.com/mlmax/mlmax/pipeline/record"
)

// A Batch is a set of objects that become visible together.
type Batch struct {
	store   *Store
	items   []item
	objects []record.Object
	moved   [][2]string // renames done by Commit, to undo
}

// An item is a file or folder that is to be at a key.
type item struct {
	bucket, key string
	name        string // where it is now, below the workspace
	ours        bool   // made by the batch, which removes it if nothing comes of it
}

// Batch starts an empty batch. It must end with Commit or Discard.
func (s *Store) Batch() *Batch { return &Batch{store: s} }

// Put adds an object with the given content.
func (b *Batch) Put(bucket, key string, content []byte) error {
	return b.Copy(bucket, key, bytes.NewReader(content))
}

// Copy adds an object with the content that r gives. Where r is a file, the file
// system may share its blocks.
func (b *Batch) Copy(bucket, key string, r io.Reader) error {
	if err := CheckName(bucket, key); err != nil {
		return err
	}
	staged, err := b.Stage(r)
	if err != nil {
		return fmt.Errorf("write s3://%s/%s: %w", bucket, key, err)
	}
	return b.PutStaged(bucket, key, staged)
}

// Link adds an object with the content of one that is there: a hard link to its file,
// or a copy where the file system has no such links. The content is verified first, and
// what is not what was stored gives a *[CorruptError].
func (b *Batch) Link(bucket, key string, of record.Object) error {
	if err := CheckName(bucket, key); err != nil {
		return err
	}
	file, err := b.store.verified(&of)
	if err != nil {
		return err
	}
	defer file.Close()
	name := b.store.tempName()
	if b.store.root.Link(path.Join(tree, of.Bucket, of.Key), name) != nil {
		if err := b.Copy(bucket, key, file); err != nil {
			return err
		}
		if found := b.objects[len(b.objects)-1].Digest; found != of.Digest {
			return &CorruptError{Bucket: of.Bucket, Key: of.Key, Expected: of.Digest, Found: found}
		}
		return nil
	}
	b.items = append(b.items, item{bucket, key, name, true})
	b.objects = append(b.objects, record.Object{Bucket: bucket, Key: key, Digest: of.Digest, Bytes: of.Bytes, Created: b.store.now()})
	return nil
}

// PutFile adds a file of the workspace, given by its absolute path. Commit moves it.
func (b *Batch) PutFile(bucket, key, file string) error {
	name, err := b.store.inside(file)
	if err != nil {
		return err
	}
	b.items = append(b.items, item{bucket: bucket, key: key, name: name})
	return b.add(bucket, key, name)
}

// PutTree adds the files of a folder of the workspace, given by its absolute path,
// under a prefix. Commit moves it. As SageMaker does, it leaves symbolic links out,
// and everything else that is not a file: they are removed, and their paths are
// returned. A folder without files adds nothing.
func (b *Batch) PutTree(bucket, prefix, dir string) (skipped []string, err error) {
	prefix = strings.TrimSuffix(prefix, "/")
	name, err := b.store.inside(dir)
	if err != nil {
		return nil, err
	}
	if err := CheckName(bucket, prefix); err != nil {
		return nil, err
	}
	if info, err := b.store.root.Lstat(name); errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return nil, nil // the job has removed its folder, or put a link in its place
	}
	before := len(b.objects)
	skipped, err = b.addTree(bucket, prefix, name, "")
	if err == nil && len(b.objects) > before {
		b.items = append(b.items, item{bucket: bucket, key: prefix, name: name})
	}
	return skipped, err
}

// addTree adds the files of a folder, at a path below its prefix.
func (b *Batch) addTree(bucket, prefix, name, below string) (skipped []string, err error) {
	folder := path.Join(name, below)
	// The script chose the folder's mode; it must not keep us, or a reader, out.
	if err := b.store.root.Chmod(folder, 0o755); err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(b.store.root.FS(), folder)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		at := path.Join(below, e.Name())
		switch {
		case e.IsDir():
			deeper, err := b.addTree(bucket, prefix, name, at)
			if err != nil {
				return nil, err
			}
			skipped = append(skipped, deeper...)
		case e.Type().IsRegular():
			if err := b.add(bucket, path.Join(prefix, at), path.Join(name, at)); err != nil {
				return nil, err
			}
		default:
			if err := b.store.root.Remove(path.Join(name, at)); err != nil {
				return nil, err
			}
			skipped = append(skipped, at)
		}
	}
	return skipped, nil
}

// add makes a file an object: immutable, in the pool, and listed.
func (b *Batch) add(bucket, key, name string) error {
	if err := CheckName(bucket, key); err != nil {
		return err
	}
	// The mode first: a script may have written what we could not read.
	err := b.store.root.Chmod(name, 0o444)
	var sum string
	var size int64
	if err == nil {
		sum, size, err = b.store.hash(name)
	}
	if err == nil {
		err = b.store.share(name, sum, size)
	}
	if err != nil {
		return fmt.Errorf("store s3://%s/%s: %w", bucket, key, err)
	}
	b.objects = append(b.objects, record.Object{Bucket: bucket, Key: key, Digest: sum, Bytes: size, Created: b.store.now()})
	failpoint.Hit(failpoint.MidCopy)
	return nil
}

// Objects are the objects added so far.
func (b *Batch) Objects() []record.Object { return b.objects }

// Commit makes the batch visible: it moves the files into place, and then calls
// commit, which puts the objects into the index. If that fails, the files go again.
func (b *Batch) Commit(ctx context.Context, commit func(context.Context, []record.Object) error) error {
	failpoint.Hit(failpoint.BeforePlace)
	err := b.place()
	if err == nil {
		failpoint.Hit(failpoint.AfterRename)
		err = commit(ctx, b.objects)
		failpoint.Hit(failpoint.AfterCommit)
	}
	if err == nil {
		b.items, b.moved = nil, nil
		return nil
	}
	for i := len(b.moved) - 1; i >= 0; i-- {
		// What cannot be moved back is invisible all the same.
		_ = b.store.root.Rename(b.moved[i][1], b.moved[i][0])
	}
	b.Discard()
	return err
}

// place moves the items to their keys: by one rename if there is one item, or if
// the folder that they have in common is new.
func (b *Batch) place() error {
	if len(b.items) > 1 {
		common := b.common()
		if _, err := b.store.root.Lstat(common); errors.Is(err, fs.ErrNotExist) {
			return b.placeTogether(common)
		}
	}
	for _, it := range b.items {
		if err := b.move(it.name, path.Join(tree, it.bucket, it.key)); err != nil {
			return err
		}
	}
	return nil
}

// common is the deepest folder of the tree that all items lie in.
func (b *Batch) common() string {
	at := path.Dir(path.Join(tree, b.items[0].bucket, b.items[0].key))
	for _, it := range b.items[1:] {
		for !strings.HasPrefix(path.Join(tree, it.bucket, it.key), at+"/") {
			at = path.Dir(at)
		}
	}
	return at
}

// placeTogether collects the items in a temporary folder, which becomes common.
func (b *Batch) placeTogether(common string) error {
	staging, err := b.store.temp()
	if err != nil {
		return err
	}
	b.items = append(b.items, item{name: staging, ours: true}) // to be removed, if it fails
	for _, it := range b.items[:len(b.items)-1] {
		target := path.Join(staging, strings.TrimPrefix(path.Join(tree, it.bucket, it.key), common))
		if err := b.move(it.name, target); err != nil {
			return err
		}
	}
	b.moved = nil // within the temporary folder
	return b.move(staging, common)
}

// move renames a file or folder, into a folder which it makes. Where a folder meets
// a folder, its entries are moved; a file takes the place of a file.
func (b *Batch) move(from, to string) error {
	root := b.store.root
	there, err := root.Lstat(to)
	if err == nil && there.IsDir() {
		entries, err := fs.ReadDir(root.FS(), from)
		if err != nil {
			return fmt.Errorf("%s is a folder, which the local store cannot have beside an object of the same key", s3Name(to))
		}
		for _, e := range entries {
			if err := b.move(path.Join(from, e.Name()), path.Join(to, e.Name())); err != nil {
				return err
			}
		}
		return nil
	}
	replaced := err == nil
	err = root.Rename(from, to)
	if errors.Is(err, fs.ErrNotExist) {
		if err := root.MkdirAll(path.Dir(to), 0o755); err != nil {
			return fmt.Errorf("make the folder of %s: %w", s3Name(to), err)
		}
		err = root.Rename(from, to)
	}
	if err != nil {
		return fmt.Errorf("make %s visible: %w", s3Name(to), err)
	}
	if !replaced {
		b.moved = append(b.moved, [2]string{from, to})
	}
	return nil
}

// s3Name is the URI of a name in the tree.
func s3Name(name string) string { return "s3://" + strings.TrimPrefix(name, tree+"/") }

// Discard removes what the batch has made and nobody can see. After Commit it does
// nothing.
func (b *Batch) Discard() {
	for _, it := range b.items {
		if it.ours {
			// What stays is in the temporary folder, and goes when the store is opened.
			_ = b.store.root.RemoveAll(it.name)
		}
	}
	b.items = nil
}

// inside turns an absolute path into a name below the workspace.
func (s *Store) inside(file string) (string, error) {
	name, err := filepath.Rel(s.dir, file)
	if err != nil || !filepath.IsLocal(name) {
		return "", fmt.Errorf("%s is not in the workspace %s", file, s.dir)
	}
	return filepath.ToSlash(name), nil
}
