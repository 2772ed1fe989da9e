package delta

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/mlmax/mlmax/pipeline/asl"
)

// A job is a step as one side's machine requests it.
type job struct {
	name, kind string
	// facts are what is requested, in words, in order; a name occurs once.
	facts []fact
	// about is the registration that facts are being noted of, or empty.
	about string

	instance                 string
	count, volumeGB, seconds int
}

// A fact is one thing about a step. A brief one is told of a step that is new.
type fact struct {
	name, value string
	brief       bool
	// of is the registration that it is about, or empty.
	of string
}

func (j *job) fact(name string) (string, bool) {
	i := slices.IndexFunc(j.facts, func(f fact) bool { return f.name == name })
	if i < 0 {
		return "", false
	}
	return j.facts[i].value, true
}

// add notes a fact. Where a name was taken, both stay.
func (j *job) add(name, value string, brief bool) {
	for n, base := 2, name; ; n++ {
		if _, taken := j.fact(name); !taken {
			break
		}
		name = fmt.Sprintf("%s (%d)", base, n)
	}
	j.facts = append(j.facts, fact{name, value, brief, j.about})
}

// jobs are the steps of the machine in the order in which they run.
func (d *deployment) jobs() []*job {
	var all []*job
	for _, s := range d.order() {
		state := member(member(d.machine, "States"), s)
		_, call, found := strings.Cut(text(state, "Resource"), ":sagemaker:")
		if !found {
			continue
		}
		j := &job{name: s}
		switch call {
		case "createProcessingJob.sync":
			j.kind = "processing"
			j.request(computedOr(state, "Arguments"))
		case "createTrainingJob.sync":
			j.kind = "training"
			j.request(d.prepared(s))
			rest := computed(text(state, "Arguments"))
			if rest == nil {
				j.add("request", pretty(text(state, "Arguments")), false)
			}
			j.request(rest)
		default:
			continue
		}
		j.timed(state)
		all = append(all, j)
	}
	return all
}

// order is the machine's states as they follow each other, by way of the first branch.
func (d *deployment) order() []string {
	states := member(d.machine, "States")
	var all []string
	var visit func(name string)
	visit = func(name string) {
		state := member(states, name)
		if state == nil || slices.Contains(all, name) {
			return
		}
		all = append(all, name)
		for _, c := range items(state, "Choices") {
			choice, _ := c.(asl.Object)
			visit(text(choice, "Next"))
		}
		for _, key := range []string{"Next", "Default"} {
			visit(text(state, key))
		}
	}
	visit(text(d.machine, "StartAt"))
	return all
}

// prepared is the constant part of a training job's request, which the state before it
// assigns.
func (d *deployment) prepared(next string) asl.Object {
	for _, s := range member(d.machine, "States") {
		state, _ := s.Value.(asl.Object)
		if request := member(member(state, "Assign"), "request"); request != nil && text(state, "Next") == next {
			return request
		}
	}
	return nil
}

// computedOr is an object below a key, or what the expression there gives.
func computedOr(o asl.Object, key string) asl.Object {
	v, _ := o.Get(key)
	return computed(v)
}

// timed notes how long the step waits and what it tries again.
func (j *job) timed(state asl.Object) {
	v, _ := state.Get("TimeoutSeconds")
	if queue := number(v) - j.seconds; queue > 0 {
		j.add("time in the queue", span(queue), false)
	}
	if retry := items(state, "Retry"); len(retry) > 0 {
		var rules []string
		for _, r := range retry {
			rule, _ := r.(asl.Object)
			rules = append(rules, encode(without(rule, "Comment")))
		}
		j.add("retries", strings.Join(rules, ", "), false)
	}
}

// without is an object without a member.
func without(o asl.Object, key string) asl.Object {
	return slices.DeleteFunc(slices.Clone(o), func(m asl.Member) bool { return m.Key == key })
}

// request notes what is asked of the service.
func (j *job) request(request asl.Object) {
	for _, m := range request {
		below, _ := m.Value.(asl.Object)
		switch m.Key {
		case "ProcessingJobName", "TrainingJobName", "RoleArn", "Tags":
			// They follow from the step's name, or are the same for all.
		case "AppSpecification":
			j.application(below)
		case "AlgorithmSpecification":
			j.add("image", pretty(text(below, "TrainingImage")), true)
			j.flatten("algorithm ", without(below, "TrainingImage"))
		case "HyperParameters":
			j.hyperparameters(below)
		case "ProcessingInputs":
			j.ports("input", "InputName", "S3Input", m.Value)
		case "InputDataConfig":
			j.ports("channel", "ChannelName", "DataSource", m.Value)
		case "ProcessingOutputConfig":
			j.outputs(m.Value)
		case "OutputDataConfig":
			j.flatten("output ", below)
		case "ProcessingResources":
			v, _ := below.Get("ClusterConfig")
			j.either("cluster", v, j.cluster)
		case "ResourceConfig":
			j.either("cluster", m.Value, j.cluster)
		case "NetworkConfig":
			j.either("network", m.Value, j.network)
		case "EnableNetworkIsolation", "EnableInterContainerTrafficEncryption", "VpcConfig":
			j.network(asl.Object{m})
		case "StoppingCondition":
			j.stopping(below)
		case "EnableManagedSpotTraining":
			j.add("spot", plain(m.Value), true)
		case "Environment":
			j.flatten("environment ", below)
		default:
			j.flatten("", asl.Object{m})
		}
	}
}

