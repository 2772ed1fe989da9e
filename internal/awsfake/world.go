// Package awsfake is an AWS account for tests: it speaks the wire protocols of STS, S3,
// CloudFormation, Step Functions, CloudWatch Logs and SageMaker's model registry over
// HTTP on loopback, so that the SDK, the AWS CLI and the commands of this project
// work with it as they are. It is made from AWS.md's facts, not from what the client
// needs: what it does not know it refuses, it never answers with less.
//
// One [World] is one account in one Region. Its services share state: CloudFormation makes
// the roles, machines, log groups and model groups that the other services then know.
// Step Functions runs the deployed definition on this project's engine, and its jobs
// as processes.
//
// It proves that the parts fit together by the documented rules. It proves nothing about
// what AWS does where the documents are silent; docs/aws.md lists that.
package awsfake

import (
	"net/http"
	"sync"
	"time"

	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/local"
)

// Options are what a world can be told. The zero value is ready.
type Options struct {
	// Account and Region default to 123456789012 and eu-west-1.
	Account, Region string
	// Clock is the machine's own if nil.
	Clock asl.Clock
	// Enforce makes every call that a role makes subject to its policies.
	Enforce bool
	// Jobs say how the jobs of executions run. Without a folder they have a temporary one,
	// which Close removes; without an isolation it is direct, which starts the fastest.
	Jobs local.JobsOptions
}

// A World is one account in one Region.
type World struct {
	Account, Region, Partition string
	Clock                      asl.Clock
	// Enforce makes calls of roles subject to their policies.
	Enforce bool
	// SparseLogs makes every other page of log events empty, although more are to come: AWS
	// may answer so at any time.
	SparseLogs bool

	// mu guards everything below. Methods whose names begin with a capital letter take it,
	// others expect it to be held.
	mu       sync.Mutex
	calls    []Call
	next     int // for ids
	buckets  map[string]*Bucket
	roles    map[string]*Role       // by name
	managed  map[string][]byte      // policies by ARN
	groups   map[string]*LogGroup   // by name
	packages map[string]*ModelGroup // by name
	// jobs are SageMaker's by "processing-job/NAME" or "training-job/NAME": what the Describe
	// call says, with times in milliseconds, and never changed in place. tags are of
	// SageMaker's resources, by ARN.
	jobs     map[string]map[string]any
	tags     map[string]map[string]string
	machines map[string]*Machine // by ARN
	stacks   map[string]*stack   // by id; deleted ones stay
	// pace, holding, failing and seen are how CloudFormation's operations go on.
	pace     int
	holding  map[string]bool
	failing  map[string]string
	seen     []string
	services map[string]http.Handler
	states   states
}

// New makes an account in which nothing is but a bucket, if it is named.
func New(o Options, buckets ...string) *World {
	if o.Account == "" {
		o.Account = "123456789012"
	}
	if o.Region == "" {
		o.Region = "eu-west-1"
	}
	if o.Clock == nil {
		o.Clock = asl.SystemClock
	}
	w := &World{
		Account: o.Account, Region: o.Region, Partition: "aws", Clock: o.Clock, Enforce: o.Enforce,
		buckets: map[string]*Bucket{}, roles: map[string]*Role{}, groups: map[string]*LogGroup{}, packages: map[string]*ModelGroup{},
		managed: map[string][]byte{}, jobs: map[string]map[string]any{}, tags: map[string]map[string]string{}, machines: map[string]*Machine{},
		stacks: map[string]*stack{}, holding: map[string]bool{}, failing: map[string]string{},
	}
	w.states.options = o.Jobs
	w.services = map[string]http.Handler{
		"sts": http.HandlerFunc(w.sts), "s3": http.HandlerFunc(w.s3), "logs": http.HandlerFunc(w.logs), "sagemaker": http.HandlerFunc(w.sageMaker),
		"cloudformation": http.HandlerFunc(w.cloudFormation), "states": http.HandlerFunc(w.stepFunctions),
	}
	for _, name := range buckets {
		w.AddBucket(name, w.Region, w.Account)
	}
	return w
}

// ARN is that of a resource in this account and Region.
func (w *World) ARN(service, resource string) string {
	return "arn:" + w.Partition + ":" + service + ":" + w.Region + ":" + w.Account + ":" + resource
}

// now is the clock's, as services give it: to the millisecond.
func (w *World) now() time.Time { return w.Clock.Now().UTC().Truncate(time.Millisecond) }
