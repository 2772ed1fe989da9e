package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/mlmax/mlmax/pipeline/cloud"
	"github.com/mlmax/mlmax/pipeline/manifest"
)

// atATime is how many calls an account is asked at a time.
const atATime = 12

// A found manifest is one that was read, with when it was written.
type found struct {
	*manifest.Manifest
	written time.Time
}

// Damaged is a manifest that cannot be taken, and why.
type Damaged struct {
	// URI is where it lies.
	URI string
	Err error
}

// manifests reads the manifests of all runs of the environment, the oldest run first. A
// run without one goes on, or ended without anybody describing it.
func manifests(ctx context.Context, p *cloud.Place, c *cache, reading func(runs int)) ([]found, []Damaged, error) {
	keys, err := runs(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	if reading != nil {
		unread := 0
		for _, key := range keys {
			if !c.has(key) {
				unread++
			}
		}
		reading(unread)
	}
	read := make([]*found, len(keys))
	damage := make([]error, len(keys))
	err = parallel(ctx, len(keys), func(ctx context.Context, i int) error {
		e, err := fetch(ctx, p, c, keys[i])
		if large := (*cloud.TooLargeError)(nil); errors.As(err, &large) {
			damage[i] = large // one that nobody can read must not hide the others
			return nil
		}
		if err != nil || e == nil {
			return err
		}
		read[i], damage[i] = accept(p, e)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	var all []found
	var damaged []Damaged
	for i, f := range read {
		if damage[i] != nil {
			damaged = append(damaged, Damaged{"s3://" + p.Bucket + "/" + keys[i], damage[i]})
		}
		if f != nil && f.Environment == p.Environment { // others may share the bucket
			all = append(all, *f)
		}
	}
	inOrder(all)
	return all, damaged, nil
}

// inOrder puts runs into the order in which they were started.
func inOrder(all []found) {
	slices.SortStableFunc(all, func(a, b found) int {
		return cmp.Or(a.StartTime.Compare(b.StartTime), cmp.Compare(a.Run, b.Run))
	})
}

// runs are the keys at which the manifests of the runs lie that have written anything.
// They are found by their folders: what a run wrote may be a great deal more.
func runs(ctx context.Context, p *cloud.Place) ([]string, error) {
	pipelines, err := folders(ctx, p, p.Prefix+"runs/")
	if err != nil {
		return nil, err
	}
	below := make([][]string, len(pipelines))
	err = parallel(ctx, len(pipelines), func(ctx context.Context, i int) (err error) {
		below[i], err = folders(ctx, p, pipelines[i])
		return err
	})
	var keys []string
	for _, folder := range slices.Concat(below...) {
		if runID.MatchString(path.Base(folder)) {
			keys = append(keys, folder+manifestName)
		}
	}
	return keys, err
}

// folders are the prefixes right below one.
func folders(ctx context.Context, p *cloud.Place, prefix string) ([]string, error) {
	var all []string
	pages := s3.NewListObjectsV2Paginator(cloud.ListObjectsV2(cloud.S3(p).ListObjectsV2), &s3.ListObjectsV2Input{
		Bucket: aws.String(p.Bucket), Prefix: aws.String(prefix), Delimiter: aws.String("/"), ExpectedBucketOwner: aws.String(p.Account),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, p.Explain(err, fmt.Sprintf("listing s3://%s/%s", p.Bucket, prefix))
		}
		for _, one := range page.CommonPrefixes {
			all = append(all, aws.ToString(one.Prefix))
		}
	}
	return all, nil
}

// fetch is the object of a key, from the cache where it is known to be the same; nil if
// there is none.
func fetch(ctx context.Context, p *cloud.Place, c *cache, key string) (*entry, error) {
	known := c.get(key)
	if known != nil && known.Final {
		return known, nil
	}
	etag := ""
	if known != nil {
		etag = known.ETag
	}
	o, err := p.ReadObject(ctx, key, etag, cloud.ManifestLimit)
	switch {
	case cloud.IsAbsent(err):
		return nil, nil
	case err != nil:
		return nil, p.Explain(err, "reading the manifest of run "+path.Base(path.Dir(key)))
	case o.Same:
		return known, nil
	}
	e := entry{Key: key, ETag: o.ETag, Modified: o.Modified.UnixMilli(), Text: o.Text}
	m, err := manifest.Decode(o.Text)
	if err != nil {
		return &e, nil // who takes it says so, today and tomorrow
	}
	// What the machine wrote, it wrote at its end. What a client wrote, which is known by
	// its status, the machine replaces if it is resumed and comes to its end.
	e.Final = m.Status == "" && Key(p, m.Pipeline, m.Run) == key
	return &e, c.put(e)
}

// accept reads a manifest, and holds it to the place where it lies.
func accept(p *cloud.Place, e *entry) (*found, error) {
	m, err := manifest.Decode(e.Text)
	if err != nil {
		return nil, err
	}
	if at := Key(p, m.Pipeline, m.Run); at != e.Key {
		return nil, fmt.Errorf("it is that of run %s of %s, whose place is another", m.Run, m.Pipeline)
	}
	return &found{m, time.UnixMilli(e.Modified).UTC()}, nil
}

// name is an execution's name: the end of its ARN.
func (f *found) name() string {
	return f.Execution[strings.LastIndexByte(f.Execution, ':')+1:]
}

// parallel calls f for 0 to n-1, some at a time, and returns the first error.
func parallel(ctx context.Context, n int, f func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(n, atATime) {
		workers.Go(func() {
			for i := range next {
				if err := f(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	workers.Wait()
	return context.Cause(ctx)
}
