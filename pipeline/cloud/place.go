// Package cloud is where a pipeline is on AWS: an environment's account, Region,
// bucket and names, and the clients that talk to them. In goes a [Target], as a
// person names it; out comes a [Place], of which is known that its credentials work
// and that it is the account and Region which the environment is for.
//
// Opening a place writes nothing. What is done there are packages of their own:
// stack deploys, execution runs and watches.
package cloud

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/images"
)

// A Target is an environment as a person names it.
type Target struct {
	Definition *pipeline.Definition
	// Environment is its name, such as dev.
	Environment string
	// Bucket, Region and Profile, if not empty, are used instead of the environment's
	// and of what the shared configuration says.
	Bucket, Region, Profile string
	// Command is how a person runs this command, without a verb.
	Command string
}

// Options are what tests replace. The zero value is ready.
type Options struct {
	// Clock is the machine's own if nil.
	Clock asl.Clock
	// MaxBackoff is the longest pause before a call is tried again; 0 is the SDK's.
	MaxBackoff time.Duration
	// Load are further options of the SDK's configuration.
	Load []func(*config.LoadOptions) error
}

// A Place is an environment that can be talked to.
type Place struct {
	Target
	// Parameters are the values of the environment's parameter file, over which Bucket
	// and Region have been laid. The digests of code are not in it.
	Parameters map[string]string
	// Account and Caller are who the credentials belong to: 12 digits, and an ARN.
	Account, Caller string
	// Region is where, Partition aws, aws-cn or aws-us-gov.
	Region, Partition string
	// Bucket holds data, code and results below Prefix, which is empty or ends in a slash.
	Bucket, Prefix string
	// KmsKey is the ARN of the key for what is uploaded, or empty.
	KmsKey string
	Clock  asl.Clock

	config  aws.Config
	options Options
	// expires is when the credentials of the last Reload run out, if they do, and source
	// what gave them, in the SDK's words.
	expires time.Time
	source  string
}

// attempts is how often a call is tried: the SDK's default of 3 gives up on a throttled
// account after some two seconds.
const attempts = 6

// torn recognizes an answer that ended before its end, which the SDK does not ask for
// again by itself. Whatever this program asks for can be asked for twice.
func torn(err error) aws.Ternary {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) {
		return aws.TrueTernary
	}
	return aws.UnknownTernary
}

// Open finds out whose credentials there are, and refuses those of another account or
// Region than the environment's. Nothing is written.
func Open(ctx context.Context, t Target, o Options) (*Place, error) {
	values, err := Values(t)
	if err != nil {
		return nil, err
	}
	if o.Clock == nil {
		o.Clock = asl.SystemClock
	}
	p := &Place{
		Target: t, Parameters: values, Region: values["Region"], Bucket: values["Bucket"], Prefix: values["Prefix"], KmsKey: values["KmsKey"],
		Clock: o.Clock, options: o,
	}
	if err := p.Reload(ctx); err != nil {
		return nil, err
	}
	who, err := sts.NewFromConfig(p.config).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return nil, p.Explain(err, "finding out whose credentials these are")
	}
	caller, err := arn.Parse(aws.ToString(who.Arn))
	if err != nil {
		return nil, fmt.Errorf("read the caller's ARN: %w", err)
	}
	p.Account, p.Caller, p.Partition = aws.ToString(who.Account), aws.ToString(who.Arn), caller.Partition
	if err := p.belongs(values["Account"]); err != nil {
		return nil, err
	}
	return p, nil
}

// belongs refuses credentials of another account than the environment's, and a Region that
// is none of the partition's or of the template's.
func (p *Place) belongs(account string) error {
	if account != "" && account != p.Account {
		return fmt.Errorf("environment %s belongs to account %s, and these credentials to %s (%s); nothing was written\n\thint: choose other credentials with --profile, or correct Account in the environment",
			p.Environment, account, p.Account, p.Caller)
	}
	if partition, known := images.Partition(p.Region); known && partition != p.Partition {
		return fmt.Errorf("region %s is in partition %s, and these credentials are of %s (%s); nothing was written\n\thint: choose other credentials with --profile, or another Region",
			p.Region, partition, p.Partition, p.Caller)
	}
	if regions := p.regions(); len(regions) > 0 && !slices.Contains(regions, p.Region) {
		return fmt.Errorf("the template of %s is not for Region %s: there are no images for its steps; nothing was written\n\thint: it is for %s", p.Definition.Name, p.Region, strings.Join(regions, ", "))
	}
	return nil
}

// regions are those in which the template has an image for every step, in order; none if
// it does not say.
func (p *Place) regions() []string {
	var template struct {
		Mappings struct{ ImageAccounts map[string]map[string]string }
	}
	if err := json.Unmarshal(p.Definition.Template, &template); err != nil {
		return nil // a definition without a template is not deployed
	}
	most := 0
	for _, accounts := range template.Mappings.ImageAccounts {
		most = max(most, len(accounts))
	}
	var all []string
	for _, region := range slices.Sorted(maps.Keys(template.Mappings.ImageAccounts)) {
		if len(template.Mappings.ImageAccounts[region]) == most {
			all = append(all, region)
		}
	}
	return all
}

