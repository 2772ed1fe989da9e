package cloud

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/mlmax/mlmax/pipeline/code"
	"github.com/mlmax/mlmax/pipeline/worktree"
)

// Progress is how far the upload of one thing is.
type Progress struct {
	// What is the thing as people call it: "code of Train", "census.csv".
	What string
	// Done of Total bytes are there.
	Done, Total int64
	// There says that all of it was there already, so that nothing was sent.
	There bool
}

// lanes is how many objects are uploaded at once.
const lanes = 8

// Upload brings code to where jobs find it: below code/ in the bucket, under its digest.
// Each is uploaded once: what has its mark is not sent again, which is one call. What is
// sent is written under conditions, so that two who deploy at once, and a call whose answer
// was lost, have one effect. The mark is written last: who finds it knows that the rest is
// whole. Progress goes to on, never two at once; on may be nil.
func (p *Place) Upload(ctx context.Context, all []Code, on func(Progress)) error {
	client := p.storage()
	for i := range all {
		if err := p.uploadCode(ctx, client, &all[i], on); err != nil {
			return err
		}
	}
	return nil
}

// uploadCode uploads one code, unless its mark says that it is there.
func (p *Place) uploadCode(ctx context.Context, client *s3.Client, c *Code, on func(Progress)) error {
	found, err := p.mark(ctx, codePrefix+c.Digest, c.Digest)
	if err != nil {
		return err
	}
	if found.has(c.forms()) {
		newTally(c.what(), c.size(), on).done(c.size(), false)
		return nil
	}
	objects, err := p.objectsOf(c, found)
	if err != nil {
		return err
	}
	if err := p.putAll(ctx, client, objects, newTally(c.what(), sizeOf(objects), on)); err != nil {
		var moved *movedError
		if errors.As(err, &moved) {
			return c.changed(moved.name)
		}
		return err
	}
	commit, dirty := worktree.Commit(ctx, c.Module)
	return p.commit(ctx, client, codePrefix+c.Digest, found, &Mark{
		Digest: c.Digest, Commit: commit, Dirty: dirty, Pipeline: p.Definition.Name, Step: strings.Join(c.Steps, ","),
		Holds: c.forms(), Files: marked(c.Files),
	})
}

// codePrefix is where code lies below the environment's prefix; machines have it in them.
const codePrefix = "code/"

// forms are the forms that jobs take the code in.
func (c *Code) forms() (all []string) {
	if c.Packed {
		all = append(all, formArchive)
	}
	if c.Unpacked {
		all = append(all, formFiles)
	}
	return all
}

// size is that of all files.
func (c *Code) size() (n int64) {
	for _, f := range c.Files {
		n += f.Size
	}
	return n
}

// sizeOf is how many bytes objects have.
func sizeOf(all []object) (n int64) {
	for _, o := range all {
		n += o.sum.size
	}
	return n
}

// A movedError says which file is not what its digest says.
type movedError struct{ name string }

func (e *movedError) Error() string { return e.name + " changed while it was read" }

// objectsOf are the objects that make a code, of those forms that a mark does not have.
func (p *Place) objectsOf(c *Code, found *Mark) ([]object, error) {
	at := p.Prefix + codePrefix + c.Digest
	var all []object
	if c.Unpacked && !found.has([]string{formFiles}) {
		fsys := c.fsys()
		for _, f := range c.Files {
			all = append(all, object{
				key: at + "/" + f.Path, kind: "application/octet-stream", name: f.Path, sum: sum{size: f.Size, hex: f.SHA256},
				open: func() (io.ReadCloser, error) { return fsys.Open(f.Path) },
			})
		}
	}
	if c.Packed && !found.has([]string{formArchive}) {
		packed, err := pack(c)
		if err != nil {
			return nil, err
		}
		packed.key = at + ".tar.gz"
		all = append(all, packed)
	}
	return all, nil
}

// pack is the archive of a code. It is made in memory: code is small, and nothing of it
// stays on the disk.
func pack(c *Code) (object, error) {
	var packed bytes.Buffer
	digest := sha256.New()
	if err := code.Archive(io.MultiWriter(&packed, digest), c.fsys(), c.Files); err != nil {
		var moved *code.ChangedError
		if errors.As(err, &moved) {
			return object{}, c.changed(moved.Path)
		}
		return object{}, fmt.Errorf("the %s: %w", c.what(), err)
	}
	s, err := sumOf(bytes.NewReader(packed.Bytes()), int64(packed.Len()))
	if err != nil {
		return object{}, err
	}
	return object{
		kind: "application/gzip", name: "the archive", sum: s,
		open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(packed.Bytes())), nil },
		// Another version of the compressor may have packed the same files otherwise.
		holds: func(r io.Reader) error { return code.Check(r, c.Files) },
	}, nil
}

// putAll uploads objects, some at once. The first error ends it; those under way are
// interrupted.
func (p *Place) putAll(ctx context.Context, client *s3.Client, all []object, t *tally) error {
	work, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var workers sync.WaitGroup
	next := make(chan object)
	for range min(lanes, len(all)) {
		workers.Go(func() {
			for o := range next {
				if work.Err() != nil {
					continue
				}
				var counted atomic.Int64
				o.sent = func(n int64) {
					if counted.Add(n) < o.sum.size { // what is sent once more counts once
						t.done(n, true)
					} else {
						counted.Add(-n)
					}
				}
				anew, err := p.put(work, client, o)
				if errors.Is(err, errChanged) || errors.Is(err, os.ErrNotExist) {
					err = &movedError{o.name}
				}
				if err != nil {
					stop(err)
					continue
				}
				t.done(o.sum.size-counted.Load(), anew)
			}
		})
	}
	for _, o := range all {
		next <- o
	}
	close(next)
	workers.Wait()
	if ctx.Err() != nil {
		return p.Explain(ctx.Err(), "uploading the "+t.progress.What)
	}
	return context.Cause(work)
}

// A tally counts what is there, and tells of it.
type tally struct {
	on       func(Progress)
	mu       sync.Mutex
	progress Progress
	sent     bool // something was not there
}

// newTally counts something, as people call it, of that many bytes. Nobody need listen.
func newTally(what string, total int64, on func(Progress)) *tally {
	if on == nil {
		on = func(Progress) {}
	}
	return &tally{on: on, progress: Progress{What: what, Total: total}}
}

// done tells that so much more is there, and whether it had to be sent.
func (t *tally) done(size int64, anew bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sent = t.sent || anew
	t.progress.Done += size
	t.progress.There = t.progress.Done == t.progress.Total && !t.sent
	t.on(t.progress)
}

// marked are the files as a mark has them.
func marked(files []code.File) []MarkFile {
	all := make([]MarkFile, len(files))
	for i, f := range files {
		all[i] = MarkFile{Path: f.Path, SHA256: f.SHA256, Bytes: f.Size, Executable: f.Executable}
	}
	return all
}
