package check

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/gen/limits"
)

// scheduleRules judge when pipelines start by themselves, and where.
var scheduleRules = []Rule{
	{Code: diag.BadSchedule, Doc: "schedules are such as EventBridge Scheduler takes", run: badSchedule},
	{Code: diag.ScheduledParameter, Doc: "a pipeline with a schedule can start with defaults alone", run: scheduledParameter},
	{Code: diag.EnvironmentTimeZone, Doc: "time zones are those of the IANA database", run: environmentTimeZone},
	{Code: diag.UnusedSchedule, Doc: "schedules are switched on where there are some", Severity: diag.Warning, run: unusedSchedule},
}

func badSchedule(p *pass) {
	for _, pipe := range p.spec.Pipelines {
		s := pipe.Schedule
		if !s.Written() {
			continue
		}
		if why, hint := scheduleFault(s.V); why != "" {
			p.report(at(s), fmt.Sprintf("schedule %q of pipeline %q: %s", s.V, pipe.GoName, why), hint)
		}
	}
}

// A call is an expression of EventBridge Scheduler: a word and what stands in its
// brackets.
var call = regexp.MustCompile(`^([a-z]+)\((.*)\)$`)

const likeCron = `write it like "cron(0 6 * * ? *)" or "rate(1 day)"`

// scheduleFault says what is wrong with a schedule, or nothing.
func scheduleFault(s string) (why, hint string) {
	m := call.FindStringSubmatch(s)
	if m == nil {
		return "it is neither cron(…) nor rate(…)", likeCron
	}
	switch m[1] {
	case "cron":
		return cronFault(m[2])
	case "rate":
		return rateFault(m[2])
	case "at":
		return "at(…) is for one run, which a person starts", likeCron
	}
	return fmt.Sprintf("%s(…) is no kind of schedule", m[1]), likeCron
}

// rateUnits are the units of a rate.
var rateUnits = []string{"minute", "hour", "day"}

func rateFault(s string) (why, hint string) {
	number, unit, _ := strings.Cut(s, " ")
	n, err := strconv.Atoi(number)
	one := strings.TrimSuffix(unit, "s")
	switch {
	case err != nil || n < 1 || strconv.Itoa(n) != number:
		return fmt.Sprintf("%q is not a whole number above zero", number), `write it like "rate(1 day)" or "rate(12 hours)"`
	case !slices.Contains(rateUnits, one):
		return fmt.Sprintf("unknown unit %q", unit), diag.DidYouMean(one, rateUnits)
	case n == 1 && unit != one:
		return fmt.Sprintf("the unit of 1 is %q", one), fmt.Sprintf(`write "rate(1 %s)"`, one)
	case n > 1 && unit == one:
		return fmt.Sprintf("the unit of %d is %q", n, one+"s"), fmt.Sprintf(`write "rate(%d %ss)"`, n, one)
	}
	return "", ""
}

// A cronField is what one of the six fields can hold (EventBridge Scheduler User
// Guide: cron-based schedules). Its names stand for numbers from min on.
type cronField struct {
	name     string
	min, max int
	names    []string
	any      bool           // whether ? is allowed
	special  *regexp.Regexp // what it has besides, or nil
}

var cronFields = []cronField{
	{name: "minute", max: 59},
	{name: "hour", max: 23},
	{name: "day of the month", min: 1, max: 31, any: true, special: regexp.MustCompile(`^(?:L|LW|(?:[1-9]|[12][0-9]|3[01])W)$`)},
	{name: "month", min: 1, max: 12, names: []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}},
	{name: "weekday", min: 1, max: 7, names: []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}, any: true,
		special: regexp.MustCompile(`^(?:L|[1-7]L|[1-7]#[1-5])$`)},
	{name: "year", min: 1970, max: 2199},
}

func cronFault(s string) (why, hint string) {
	parts := strings.Split(s, " ")
	if len(parts) != len(cronFields) {
		return fmt.Sprintf("cron has %d fields, and here are %d", len(cronFields), len(parts)),
			"write minute, hour, day of the month, month, weekday and year with one blank between them"
	}
	for i, f := range cronFields {
		if !f.allows(parts[i]) {
			return fmt.Sprintf("%q is no %s", parts[i], f.name), f.hint()
		}
	}
	if (parts[2] == "?") == (parts[4] == "?") {
		return "either the day of the month or the weekday is ?, and the other is not", `write ? for the one that does not matter, as in "cron(0 6 * * ? *)"`
	}
	return "", ""
}

