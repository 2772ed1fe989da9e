package awsfake

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

// filled is a world with a group of two streams: a with n lines a second apart, b with one
// between the first two of them.
func filled(n int) (*World, time.Time) {
	w := New(Options{})
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i := range n {
		w.Log("/aws/sagemaker/TrainingJobs", "a", LogLine{start.Add(time.Duration(i) * time.Second), fmt.Sprintf("line %d", i)})
	}
	w.Log("/aws/sagemaker/TrainingJobs", "b", LogLine{start.Add(time.Second / 2), "other error"})
	return w, start
}

func messages(events []types.OutputLogEvent) []string {
	var out []string
	for _, e := range events {
		out = append(out, *e.Message)
	}
	return out
}

// TestLogEvents follows a stream to its end, and behind it when more comes.
func TestLogEvents(t *testing.T) {
	t.Parallel()
	for _, sparse := range []bool{false, true} {
		w, start := filled(7)
		w.SparseLogs = sparse
		c := cloudwatchlogs.NewFromConfig(configuration(w, serve(t, w)))
		in := &cloudwatchlogs.GetLogEventsInput{LogGroupName: aws.String("/aws/sagemaker/TrainingJobs"), LogStreamName: aws.String("a"), StartFromHead: aws.Bool(true), Limit: aws.Int32(3)}
		follow := func() []string {
			var got []string
			for {
				out, err := c.GetLogEvents(t.Context(), in)
				if err != nil {
					t.Fatal(err)
				}
				if len(out.Events) > 3 {
					t.Errorf("a page has %d events", len(out.Events))
				}
				got = append(got, messages(out.Events)...)
				if in.NextToken != nil && *out.NextForwardToken == *in.NextToken {
					return got
				}
				in.NextToken = out.NextForwardToken
			}
		}
		if got := follow(); len(got) != 7 || got[0] != "line 0" || got[6] != "line 6" {
			t.Errorf("%q", got)
		}
		if got := follow(); len(got) != 0 {
			t.Errorf("at the end there is %q", got)
		}
		w.Log("/aws/sagemaker/TrainingJobs", "a", LogLine{start.Add(time.Minute), "late"})
		if got := follow(); !slices.Equal(got, []string{"late"}) {
			t.Errorf("%q", got)
		}
	}
}

// TestLogEventsTail has the newest lines first asked for, and goes back from there.
func TestLogEventsTail(t *testing.T) {
	t.Parallel()
	w, start := filled(7)
	c := cloudwatchlogs.NewFromConfig(configuration(w, serve(t, w)))
	in := &cloudwatchlogs.GetLogEventsInput{LogGroupName: aws.String("/aws/sagemaker/TrainingJobs"), LogStreamName: aws.String("a"), Limit: aws.Int32(3)}
	var pages []string
	for range 4 {
		out, err := c.GetLogEvents(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, strings.Join(messages(out.Events), ","))
		in.NextToken = out.NextBackwardToken
	}
	if want := []string{"line 4,line 5,line 6", "line 1,line 2,line 3", "line 0", ""}; !slices.Equal(pages, want) {
		t.Errorf("%q, want %q", pages, want)
	}
	out, err := c.GetLogEvents(t.Context(), &cloudwatchlogs.GetLogEventsInput{
		LogGroupName: in.LogGroupName, LogStreamName: in.LogStreamName, StartFromHead: aws.Bool(true),
		StartTime: aws.Int64(start.Add(time.Second).UnixMilli()), EndTime: aws.Int64(start.Add(3 * time.Second).UnixMilli()),
	})
	if err != nil || !slices.Equal(messages(out.Events), []string{"line 1", "line 2"}) {
		t.Errorf("%q, %v", messages(out.Events), err)
	}
}

