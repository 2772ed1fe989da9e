package check

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/gen/limits"
	"github.com/mlmax/mlmax/pipeline/images"
)

// limitRules judge what SageMaker accepts: its instance types and images, and how
// much of everything.
var limitRules = []Rule{
	{Code: diag.UnknownInstance, Doc: "instance types are those of the kind of job", run: unknownInstance},
	{Code: diag.UnknownImage, Doc: "images are in the catalogue", run: unknownImage},
	{Code: diag.MissingKey, Doc: "every step has an instance type", run: missingInstance},
	{Code: diag.OutOfRange, Doc: "settings are within what the service accepts", run: settingsRange},
	{Code: diag.NotInEnum, Doc: "settings have one of the values there are", run: settingsEnum},
	{Code: diag.AbsoluteLocation, Doc: "locations are keys below the environment's prefix", run: absoluteLocation},
	{Code: diag.ServiceLimit, Doc: "no more of anything than the service accepts", run: serviceLimit},
}

// settings calls f for every place where settings are written: the package's steps
// and the uses of any.
func (p *pass) settings(f func(s ir.Settings, kind ir.Kind, what string)) {
	for _, s := range p.spec.Steps {
		f(s.Settings, s.Kind, fmt.Sprintf("step %q", s.Name))
	}
	for _, pipe := range p.spec.Pipelines {
		for _, u := range pipe.Uses {
			if u.Step != nil {
				f(u.Settings, u.Step.Kind, fmt.Sprintf("step %q", u.Name))
			}
		}
	}
}

// instanceShape is the enumeration of a kind's instance types in the service model.
func instanceShape(k ir.Kind) string {
	if k == ir.Training {
		return "TrainingInstanceType"
	}
	return "ProcessingInstanceType"
}

func unknownInstance(p *pass) {
	p.settings(func(s ir.Settings, kind ir.Kind, what string) {
		if s.Instance.Written() {
			p.instance(s.Instance, kind, what)
		}
	})
}

// instance judges an instance type for a kind of job.
func (p *pass) instance(v ir.At[string], kind ir.Kind, what string) {
	shape := instanceShape(kind)
	if v.V == "" || limits.InEnum(shape, v.V) {
		return
	}
	message := fmt.Sprintf("unknown instance type %q for %s", v.V, what)
	hint := instanceHint(v.V, kind)
	if other := instanceShape(otherKind(kind)); limits.InEnum(other, v.V) {
		message = fmt.Sprintf("instance type %q is not offered for %s jobs such as %s", v.V, kind, what)
		hint = otherInstance(kind)
	}
	p.report(at(v), message, hint)
}

// instanceHint is the hint that goes with a type that there is not.
func instanceHint(written string, kind ir.Kind) string {
	if near := diag.Nearest(written, limits.Enum(instanceShape(kind))); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return otherInstance(kind)
}

func otherInstance(kind ir.Kind) string {
	return fmt.Sprintf("use a type that SageMaker offers for %s jobs, such as %q", kind, "ml.m5.xlarge")
}

func otherKind(k ir.Kind) ir.Kind {
	if k == ir.Training {
		return ir.Processing
	}
	return ir.Training
}

func unknownImage(p *pass) {
	for _, s := range p.spec.Steps {
		image := s.Settings.Image
		if !image.Written() || image.V == "" {
			continue
		}
		if _, ok := images.Lookup(image.V); !ok {
			p.report(at(image), fmt.Sprintf("unknown image %q of step %q", image.V, s.Name), diag.DidYouMean(image.V, images.Names()))
		}
	}
}

// missingInstance looks at uses, since either the step or its use may say it.
func missingInstance(p *pass) {
	used := map[*ir.Step]bool{}
	for _, l := range p.links {
		for _, u := range l.pipe.Uses {
			used[u.Step] = true
			if u.Step == nil || u.Settings.Instance.Written() || u.Step.Settings.Instance.Written() || p.known.line(u.Step.KindPos) || p.known.line(u.Pos) {
				continue
			}
			p.report(point(u.Pos), fmt.Sprintf("neither step %q nor its type %q says an instance type", u.Name, u.Step.Name),
				`add instance:"ml.m5.xlarge" to the tag of either`, related(point(u.Step.KindPos), "%s is declared here", u.Step.Name))
		}
	}
}

// maxTraining is the longest that a training job may run (SageMaker API,
// StoppingCondition: 28 days; the model has no bound).
const maxTraining = 28 * 24 * time.Hour

// maxState is the greatest TimeoutSeconds of the States Language.
const maxState = 99_999_999 * time.Second