// either notes what an object says, or as it is an expression that needs a run.
func (j *job) either(name string, v any, note func(asl.Object)) {
	if o := computed(v); o != nil {
		note(o)
		return
	}
	j.add(name, pretty(plain(v)), true)
}

// application is a processing job's image, script and arguments.
func (j *job) application(app asl.Object) {
	for _, m := range app {
		switch m.Key {
		case "ImageUri":
			j.add("image", pretty(plain(m.Value)), true)
		case "ContainerEntrypoint":
			j.add("script", script(texts(items(app, m.Key))), true)
		case "ContainerArguments":
			j.arguments(texts(items(app, m.Key)))
		default:
			j.flatten("", asl.Object{m})
		}
	}
}

// script is the file that an entry point runs; the interpreter is told where it is not
// the usual one.
func script(entrypoint []string) string {
	const folder = "/opt/ml/processing/input/code/"
	if len(entrypoint) == 2 {
		file, inside := strings.CutPrefix(entrypoint[1], folder)
		usual := entrypoint[0] == "python3" || entrypoint[0] == "/bin/sh" && path.Ext(file) == ".sh"
		if inside && usual {
			return file
		}
	}
	return strings.Join(entrypoint, " ")
}

// arguments are flags with a value each.
func (j *job) arguments(list []string) {
	for i := 0; i < len(list); i++ {
		name, value := fmt.Sprintf("argument %d", i+1), list[i]
		if strings.HasPrefix(value, "-") && i+1 < len(list) {
			name, value = "argument "+value, list[i+1]
			i++
		}
		j.add(name, pretty(value), false)
	}
}

// hyperparameters are the script, its code, and what the script is given.
func (j *job) hyperparameters(all asl.Object) {
	for _, m := range all {
		value := plain(m.Value)
		switch m.Key {
		case "sagemaker_program":
			j.add("script", strings.Trim(value, `"`), true)
		case "sagemaker_submit_directory":
			j.code(value)
		case "sagemaker_container_log_level", "sagemaker_region":
			j.add(m.Key, value, false)
		default:
			j.add("hyperparameter "+m.Key, pretty(value), false)
		}
	}
}

// code notes which code a job runs, from the place where it lies.
func (j *job) code(place string) {
	if found := digest.FindString(place); found != "" {
		j.add("code", short(found), true)
		return
	}
	if match := versionCode.FindStringSubmatch(place); match != nil {
		j.add("code", "that of version "+match[1], true)
		return
	}
	j.add("code", "", true)
}

// ports are what a job reads: its code, and inputs by name.
func (j *job) ports(what, name, source string, list any) {
	all, _ := list.([]any)
	for _, p := range all {
		port, _ := p.(asl.Object)
		from := member(port, source)
		if s3 := member(from, "S3DataSource"); s3 != nil {
			from = s3
		}
		uri := text(from, "S3Uri")
		if text(port, name) == "code" {
			j.code(uri) // an isolated training job gets it by a channel
			continue
		}
		label := what + " " + text(port, name)
		j.add(label, pretty(uri), false)
		j.flatten(label+" ", without(from, "S3Uri"))
		j.flatten(label+" ", without(without(port, name), source))
	}
}

// outputs are what a processing job writes.
func (j *job) outputs(v any) {
	config := computed(v)
	if config == nil {
		j.add("outputs", pretty(plain(v)), false)
	}
	for _, o := range items(config, "Outputs") {
		out, _ := o.(asl.Object)
		label := "output " + text(out, "OutputName")
		to := member(out, "S3Output")
		j.add(label, text(to, "LocalPath"), false)
		j.flatten(label+" ", without(to, "LocalPath"))
	}
	j.flatten("outputs ", without(config, "Outputs"))
}

// cluster is what a job runs on.
func (j *job) cluster(c asl.Object) {
	for _, m := range c {
		switch m.Key {
		case "InstanceType":
			j.instance = plain(m.Value)
			j.add("instance", j.instance, true)
		case "InstanceCount":
			j.count = number(m.Value)
			j.add("instances", plain(m.Value), true)
		case "VolumeSizeInGB":
			j.volumeGB = number(m.Value)
			j.add("volume", plain(m.Value)+" GB", true)
		default:
			j.flatten("", asl.Object{m})
		}
	}
}

// network is whether a job has one.
func (j *job) network(n asl.Object) {
	for _, m := range n {
		switch m.Key {
		case "EnableNetworkIsolation":
			j.add("network isolation", plain(m.Value), plain(m.Value) == "true")
		case "EnableInterContainerTrafficEncryption":
			j.add("encryption between containers", plain(m.Value), false)
		default:
			j.flatten("", asl.Object{m})
		}
	}
}

// stopping is how long a job may take.
func (j *job) stopping(limits asl.Object) {
	for _, m := range limits {
		switch m.Key {
		case "MaxRuntimeInSeconds":
			j.seconds = number(m.Value)
			j.add("time limit", span(j.seconds), true)
		case "MaxWaitTimeInSeconds":
			j.add("time limit with waiting for spot", span(number(m.Value)), true)
		default:
			j.flatten("", asl.Object{m})
		}
	}
}

// flatten notes every single value of an object under its path.
func (j *job) flatten(prefix string, o asl.Object) {
	for _, m := range o {
		if below, ok := m.Value.(asl.Object); ok {
			j.flatten(prefix+m.Key+".", below)
			continue
		}
		j.add(prefix+m.Key, pretty(plain(m.Value)), false)
	}
}

// span is a number of seconds as people write it: 20m, 1h30m.
func span(seconds int) string {
	text := (time.Duration(seconds) * time.Second).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
