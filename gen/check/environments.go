package check

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/gen/limits"
	"github.com/mlmax/mlmax/pipeline/images"
)

// environmentRules judge what the ML engineer writes.
var environmentRules = []Rule{
	{Code: diag.EnvironmentName, Doc: "names are short, plain and unique", run: environmentName},
	{Code: diag.EnvironmentBucket, Doc: "buckets and prefixes are such as S3 accepts", run: environmentBucket},
	{Code: diag.UnknownRegion, Doc: "Regions exist and have the images used", run: unknownRegion},
	{Code: diag.EnvironmentPartition, Doc: "environments lie in their pipelines' partition", run: environmentPartition},
	{Code: diag.EnvironmentKey, Doc: "ARNs are whole and of this Region and account", run: environmentKey},
	{Code: diag.EnvironmentNetwork, Doc: "subnets and security groups go together", run: environmentNetwork},
	{Code: diag.EnvironmentReadable, Doc: "further readable places are whole, and hold neither code nor results", run: environmentReadable},
	{Code: diag.EnvironmentNotify, Doc: "notices go to an e-mail address", run: environmentNotify},
	{Code: diag.EnvironmentValue, Doc: "other members have values that fit", run: environmentValue},
}

// environments calls f for every environment.
func (p *pass) environments(f func(*ir.Environment)) {
	for _, e := range p.spec.Environments {
		f(e)
	}
}

var environmentNames = regexp.MustCompile(`^[a-z0-9]*$`)

func environmentName(p *pass) {
	first := map[string]*ir.Environment{}
	p.environments(func(e *ir.Environment) {
		name := e.Name.V
		where := at(e.Name).or(point(e.Pos))
		switch {
		case name == "" && p.known.line(where.pos):
		case name == "":
			p.report(where, fmt.Sprintf("environment %q has no name", e.VarName), `add Name: "dev"`)
		case !environmentNames.MatchString(name) || name[0] < 'a':
			p.report(where, fmt.Sprintf("environment name %q is not made of lower-case letters and digits, a letter first", name), "rename it")
		case len(name) > ir.MaxEnvironment:
			p.report(where, fmt.Sprintf("environment name %q has %d characters, and names on AWS leave %d", name, len(name), ir.MaxEnvironment), "shorten it")
		case name == "local":
			p.report(where, `environment name "local" is that of runs on the laptop`, "rename it")
		case first[name] != nil:
			p.report(where, fmt.Sprintf("environments %q and %q have one name, %q", first[name].VarName, e.VarName, name), "rename one of them",
				related(at(first[name].Name), "the first one"))
			return
		}
		first[name] = e
	})
}

// Rules for names of general purpose buckets (S3 User Guide: general purpose
// bucket naming rules).
var (
	bucketName     = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	bucketPrefixes = []string{"xn--", "sthree-", "amzn-s3-demo-"}
	bucketSuffixes = []string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"}
)

// maxPrefix leaves room for the rest of a key: an argument holds at most 256
// characters, and an S3 URI stands in some.
const maxPrefix = 128

func environmentBucket(p *pass) {
	p.environments(func(e *ir.Environment) {
		where := at(e.Bucket).or(point(e.Pos))
		if e.Bucket.V == "" {
			if !p.known.line(where.pos) {
				p.report(where, fmt.Sprintf("environment %q has no bucket", e.VarName), `add Bucket: "…"`)
			}
		} else if why, hint := badBucket(e.Bucket.V); why != "" {
			p.report(where, fmt.Sprintf("bucket %q of environment %q: %s", e.Bucket.V, e.VarName, why), hint)
		}
		if why, hint := badPrefix(e.Prefix.V); why != "" {
			p.report(at(e.Prefix), fmt.Sprintf("prefix %q of environment %q: %s", e.Prefix.V, e.VarName, why), hint)
		}
	})
}

func badBucket(name string) (why, hint string) {
	_, ip := netip.ParseAddr(name)
	switch {
	case strings.HasPrefix(name, "s3://") || strings.HasPrefix(name, "arn:"):
		return "it is not a name alone", "write the bucket's name, without s3:// and without a path"
	case len(name) < 3 || len(name) > 63:
		return fmt.Sprintf("a name has 3 to 63 characters, not %d", len(name)), "choose a bucket with such a name"
	case !bucketName.MatchString(name):
		return "a name is made of lower-case letters, digits, dots and hyphens, and begins and ends with a letter or digit", "choose a bucket with such a name"
	case strings.Contains(name, "..") || ip == nil:
		return "a name has no two dots in a row and is no IP address", "choose a bucket with such a name"
	}
	for _, s := range bucketPrefixes {
		if strings.HasPrefix(name, s) {
			return fmt.Sprintf("S3 keeps names that begin with %q for itself", s), "choose a bucket with another name"
		}
	}
	for _, s := range bucketSuffixes {
		if strings.HasSuffix(name, s) {
			return fmt.Sprintf("S3 keeps names that end in %q for itself", s), "choose a bucket with another name"
		}
	}
	return "", ""
}

