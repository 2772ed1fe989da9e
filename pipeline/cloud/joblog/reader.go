package joblog

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/mlmax/mlmax/pipeline/cloud"
)

// A Reader reads what a job writes, as it comes: each line once.
type Reader struct {
	place   *cloud.Place
	kind    string
	job     string
	cursors []*cursor
	looks   int
	late    int // how many lines of the past are given, or 0 for all
	calls   int
	options []func(*cloudwatchlogs.Options)
}

// NewReader makes a reader that has given no line yet.
func NewReader(p *cloud.Place, kind, job string) *Reader {
	return &Reader{place: p, kind: kind, job: job}
}

// Late makes a reader that has not read yet begin with the last lines there are, so many
// of each host, and not with the first.
func (r *Reader) Late(lines int) *Reader {
	r.late = lines
	return r
}

// Once makes a reader whose calls are not tried again: whoever polls looks again anyway.
func (r *Reader) Once() *Reader {
	r.options = append(r.options, func(o *cloudwatchlogs.Options) { o.Retryer = aws.NopRetryer{} })
	return r
}

// Calls is how many calls the last look made.
func (r *Reader) Calls() int { return r.calls }

// rescan is after how many looks a host that came late is looked for.
const rescan = 10

// Next gives what came since the last look to on, and says whether anything did. A log that
// is not there yet is no error. After an error the next call goes on behind the last line
// that was given.
func (r *Reader) Next(ctx context.Context, on func(line string)) (came bool, err error) {
	r.calls = 0
	if len(r.cursors) == 0 || r.looks%rescan == 0 {
		if err := r.scan(ctx); err != nil {
			return false, err
		}
	}
	r.looks++
	for _, c := range r.cursors {
		some, err := c.next(ctx, r.place, r.kind, r.options...)
		r.calls += c.calls
		for _, l := range some {
			on(shown(l, c.stream, len(r.cursors)))
			came = true
		}
		if err != nil {
			return came, err
		}
	}
	return came, nil
}

// scan finds the streams that there are now.
func (r *Reader) scan(ctx context.Context) error {
	r.calls++
	names, err := streams(ctx, r.place, r.kind, r.job, r.options...)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, c := range r.cursors {
		known[c.stream] = true
	}
	for _, name := range names {
		if !known[name] {
			r.cursors = append(r.cursors, &cursor{stream: name, late: r.late})
		}
	}
	return nil
}
