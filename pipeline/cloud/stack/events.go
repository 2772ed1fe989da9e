package stack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"

	"github.com/mlmax/mlmax/pipeline/cloud"
	"github.com/mlmax/mlmax/pipeline/terminal"
)

// How often events are asked for: soon after something happened, seldom while nothing
// does, and less often still while the account is throttled. CloudFormation takes some
// ten calls a second of an account, of all who deploy in it together.
const (
	soon   = time.Second
	seldom = 5 * time.Second
	rarely = 30 * time.Second
)

// troubles is how many calls may fail one after the other, each tried several times by
// the SDK, before what is followed is given up: some half an hour.
const troubles = 60

// eventOf is an event as CloudFormation gives it, its reason on one line: others wrote that,
// and it stands in messages in which a second line is what to do.
func eventOf(e *types.StackEvent) Event {
	return Event{
		ID: aws.ToString(e.EventId), Time: aws.ToTime(e.Timestamp), Token: aws.ToString(e.ClientRequestToken),
		Logical: aws.ToString(e.LogicalResourceId), Physical: aws.ToString(e.PhysicalResourceId), Type: aws.ToString(e.ResourceType),
		Status: string(e.ResourceStatus), Reason: terminal.Clean(aws.ToString(e.ResourceStatusReason)),
		Own: aws.ToString(e.PhysicalResourceId) == aws.ToString(e.StackId),
	}
}

// events are those of a stack that are newer than the one named, oldest first; all that
// there are if it is empty or not found. take says which are wanted, and stop that no
// older one is.
func (d *Deployer) events(ctx context.Context, id, after string, take, stop func(Event) bool) (found []Event, newest string, err error) {
	in := &cloudformation.DescribeStackEventsInput{StackName: aws.String(id)}
	for {
		out, err := cloud.CloudFormation(d.place).DescribeStackEvents(ctx, in)
		if err != nil {
			return nil, after, err
		}
		for i := range out.StackEvents {
			e := eventOf(&out.StackEvents[i])
			if newest == "" {
				newest = e.ID
			}
			if e.ID == after || stop(e) {
				slices.Reverse(found)
				return found, newest, nil
			}
			if take(e) {
				found = append(found, e)
			}
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			slices.Reverse(found)
			return found, newest, nil
		}
	}
}

// never takes no event.
func never(Event) bool { return false }

// begun reports whether a request with this token has taken effect.
func (d *Deployer) begun(ctx context.Context, id, token string) (bool, error) {
	seen := false
	_, _, err := d.events(ctx, id, "", never, func(e Event) bool {
		seen = seen || e.Token == token
		return seen
	})
	return seen, err
}

// A stackOperation is work on a stack, as its events tell.
type stackOperation struct {
	token string
	// since is when it began.
	since time.Time
	// before is the id of the last event of earlier work, or empty.
	before string
	// unstamped says that events without a token are of the operation, too: before is known,
	// and none with the token has come yet.
	unstamped bool
}

// has reports whether an event is of the operation.
func (o stackOperation) has(e Event) bool { return e.Token == o.token || o.unstamped && e.Token == "" }

// ends reports whether an event is of an earlier operation, and so are all that are older:
// the first and the last event of each are the stack's own.
func (o stackOperation) ends(e Event) bool { return e.Own && !o.has(e) }

// settle looks at events that may be of the operation. CloudFormation puts the token on all of
// an operation's events; where there are none with it, those that came after the request are
// the operation's, since a stack has one at a time.
func (o *stackOperation) settle(found []Event) []Event {
	if !o.unstamped || !slices.ContainsFunc(found, func(e Event) bool { return e.Token == o.token }) {
		return found
	}
	o.unstamped = false
	return slices.DeleteFunc(found, func(e Event) bool { return !o.has(e) })
}

// request is an operation that is about to be asked for with a token.
func (d *Deployer) request(ctx context.Context, id, token string) (stackOperation, error) {
	o := stackOperation{token: token, unstamped: true}
	_, _, err := d.events(ctx, id, "", never, func(e Event) bool {
		if e.Token == token {
			return false // asked for before, and not by this process
		}
		o.before = e.ID
		return true
	})
	if ctx.Err() != nil {
		return o, errors.New("interrupted; nothing was changed")
	}
	return o, d.place.Explain(err, "reading the events of stack "+d.place.StackName())
}

// current is the last operation that was begun on a stack.
func (d *Deployer) current(ctx context.Context, id string) (stackOperation, error) {
	var o stackOperation
	first := true
	_, _, err := d.events(ctx, id, "", never, func(e Event) bool {
		if first {
			o.token, first = e.Token, false
		}
		if e.Token == o.token {
			o.since = e.Time
			// Where the token is empty, an operation begins with the event that says so.
			return o.token == "" && e.Own && begins(e)
		}
		o.before = e.ID
		return true
	})
	return o, d.place.Explain(err, "reading the events of stack "+d.place.StackName())
}

// begins recognizes the first event of an operation.
func begins(e Event) bool {
	return strings.HasSuffix(e.Status, "_IN_PROGRESS") && e.Reason == "User Initiated"
}

// watch shows an operation until it is over. It survives throttling, an account that is
// not reached for a while, and credentials that expire: it waits for new ones.
func (d *Deployer) watch(ctx context.Context, id string, o stackOperation, t Tree) (Tree, error) {
	d.display.Begin(t)
	defer d.display.End()
	last, pause, failures := o.before, soon, 0
	for {
		found, newest, err := d.events(ctx, id, last, o.has, o.ends)
		switch {
		case ctx.Err() != nil:
			return t, &Detached{Stack: d.place.StackName(), Next: d.onward()}
		case err != nil:
			failures++
			if pause, err = d.bear(ctx, err, pause, failures); err != nil {
				return t, err
			}
		default:
			failures, last = 0, newest
			pause = min(pause*3/2, seldom)
			for _, e := range o.settle(found) {
				t = Reduce(t, e)
				d.display.Event(e)
				pause = soon
			}
			if t.Over() {
				return t, nil
			}
		}
		if d.place.Wait(ctx, pause) != nil {
			return t, &Detached{Stack: d.place.StackName(), Next: d.onward()}
		}
	}
}

// bear decides what an error of asking for events means: another pause, or the end.
func (d *Deployer) bear(ctx context.Context, err error, pause time.Duration, failures int) (time.Duration, error) {
	var refused smithy.APIError
	switch {
	case cloud.IsExpired(err):
		if failures == 1 {
			d.display.Say(fmt.Sprintf("%v", d.place.Explain(err, "waiting for new credentials; CloudFormation goes on meanwhile")))
		}
		// Credentials that are found now may still be the old ones.
		if err := d.place.Reload(ctx); err != nil && failures > troubles {
			return 0, err
		}
		return seldom, nil
	case cloud.IsThrottled(err):
		return min(2*pause, rarely), nil
	case failures <= troubles && (!errors.As(err, &refused) || refused.ErrorFault() == smithy.FaultServer):
		return min(2*pause, rarely), nil
	}
	return 0, cloud.Advise(d.place.Explain(err, "following stack "+d.place.StackName()), "CloudFormation goes on; follow it: "+d.onward())
}