// Values are those of an environment's parameter file, over which those of the target are
// laid. The digests of code are not among them. AWS is not asked.
func Values(t Target) (map[string]string, error) {
	file, ok := t.Definition.Environments[t.Environment]
	if !ok {
		names := slices.Sorted(maps.Keys(t.Definition.Environments))
		if len(names) == 0 {
			return nil, fmt.Errorf("%s has no environments\n\thint: run go generate ./... after declaring one in the spec's package: var Dev = mlmax.Environment{…}", t.Definition.Name)
		}
		return nil, fmt.Errorf("%s has no environment %q\n\thint: it has %s", t.Definition.Name, t.Environment, strings.Join(names, ", "))
	}
	var list []struct{ ParameterKey, ParameterValue string }
	if err := json.Unmarshal(file, &list); err != nil {
		return nil, fmt.Errorf("read the parameters of environment %s: %w", t.Environment, err)
	}
	values := map[string]string{}
	for _, p := range list {
		values[p.ParameterKey] = p.ParameterValue
	}
	if t.Region != "" && values["Region"] != "" && t.Region != values["Region"] && values["Account"] != "" {
		// An environment that is bound to an account is bound to its Region as well.
		return nil, fmt.Errorf("environment %s is in %s, and --region says %s; nothing was written\n\thint: leave --region out, or declare another environment", t.Environment, values["Region"], t.Region)
	}
	if t.Region != "" {
		values["Region"] = t.Region
	}
	if t.Bucket != "" {
		values["Bucket"] = t.Bucket
	}
	return values, nil
}

// Reload reads the shared configuration and credentials anew: a person has logged in
// again while a command went on.
func (p *Place) Reload(ctx context.Context) error {
	load := []func(*config.LoadOptions) error{
		config.WithRetryer(func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.MaxAttempts, o.MaxBackoff = attempts, cmp.Or(p.options.MaxBackoff, o.MaxBackoff)
				o.Retryables = append(o.Retryables, retry.IsErrorRetryableFunc(torn))
			})
		}),
		config.WithAppID("mlmax"),
		config.WithLogger(logging.Nop{}), // what matters comes as an error
	}
	if p.Region != "" {
		load = append(load, config.WithRegion(p.Region))
	}
	if p.Profile != "" {
		load = append(load, config.WithSharedConfigProfile(p.Profile))
	}
	c, err := config.LoadDefaultConfig(ctx, append(load, p.options.Load...)...)
	if err != nil {
		return p.Explain(err, "reading the AWS configuration")
	}
	if c.Region == "" {
		return errors.New(noRegion + "\n\thint: " + noRegionHint)
	}
	p.config, p.Region = c, c.Region
	p.source, p.expires = "", time.Time{}
	// Where there are no credentials, the first call says so.
	if found, err := c.Credentials.Retrieve(ctx); err == nil {
		p.source = found.Source
		if found.CanExpire {
			p.expires = found.Expires
		}
	}
	return nil
}

// Config is the SDK's configuration, for calls that are signed by hand.
func (p *Place) Config() aws.Config { return p.config }

// S3 is the client of buckets and objects, with the credentials of now.
//
// The clients are functions and not methods of a Place: see calls.go.
func S3(p *Place) *s3.Client { return s3.NewFromConfig(p.config) }

// CloudFormation is the client of stacks.
func CloudFormation(p *Place) *cloudformation.Client {
	return cloudformation.NewFromConfig(p.config)
}

// StepFunctions is the client of machines and executions.
func StepFunctions(p *Place) *sfn.Client { return sfn.NewFromConfig(p.config) }

// Logs is the client of what jobs write.
func Logs(p *Place) *cloudwatchlogs.Client { return cloudwatchlogs.NewFromConfig(p.config) }

// StackName is the name of the environment's stack, and of its state machine.
func (p *Place) StackName() string { return p.Environment + "-" + p.Definition.Name }

// MachineARN is the state machine's.
func (p *Place) MachineARN() string { return p.states("stateMachine:" + p.StackName()) }

// ExecutionARN is that of an execution of this name.
func (p *Place) ExecutionARN(name string) string {
	return p.states("execution:" + p.StackName() + ":" + name)
}

func (p *Place) states(resource string) string {
	return arn.ARN{Partition: p.Partition, Service: "states", Region: p.Region, AccountID: p.Account, Resource: resource}.String()
}

// Next is the command that a person runs for something else in the same place: a verb
// and its arguments, then the flags by which this place was named.
func (p *Place) Next(verb string) string {
	text := p.Command + " " + verb + " --env " + p.Environment
	for _, f := range []struct{ name, value string }{{"bucket", p.Target.Bucket}, {"region", p.Target.Region}, {"profile", p.Profile}} {
		if f.value != "" {
			text += " --" + f.name + " " + f.value
		}
	}
	return text
}

// Console is where the console of the Region begins, with a slash at its end.
func (p *Place) Console() string {
	host := map[string]string{"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}[p.Partition]
	if host == "" {
		host = "console.aws.amazon.com"
	}
	return "https://" + p.Region + "." + host + "/"
}

// Wait returns after d, or when ctx ends.
func (p *Place) Wait(ctx context.Context, d time.Duration) error { return p.Clock.Wait(ctx, d) }
