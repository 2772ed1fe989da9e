package emitcfn

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/pipeline/asl"
)

// retentions are the days that a log group can be kept (PutRetentionPolicy).
var retentions = []any{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

// A parameter of the template. Every pattern is a part of [A-Za-z0-9:/._,@+=-]*:
// nothing in it can end a string, begin an expression or name a substitution.
type parameter struct {
	name, doc string
	pattern   string
	max       int
	byDefault *string // nil where a value must be given
}

func optional(s string) *string { return &s }

// common are the parameters that every template has, and Tags and those of a schedule
// where there are some.
func common(p *ir.Plan) []parameter {
	none := optional("")
	list := []parameter{
		{"Env", "Name of the environment; it begins every name", "^[a-z0-9]{1,10}$", ir.MaxEnvironment, nil},
		{"Account", "The only account to deploy to, or empty", "^$|^[0-9]{12}$", 12, none},
		{"Region", "The only Region to deploy to, or empty", "^$|^[a-z0-9-]{1,32}$", 32, none},
		{"Bucket", "S3 bucket of data, code and results", "^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", 63, nil},
		{"Prefix", "Put before every key in the bucket; empty, or ends in a slash", "^$|^([A-Za-z0-9:._,@+=-]+/)+$", 512, none},
		{"KmsKey", "ARN of the key for volumes, results, logs and notices, or empty; its policy must let CloudWatch Logs, EventBridge and CloudWatch use it", "^$|^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", 256, none},
		{"Subnets", "Subnets of the jobs, with commas between, or empty", "^$|^subnet-[0-9a-f]{8,17}(,subnet-[0-9a-f]{8,17}){0,15}$", 512, none},
		{"SecurityGroups", "Security groups of the jobs, with commas between, or empty", "^$|^sg-[0-9a-f]{8,17}(,sg-[0-9a-f]{8,17}){0,4}$", 256, none},
		{"PermissionsBoundary", "ARN of the policy that bounds every role, or empty", "^$|^arn:[a-z-]+:iam::([0-9]{12}|aws):policy/[A-Za-z0-9/._,@+=-]+$", 512, none},
	}
	list = append(list, parameter{notifyParameter, "E-mail address that is told of runs that did not succeed, or empty",
		`^$|^[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,189}$`, 254, none})
	list = append(list, readableParameters(p)...)
	if p.Tagged() {
		list = append(list, parameter{"Tags", "Tags of every job as key=value, with commas between, or empty",
			"^$|^[A-Za-z0-9:/._@+-]+=[A-Za-z0-9:/._@+-]*(,[A-Za-z0-9:/._@+-]+=[A-Za-z0-9:/._@+-]*)*$", 4096, none})
	}
	if p.Schedule != "" {
		list = append(list,
			parameter{scheduleState, "ENABLED if the pipeline starts by itself, else DISABLED", "^(ENABLED|DISABLED)$", 8, optional("DISABLED")},
			parameter{scheduleZone, "Time zone of the schedule, such as Europe/Berlin", "^[A-Za-z0-9_+/-]{1,50}$", 50, optional("UTC")})
	}
	return list
}

// ofJob are the parameters that a step has. Code that a model version brings is none.
func ofJob(j *ir.Job) []parameter {
	instance := parameter{j.InstanceName, "Instance type of " + j.Name, `^ml\.[a-z0-9.-]+$`, 64, &j.Instance}
	if j.Pin != "" {
		return []parameter{instance}
	}
	return []parameter{
		instance,
		{j.CodeName, "Digest of the code of " + j.Name + ", which is in the bucket below code/", "^[0-9a-f]{64}$", 64, nil},
	}
}

func parameters(p *ir.Plan) asl.Object {
	var all asl.Object
	add := func(list []parameter) {
		for _, q := range list {
			body := object("Type", "String", "Description", q.doc)
			if q.byDefault != nil {
				body = append(body, asl.Member{Key: "Default", Value: *q.byDefault})
			}
			body = append(body, object("AllowedPattern", q.pattern, "MaxLength", q.max)...)
			all = append(all, asl.Member{Key: q.name, Value: body})
		}
	}
	add(common(p))
	all = append(all, asl.Member{Key: "LogRetentionDays", Value: object(
		"Type", "Number", "Description", "Days for which the machine's log is kept", "Default", 30, "AllowedValues", retentions)})
	add(adoption(p))
	for _, j := range p.Jobs() {
		add(ofJob(j))
	}
	return all
}

// rules refuse a deployment before anything is made.
func rules() asl.Object {
	is := func(name string, value any) asl.Object { return object("Fn::Equals", []any{ref(name), value}) }
	emptyOr := func(name, pseudo string) asl.Object {
		return object("Fn::Or", []any{is(name, ""), is(name, ref(pseudo))})
	}
	return object(
		"Place", object("Assertions", []any{
			object("Assert", emptyOr("Account", "AWS::AccountId"), "AssertDescription", "this environment belongs to another account"),
			object("Assert", emptyOr("Region", "AWS::Region"), "AssertDescription", "this environment belongs to another Region"),
		}),
		"Network", object("Assertions", []any{
			object("Assert", object("Fn::Or", []any{
				object("Fn::And", []any{is("Subnets", ""), is("SecurityGroups", "")}),
				object("Fn::And", []any{
					object("Fn::Not", []any{is("Subnets", "")}), object("Fn::Not", []any{is("SecurityGroups", "")}),
				}),
			}), "AssertDescription", "Subnets and SecurityGroups go together: give both or neither"),
		}),
	)
}

// conditions are whether the optional parameters are given, and whether what outlives
// a stack is made.
func conditions(p *ir.Plan) asl.Object {
	all := object("HasKmsKey", given("KmsKey"), "HasVpc", given("Subnets"), "HasBoundary", given("PermissionsBoundary"), hasNotify, given(notifyParameter))
	all = append(all, readableConditions(p)...)
	return append(all, adoptionConditions(p)...)
}

// given is whether a parameter is not empty.
func given(name string) asl.Object {
	return object("Fn::Not", []any{object("Fn::Equals", []any{ref(name), ""})})
}

// parameterFile is what an environment says, for every parameter that it decides.
func parameterFile(p *ir.Plan, place *ir.Place) []any {
	var tags []string
	for _, key := range slices.Sorted(maps.Keys(place.Tags)) {
		tags = append(tags, key+"="+place.Tags[key])
	}
	values := []struct{ name, value string }{
		{"Env", place.Name}, {"Account", place.Account}, {"Region", place.Region},
		{"Bucket", place.Bucket}, {"Prefix", place.Prefix}, {"KmsKey", place.KmsKey},
		{"Subnets", strings.Join(place.Subnets, ",")}, {"SecurityGroups", strings.Join(place.SecurityGroups, ",")},
		{"PermissionsBoundary", place.PermissionsBoundary}, {notifyParameter, place.Notify},
		{"LogRetentionDays", strconv.Itoa(place.LogRetentionDays)},
	}
	for i := range p.Readable() {
		var at ir.Location
		if i < len(place.Readable) {
			at = place.Readable[i]
		}
		values = append(values, []struct{ name, value string }{{readableBucket(i), at.Bucket}, {readablePrefix(i), at.Prefix}}...)
	}
	if p.Tagged() {
		values = append(values, struct{ name, value string }{"Tags", strings.Join(tags, ",")})
	}
	if p.Schedule != "" {
		values = append(values, []struct{ name, value string }{{scheduleState, place.Schedule}, {scheduleZone, place.TimeZone}}...)
	}
	var all []any
	add := func(name, value string) {
		all = append(all, object("ParameterKey", name, "ParameterValue", value))
	}
	for _, v := range values {
		add(v.name, v.value)
	}
	for _, j := range p.Jobs() {
		instance, ok := place.Instances[j.Name]
		if !ok {
			panic(fmt.Sprintf("emitcfn: environment %s has no instance for %s", place.Name, j.Name))
		}
		add(j.InstanceName, instance)
	}
	return all
}