// TestLogFilter has lines of several streams in the order of time.
func TestLogFilter(t *testing.T) {
	t.Parallel()
	w, _ := filled(3)
	c := cloudwatchlogs.NewFromConfig(configuration(w, serve(t, w)))
	for _, test := range []struct {
		pattern, prefix string
		want            []string
	}{
		{"", "", []string{"a line 0", "b other error", "a line 1", "a line 2"}},
		{"error", "", []string{"b other error"}},
		{`"line 1"`, "", []string{"a line 1"}},
		{"", "a", []string{"a line 0", "a line 1", "a line 2"}},
	} {
		in := &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("/aws/sagemaker/TrainingJobs"), FilterPattern: &test.pattern, Limit: aws.Int32(2)}
		if test.prefix != "" {
			in.LogStreamNamePrefix = &test.prefix
		}
		var got []string
		for pages := cloudwatchlogs.NewFilterLogEventsPaginator(c, in); pages.HasMorePages(); {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range page.Events {
				got = append(got, *e.LogStreamName+" "+*e.Message)
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%+v: %q", test, got)
		}
	}
}

// TestLogGroups makes, describes and deletes groups and streams.
func TestLogGroups(t *testing.T) {
	t.Parallel()
	w, _ := filled(2)
	c := cloudwatchlogs.NewFromConfig(configuration(w, serve(t, w)))
	group, ctx := aws.String("/aws/vendedlogs/states/dev"), t.Context()
	if _, err := c.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: group}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.PutRetentionPolicy(ctx, &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: group, RetentionInDays: aws.Int32(30)}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{LogGroupName: group, LogStreamName: aws.String("s")}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.PutLogEvents(ctx, &cloudwatchlogs.PutLogEventsInput{LogGroupName: group, LogStreamName: aws.String("s"), LogEvents: []types.InputLogEvent{{Timestamp: aws.Int64(1), Message: aws.String("m")}}}); err != nil {
		t.Fatal(err)
	}
	groups, err := c.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String("/aws/v")})
	if err != nil || len(groups.LogGroups) != 1 || *groups.LogGroups[0].RetentionInDays != 30 || *groups.LogGroups[0].Arn != "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/vendedlogs/states/dev:*" {
		t.Errorf("%+v, %v", groups, err)
	}
	streams, err := c.DescribeLogStreams(ctx, &cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: aws.String("/aws/sagemaker/TrainingJobs"), OrderBy: types.OrderByLastEventTime, Descending: aws.Bool(true), Limit: aws.Int32(1)})
	if err != nil || len(streams.LogStreams) != 1 || *streams.LogStreams[0].LogStreamName != "a" || streams.NextToken == nil {
		t.Errorf("%+v, %v", streams, err)
	}
	if _, err := c.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: group}); err != nil {
		t.Fatal(err)
	}

	_, gone := c.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: group})
	_, noStream := c.GetLogEvents(ctx, &cloudwatchlogs.GetLogEventsInput{LogGroupName: aws.String("/aws/sagemaker/TrainingJobs"), LogStreamName: aws.String("none")})
	_, token := c.GetLogEvents(ctx, &cloudwatchlogs.GetLogEventsInput{LogGroupName: aws.String("/aws/sagemaker/TrainingJobs"), LogStreamName: aws.String("a"), NextToken: aws.String("x")})
	_, order := c.DescribeLogStreams(ctx, &cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: aws.String("/aws/sagemaker/TrainingJobs"), OrderBy: types.OrderByLastEventTime, LogStreamNamePrefix: aws.String("a")})
	_, there := c.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("/aws/sagemaker/TrainingJobs")})
	for _, test := range []struct {
		err  error
		want string
	}{
		{gone, "400 ResourceNotFoundException: The specified log group does not exist."},
		{noStream, "400 ResourceNotFoundException: The specified log stream does not exist."},
		{token, "400 InvalidParameterException: The specified nextToken is invalid."},
		{order, "400 InvalidParameterException: Cannot order by LastEventTime with a logStreamNamePrefix."},
		{there, "400 ResourceAlreadyExistsException: The specified log group already exists"},
	} {
		if got := answered(t, test.err); got != test.want {
			t.Errorf("%s, want %s", got, test.want)
		}
	}
}