func (f cronField) hint() string {
	if f.names != nil {
		return fmt.Sprintf("use %d to %d or %s to %s, with , - * or /", f.min, f.max, f.names[0], f.names[len(f.names)-1])
	}
	return fmt.Sprintf("use %d to %d, with , - * or /", f.min, f.max)
}

// allows reports whether a field can hold the text: a list of values, ranges and
// steps.
func (f cronField) allows(text string) bool {
	if text == "?" {
		return f.any
	}
	for part := range strings.SplitSeq(text, ",") {
		if f.special != nil && f.special.MatchString(part) {
			continue
		}
		base, step, stepped := strings.Cut(part, "/")
		if n, err := strconv.Atoi(step); stepped && (err != nil || n < 1 || n > f.max) {
			return false
		}
		from, to, ranged := strings.Cut(base, "-")
		low, ok := f.value(from)
		if from == "*" && !ranged {
			continue
		}
		high := low
		if ranged {
			var okHigh bool
			high, okHigh = f.value(to)
			ok = ok && okHigh
		}
		if !ok || low > high {
			return false
		}
	}
	return true
}

// value is the number that a text stands for in the field.
func (f cronField) value(text string) (int, bool) {
	if i := slices.Index(f.names, text); i >= 0 {
		return f.min + i, true
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= f.min && n <= f.max && text[0] != '+'
}

func scheduledParameter(p *pass) {
	for _, l := range p.links {
		if !l.pipe.Schedule.Written() {
			continue
		}
		why := fmt.Sprintf("pipeline %q is started by a schedule, which gives none", l.pipe.GoName)
		rel := related(at(l.pipe.Schedule), "the schedule")
		for _, x := range l.pipe.Params {
			if !x.Default.Written() && !p.known.line(x.Pos) {
				p.report(point(x.Pos), fmt.Sprintf("parameter %q has no default, and %s", x.Name, why), `add default:"…"`, rel)
			}
		}
		for _, s := range l.pipe.Sources {
			if !s.Default.Written() && !p.known.line(s.Pos) {
				p.report(point(s.Pos), fmt.Sprintf("source %q has no default, and %s", s.Name, why), `add default:"…": a key below the environment's prefix`, rel)
			}
		}
		for _, u := range l.uses {
			if u.use.Step == nil || p.known.line(u.use.Pos) {
				continue
			}
			for _, x := range u.use.Step.Params {
				if x.Default.Written() || u.mode.Has(x.Only) != ir.Yes || p.known.line(x.Pos) ||
					slices.ContainsFunc(u.use.Set, func(a ir.Assignment) bool { return a.Left.V == x.Name }) {
					continue
				}
				if steers(u.use.Step, x) {
					continue // a mode that is not fixed is what OpenMode says
				}
				p.report(point(u.use.Pos), fmt.Sprintf("parameter %q of step %q has no default, and %s", x.Name, u.use.Name, why),
					fmt.Sprintf("add default:\"…\" to it, or set:\"%s=…\" here", x.Name), related(point(x.Pos), "%s is declared here", x.Name), rel)
			}
		}
	}
}

// steers reports whether a parameter is a mode: something of the step exists for one
// of its values only.
func steers(s *ir.Step, x *ir.Param) bool {
	found := false
	onlys(s, func(_ string, _ place, only ir.At[ir.Only]) { found = found || only.V.Field.V == x.Name })
	return found
}

func environmentTimeZone(p *pass) {
	p.environments(func(e *ir.Environment) {
		zone := e.TimeZone
		if zone.V == "" || limits.IsZone(zone.V) {
			return
		}
		hint := `write it like "Europe/Berlin"`
		if near := diag.Nearest(zone.V, limits.Zones()); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		p.report(at(zone), fmt.Sprintf("unknown time zone %q of environment %q", zone.V, e.VarName), hint)
	})
}

func unusedSchedule(p *pass) {
	for _, l := range p.links {
		if l.pipe.Schedule.Written() || p.known.line(l.pipe.Pos) || p.known.declaration(l.pipe.Pos) {
			return
		}
	}
	p.environments(func(e *ir.Environment) {
		if e.Schedule.V {
			p.report(at(e.Schedule), fmt.Sprintf("environment %q switches schedules on, and no pipeline has one", e.VarName),
				`add schedule:"cron(0 6 * * ? *)" to a pipeline, or remove Schedule`)
		}
	})
}