func settingsRange(p *pass) {
	p.settings(func(s ir.Settings, kind ir.Kind, what string) {
		// The model bounds neither instances nor volume of training jobs from above;
		// the disks are the same, and more instances than that are no slip of the pen.
		count, volume := limits.Of("ProcessingInstanceCount"), limits.Of("ProcessingVolumeSizeInGB")
		timeout := limits.Of("ProcessingMaxRuntimeInSeconds")
		if kind == ir.Training {
			most := int64(maxTraining / time.Second)
			timeout.Max = &most
		}
		p.within(s.Count, count, what, "instances")
		p.within(s.Volume, volume, what, "GiB")
		p.lasts(s.Timeout, timeout, what)
		p.lasts(s.MaxWait, timeout, what)
		if s.MaxWait.Written() && s.Timeout.Written() && s.MaxWait.V > 0 && s.MaxWait.V < s.Timeout.V {
			p.report(at(s.MaxWait), fmt.Sprintf("max-wait %s of %s is less than its timeout %s, which it includes", hours(s.MaxWait.V), what, hours(s.Timeout.V)),
				"raise max-wait", related(at(s.Timeout), "the timeout"))
		}
	})
	for _, pipe := range p.spec.Pipelines {
		if pipe.Timeout.V > maxState {
			p.report(at(pipe.Timeout), fmt.Sprintf("timeout %s is more than a state machine takes: %s", hours(pipe.Timeout.V), hours(maxState)), "lower it")
		}
	}
}

func (p *pass) within(v ir.At[int], b limits.Bound, what, unit string) {
	if v.Written() && !b.Allows(v.V) && !p.known.line(v.Pos) {
		p.report(at(v), fmt.Sprintf("%d %s are out of range for %s: the service takes %s", v.V, unit, what, span(b)), "stay within the range")
	}
}

func (p *pass) lasts(v ir.At[time.Duration], b limits.Bound, what string) {
	if v.Written() && v.V > 0 && !b.Allows(int(v.V/time.Second)) {
		p.report(at(v), fmt.Sprintf("%s is out of range for %s: the service takes at most %s", hours(v.V), what, hours(time.Duration(*b.Max)*time.Second)), "lower it")
	}
}

// hours is a duration as a tag holds it: 28h and not 28h0m0s.
func hours(d time.Duration) string {
	s := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = s[:len(s)-2]
		}
	}
	return s
}

// span is a bound in words.
func span(b limits.Bound) string {
	switch {
	case b.Min != nil && b.Max != nil:
		return fmt.Sprintf("%d to %d", *b.Min, *b.Max)
	case b.Max != nil:
		return fmt.Sprintf("at most %d", *b.Max)
	}
	return fmt.Sprintf("at least %d", *b.Min)
}

// partitions are the values of a pipeline's partition that this module knows.
var partitions = []string{"aws", "aws-cn", "aws-us-gov"}

func settingsEnum(p *pass) {
	for _, pipe := range p.spec.Pipelines {
		if pipe.Partition.Written() && !slices.Contains(partitions, pipe.Partition.V) {
			p.report(at(pipe.Partition), fmt.Sprintf("unknown partition %q", pipe.Partition.V), diag.DidYouMean(pipe.Partition.V, partitions))
		}
		for _, r := range pipe.Registers {
			p.status(r.Status)
		}
		for _, v := range pipe.Versions {
			p.status(v.Status)
		}
	}
}

// status judges that of a version. One that is rejected is of no use, neither to be
// registered nor to start from.
func (p *pass) status(v ir.At[string]) {
	statuses := slices.DeleteFunc(slices.Clone(limits.Enum("ModelApprovalStatus")), func(s string) bool { return s == "Rejected" })
	if v.Written() && !slices.Contains(statuses, v.V) {
		p.report(at(v), fmt.Sprintf("unknown status %q", v.V), diag.DidYouMean(v.V, statuses))
	}
}

func absoluteLocation(p *pass) {
	for _, pipe := range p.spec.Pipelines {
		for _, s := range pipe.Sources {
			d := s.Default
			switch {
			case !d.Written() || d.V == "":
			case strings.Contains(d.V, "://") || strings.HasPrefix(strings.ToLower(d.V), "s3:") || strings.HasPrefix(d.V, "arn:"):
				p.report(at(d), fmt.Sprintf("default of %q is a whole URI, %q, and is to be a key below the environment's prefix", s.Name, d.V),
					"write the key alone; bucket and prefix are the environment's")
			case strings.HasPrefix(d.V, "/") || slices.Contains(strings.Split(d.V, "/"), "..") || slices.Contains(strings.Split(d.V, "/"), "."):
				p.report(at(d), fmt.Sprintf("default of %q is %q, and is to be a key below the environment's prefix", s.Name, d.V),
					"remove the slash at its beginning and its dot segments")
			case substituted(d.V) != "":
				// That is what LooksSubstituted says.
			case !keyText.MatchString(d.V):
				p.report(at(d), fmt.Sprintf("default of %q holds what cannot be substituted safely: %q", s.Name, d.V),
					"use letters, digits and : / . _ , @ + = -")
			}
		}
	}
}

func chars(s string) int { return utf8.RuneCountInString(s) }
