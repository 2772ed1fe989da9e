// Package joblog reads what SageMaker's jobs write, which CloudWatch Logs keeps: a stream
// for each host of a job, in one group for all jobs of a kind. In go a job's kind and
// name, out come lines that can be shown on a terminal.
package joblog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/mlmax/mlmax/pipeline/cloud"
	"github.com/mlmax/mlmax/pipeline/terminal"
)

// Group is the log group of the jobs of a kind, "processing" or "training".
func Group(kind string) string {
	if kind == "training" {
		return "/aws/sagemaker/TrainingJobs"
	}
	return "/aws/sagemaker/ProcessingJobs"
}

// Prefix is how the names of a job's streams begin.
func Prefix(job string) string { return job + "/" }

// A line is one line of a stream.
type line struct {
	at   time.Time
	text string
}

// lines are those of an event, clean. An event may hold several.
func lines(at *int64, message *string) []line {
	var all []line
	for text := range strings.SplitSeq(strings.TrimRight(aws.ToString(message), "\n"), "\n") {
		all = append(all, line{time.UnixMilli(aws.ToInt64(at)), terminal.Line(text)})
	}
	return all
}

// streams are the names of a job's streams, in order; none while it has written nothing.
func streams(ctx context.Context, p *cloud.Place, kind, job string, o ...func(*cloudwatchlogs.Options)) ([]string, error) {
	var names []string
	in := &cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: aws.String(Group(kind)), LogStreamNamePrefix: aws.String(Prefix(job))}
	for {
		page, err := cloud.Logs(p).DescribeLogStreams(ctx, in, o...)
		if missing(err) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		for _, s := range page.LogStreams {
			names = append(names, aws.ToString(s.LogStreamName))
		}
		if in.NextToken = page.NextToken; aws.ToString(page.NextToken) == "" {
			slices.Sort(names)
			return names, nil
		}
	}
}

// missing says whether a group or stream is not there, or not yet.
func missing(err error) bool {
	var e *types.ResourceNotFoundException
	return errors.As(err, &e)
}

// A cursor is how far a stream has been read.
type cursor struct {
	stream string
	token  *string
	// late is how many of the lines that are there at the first look are given; 0 is all.
	late  int
	calls int // of the last look
}

// next gives the lines behind a cursor, up to the end that the stream has now, and moves
// the cursor behind what it gives. What was read before an error is given, too.
func (c *cursor) next(ctx context.Context, p *cloud.Place, kind string, o ...func(*cloudwatchlogs.Options)) ([]line, error) {
	var all []line
	c.calls = 0
	late := c.token == nil && c.late > 0
	for {
		c.calls++
		page, err := cloud.Logs(p).GetLogEvents(ctx, &cloudwatchlogs.GetLogEventsInput{
			LogGroupName: aws.String(Group(kind)), LogStreamName: aws.String(c.stream), StartFromHead: aws.Bool(!late), NextToken: c.token,
		}, o...)
		if missing(err) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		for _, e := range page.Events {
			all = append(all, lines(e.Timestamp, e.Message)...)
		}
		// A page may be empty and not be the last: the end is where the token stays the same.
		end := c.token != nil && aws.ToString(page.NextForwardToken) == *c.token || page.NextForwardToken == nil
		if page.NextForwardToken != nil {
			c.token = page.NextForwardToken
		}
		if late {
			// Backwards from the end: what is there is the last page.
			all, late = all[max(0, len(all)-c.late):], false
			return all, nil
		}
		if end {
			return all, nil
		}
	}
}

// All calls on for every line that a job has written so far: of several hosts, one after
// the other, each line with its host's name. It says whether there is a stream at all.
func All(ctx context.Context, p *cloud.Place, kind, job string, on func(line string)) (found bool, err error) {
	names, err := streams(ctx, p, kind, job)
	if err != nil {
		return false, p.Explain(err, "looking for the log of job "+job)
	}
	for _, name := range names {
		c := &cursor{stream: name}
		some, err := c.next(ctx, p, kind)
		for _, l := range some {
			on(shown(l, name, len(names)))
		}
		if err != nil {
			return true, p.Explain(err, "reading the log of job "+job)
		}
	}
	return len(names) > 0, nil
}

// shown is a line as a person reads it: with its host, where there are several.
func shown(l line, stream string, hosts int) string {
	if hosts < 2 {
		return l.text
	}
	host := stream[strings.LastIndexByte(stream, '/')+1:]
	if i := strings.LastIndexByte(host, '-'); i > 0 { // the time at which the host started
		host = host[:i]
	}
	return fmt.Sprintf("[%s] %s", terminal.Clean(host), l.text)
}

// Last are the last lines of a job that are not blank, at most n; none if it has written
// none. Of several hosts they are in the order of their times.
func Last(ctx context.Context, p *cloud.Place, kind, job string, n int) ([]string, error) {
	names, err := streams(ctx, p, kind, job)
	if err != nil {
		return nil, p.Explain(err, "looking for the log of job "+job)
	}
	var all []line
	for _, name := range names {
		some, err := ending(ctx, p, kind, name, n)
		if err != nil {
			return nil, p.Explain(err, "reading the log of job "+job)
		}
		for _, l := range some {
			all = append(all, line{l.at, shown(l, name, len(names))})
		}
	}
	slices.SortStableFunc(all, func(a, b line) int { return cmp.Compare(a.at.UnixMilli(), b.at.UnixMilli()) })
	var texts []string
	for _, l := range all[max(0, len(all)-n):] {
		texts = append(texts, l.text)
	}
	return texts, nil
}

// pageLimit is how many events the service gives at once, at most.
const pageLimit = 10_000

// ending are the last lines of a stream that are not blank, read from its end.
func ending(ctx context.Context, p *cloud.Place, kind, stream string, n int) ([]line, error) {
	var all []line
	var token *string
	for len(all) < n {
		page, err := cloud.Logs(p).GetLogEvents(ctx, &cloudwatchlogs.GetLogEventsInput{
			LogGroupName: aws.String(Group(kind)), LogStreamName: aws.String(stream), StartFromHead: aws.Bool(false), NextToken: token,
			Limit: aws.Int32(int32(min(2*n+20, pageLimit))),
		})
		if missing(err) {
			break
		}
		if err != nil {
			return nil, err
		}
		var some []line
		for _, e := range page.Events {
			for _, l := range lines(e.Timestamp, e.Message) {
				if strings.TrimSpace(l.text) != "" {
					some = append(some, l)
				}
			}
		}
		all = append(some, all...)
		if page.NextBackwardToken == nil || token != nil && *page.NextBackwardToken == *token {
			break
		}
		token = page.NextBackwardToken
	}
	return all[max(0, len(all)-n):], nil
}