func badPrefix(prefix string) (why, hint string) {
	parts := strings.Split(prefix, "/")
	switch {
	case prefix == "":
		return "", ""
	case strings.HasPrefix(prefix, "/"):
		return "it begins with a slash", "remove the slash at its beginning"
	case !strings.HasSuffix(prefix, "/"):
		return "it does not end in a slash", fmt.Sprintf("write %q", prefix+"/")
	case !keyText.MatchString(prefix) || strings.Contains(prefix, ":"):
		return "it holds what cannot be substituted safely", "use letters, digits and / . _ , @ + = -"
	case slices.Contains(parts, ".") || slices.Contains(parts, "..") || slices.Contains(parts[:len(parts)-1], ""):
		return "it holds an empty part or a dot segment", "remove it"
	case len(prefix) > maxPrefix:
		return fmt.Sprintf("it has %d characters, and keys leave %d", len(prefix), maxPrefix), "shorten it"
	}
	return "", ""
}

func unknownRegion(p *pass) {
	p.environments(func(e *ir.Environment) {
		where := at(e.Region).or(point(e.Pos))
		switch _, ok := images.Partition(e.Region.V); {
		case e.Region.V == "" && p.known.line(where.pos):
			return
		case e.Region.V == "":
			p.report(where, fmt.Sprintf("environment %q has no Region", e.VarName), `add Region: "eu-west-1"`)
			return
		case !ok:
			hint := "use a Region's code, such as eu-west-1"
			if near := diag.Nearest(e.Region.V, images.Regions()); near != "" {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
			p.report(where, fmt.Sprintf("unknown Region %q of environment %q", e.Region.V, e.VarName), hint)
			return
		}
		told := map[string]bool{}
		for _, s := range p.spec.Steps {
			image, ok := images.Lookup(s.Settings.Image.V)
			if !ok || told[image.Framework] {
				continue
			}
			if _, ok := images.Account(image.Framework, e.Region.V); !ok {
				told[image.Framework] = true
				p.report(where, fmt.Sprintf("Region %q has no image for %s, which step %q uses", e.Region.V, image.Framework, s.Name),
					"choose another Region or image", related(at(s.Settings.Image), "the image"))
			}
		}
	})
}

// arn is the parts of an ARN that matter here.
type arn struct{ partition, service, region, account, resource string }

func parseARN(s string) (arn, bool) {
	parts := strings.SplitN(s, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" {
		return arn{}, false
	}
	return arn{parts[1], parts[2], parts[3], parts[4], parts[5]}, true
}

func environmentPartition(p *pass) {
	p.environments(func(e *ir.Environment) {
		partition, ok := images.Partition(e.Region.V)
		if !ok {
			return
		}
		for _, pipe := range p.spec.Pipelines {
			want := pipe.Partition.V
			if want == "" {
				want = "aws"
			}
			if slices.Contains(partitions, want) && want != partition {
				p.report(at(e.Region), fmt.Sprintf("Region %q of environment %q lies in partition %q, and pipeline %q is for %q",
					e.Region.V, e.VarName, partition, pipe.GoName, want),
					fmt.Sprintf("add partition:%q to the pipeline, or choose a Region of %s", partition, want),
					related(at(pipe.Partition).or(point(pipe.Pos)), "the pipeline"))
				return
			}
		}
		for _, v := range []ir.At[string]{e.KmsKey, e.PermissionsBoundary} {
			if a, ok := parseARN(v.V); ok && strings.HasPrefix(a.partition, "aws") && a.partition != partition {
				p.report(at(v), fmt.Sprintf("%q lies in partition %q, and Region %q in %q", v.V, a.partition, e.Region.V, partition),
					"name one of the same partition", related(at(e.Region), "the Region"))
			}
		}
	})
}

var (
	keyResource    = regexp.MustCompile(`^key/(?:mrk-[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$`)
	policyResource = regexp.MustCompile(`^policy/[A-Za-z0-9_+=,.@/-]+$`)
	accountNumber  = regexp.MustCompile(`^[0-9]{12}$`)
)

func environmentKey(p *pass) {
	p.environments(func(e *ir.Environment) {
		if why := badKey(e); why != "" {
			p.report(at(e.KmsKey), fmt.Sprintf("KMS key %q of environment %q: %s", e.KmsKey.V, e.VarName, why),
				"write the key's ARN: arn:aws:kms:REGION:ACCOUNT:key/ID")
		}
		if why := badBoundary(e); why != "" {
			p.report(at(e.PermissionsBoundary), fmt.Sprintf("permissions boundary %q of environment %q: %s", e.PermissionsBoundary.V, e.VarName, why),
				"write the policy's ARN: arn:aws:iam::ACCOUNT:policy/NAME")
		}
	})
}

func badKey(e *ir.Environment) string {
	if e.KmsKey.V == "" {
		return ""
	}
	a, ok := parseARN(e.KmsKey.V)
	switch {
	case !ok || a.service != "kms" || !strings.HasPrefix(a.partition, "aws"):
		return "it is not the ARN of a key"
	case strings.HasPrefix(a.resource, "alias/"):
		return "it is an alias, and policies need the key itself"
	case !keyResource.MatchString(a.resource) || !accountNumber.MatchString(a.account):
		return "it is not the ARN of a key"
	case e.Region.V != "" && a.region != e.Region.V:
		return fmt.Sprintf("it lies in Region %q, and the environment in %q", a.region, e.Region.V)
	}
	// A key of another account is usual where a security team owns the keys; it
	// is no mistake.
	return ""
}

func badBoundary(e *ir.Environment) string {
	if e.PermissionsBoundary.V == "" {
		return ""
	}
	a, ok := parseARN(e.PermissionsBoundary.V)
	switch {
	case !ok || a.service != "iam" || a.region != "" || !strings.HasPrefix(a.partition, "aws") || !policyResource.MatchString(a.resource):
		return "it is not the ARN of a policy"
	case a.account != "aws" && !accountNumber.MatchString(a.account):
		return "its account is not a 12-digit number"
	case a.account != "aws" && accountNumber.MatchString(e.Account.V) && a.account != e.Account.V:
		return fmt.Sprintf("it lies in account %s, and a boundary must be of the environment's own, %s", a.account, e.Account.V)
	}
	return ""
}

var (
	subnetID = regexp.MustCompile(`^subnet-(?:[0-9a-f]{8}|[0-9a-f]{17})$`)
	groupID  = regexp.MustCompile(`^sg-(?:[0-9a-f]{8}|[0-9a-f]{17})$`)
)

func environmentNetwork(p *pass) {
	p.environments(func(e *ir.Environment) {
		subnets, groups := e.Subnets, e.SecurityGroups
		switch {
		case len(subnets) > 0 && len(groups) == 0:
			p.report(at(subnets[0]), fmt.Sprintf("environment %q has subnets and no security groups", e.VarName), "add SecurityGroups, or remove Subnets")
		case len(groups) > 0 && len(subnets) == 0:
			p.report(at(groups[0]), fmt.Sprintf("environment %q has security groups and no subnets", e.VarName), "add Subnets, or remove SecurityGroups")
		}
		p.ids(subnets, subnetID, "Subnets", "subnet", "subnet-0123456789abcdef0")
		p.ids(groups, groupID, "VpcSecurityGroupIds", "security group", "sg-0123456789abcdef0")
	})
}

func (p *pass) ids(list []ir.At[string], re *regexp.Regexp, shape, what, like string) {
	seen := map[string]bool{}
	for i, v := range list {
		switch {
		case p.known.line(v.Pos) && v.V == "":
		case !re.MatchString(v.V):
			p.report(at(v), fmt.Sprintf("%q is no id of a %s", v.V, what), fmt.Sprintf("write it like %q", like))
		case seen[v.V]:
			p.report(at(v), fmt.Sprintf("%s %q is there twice", what, v.V), "remove one of the two")
		case i == int(*limits.Of(shape).Max):
			p.report(at(v), fmt.Sprintf("%d %ss are more than the service takes: %d", len(list), what, i), "remove some")
		}
		seen[v.V] = true
	}
}

// ownTags begins the tags that jobs get beside the environment's: the pipeline,
// the step, the run and the environment.
const ownTags = "mlmax:"

// maxTags is what is left of the 50 tags of a job (TagList) beside those four and
// the two that Step Functions adds; all together they are one parameter of the
// template, which holds 4,096 characters.
const (
	maxTags    = 50 - 4 - 2
	maxTagText = 4096
)

// tagText is what tags may consist of: of what AWS takes, that which can stand in
// a list of key=value and is safe to substitute.
var tagText = regexp.MustCompile(`^[A-Za-z0-9:/._@+-]*$`)

func environmentValue(p *pass) {
	p.environments(func(e *ir.Environment) {
		if e.Account.V != "" && !accountNumber.MatchString(e.Account.V) {
			p.report(at(e.Account), fmt.Sprintf("account %q of environment %q is not a number of 12 digits", e.Account.V, e.VarName), "write all 12 digits as text")
		}
		if days := e.LogRetentionDays.V; days != 0 && !limits.InEnum("logs.Days", strconv.Itoa(days)) {
			p.report(at(e.LogRetentionDays), fmt.Sprintf("%d days of log retention are not among those that CloudWatch Logs takes", days),
				fmt.Sprintf("use %d", nearestDays(days)))
		}
		p.overrides(e)
		p.tags(e)
	})
}

// nearestDays is the least of CloudWatch Logs' values that keeps as long.
func nearestDays(days int) int {
	best := 0
	for _, text := range limits.Enum("logs.Days") {
		n, err := strconv.Atoi(text)
		if err == nil && (best < days && n > best || n >= days && n < best) {
			best = n
		}
	}
	return best
}

func (p *pass) overrides(e *ir.Environment) {
	known := map[string]ir.Kind{}
	var words []string
	for _, l := range p.links {
		if l.broken {
			return
		}
		for _, u := range l.pipe.Uses {
			for _, key := range []string{u.Name, l.pipe.GoName + "." + u.Name} {
				if _, ok := known[key]; !ok {
					words = append(words, key)
				}
				known[key] = u.Step.Kind
			}
		}
	}
	seen := map[string]bool{}
	for _, o := range e.Instances {
		kind, ok := known[o.Key.V]
		switch {
		case !ok:
			p.report(at(o.Key), fmt.Sprintf("environment %q sets the instance of unknown step %q", e.VarName, o.Key.V), diag.DidYouMean(o.Key.V, words))
		case !limits.InEnum(instanceShape(kind), o.Value.V):
			p.report(at(o.Value), fmt.Sprintf("instance type %q is not offered for %s jobs such as %q", o.Value.V, kind, o.Key.V), instanceHint(o.Value.V, kind))
		case seen[o.Key.V]:
			p.report(at(o.Key), fmt.Sprintf("the instance of %q is set twice", o.Key.V), "remove one of the two")
		}
		seen[o.Key.V] = true
	}
}

func (p *pass) tags(e *ir.Environment) {
	key, value := limits.Of("TagKey"), limits.Of("TagValue")
	total := 0
	for i, t := range e.Tags {
		total += len(t.Key.V) + len(t.Value.V) + 2
		switch {
		case i == maxTags:
			p.report(at(t.Key), fmt.Sprintf("%d tags are more than the %d that jobs can take beside those of mlmax and Step Functions", len(e.Tags), maxTags), "remove some")
		case total > maxTagText && total-len(t.Key.V)-len(t.Value.V)-2 <= maxTagText:
			p.report(at(t.Key), fmt.Sprintf("the tags of environment %q have more than %d characters together", e.VarName, maxTagText), "shorten them")
		case strings.HasPrefix(strings.ToLower(t.Key.V), "aws:"):
			p.report(at(t.Key), fmt.Sprintf("tag %q begins with aws:, which AWS keeps for itself", t.Key.V), "rename it")
		case strings.HasPrefix(strings.ToLower(t.Key.V), ownTags):
			p.report(at(t.Key), fmt.Sprintf("tag %q begins with %s, as those do that jobs get besides", t.Key.V, ownTags), "rename it")
		case t.Key.V == "" && p.known.line(t.Key.Pos):
		case !key.Allows(chars(t.Key.V)) || !tagText.MatchString(t.Key.V):
			p.report(at(t.Key), fmt.Sprintf("tag %q is not 1 to 128 letters, digits and : / . _ @ + -", t.Key.V), "rename it")
		case substituted(t.Value.V) != "":
			// That is what LooksSubstituted says.
		case !value.Allows(chars(t.Value.V)) || !tagText.MatchString(t.Value.V):
			p.report(at(t.Value), fmt.Sprintf("value of tag %q is not at most 256 letters, digits and : / . _ @ + -", t.Key.V), "change it")
		}
	}
}
