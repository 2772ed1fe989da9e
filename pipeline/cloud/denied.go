package cloud

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// deniedCodes are those by which services say that a permission is missing. A HEAD has no
// text, only its status.
var deniedCodes = []string{
	"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "NotAuthorized", "Forbidden", "AuthorizationErrorException",
}

// IsDenied says that the caller, or one of our roles, lacks a permission.
func IsDenied(err error) bool {
	_, told := ParseDenial(messageOf(err))
	return told || slices.Contains(deniedCodes, codeOf(err)) || statusOf(err) == http.StatusForbidden && codeOf(err) == ""
}

// A Denial is what AWS says of a missing permission.
type Denial struct {
	// Caller is an ARN, Action such as s3:PutObject, Resource an ARN or empty.
	Caller, Action, Resource string
	// Why is AWS's reason, such as "no identity-based policy allows it", or empty.
	Why string
}

// denial finds one in a message. The resource may be quoted.
var denial = regexp.MustCompile(`User: (\S+) is not authorized to perform: ([A-Za-z0-9-]+:[A-Za-z0-9*]+)(?: on resource: "?([^\s"]+)"?)?(?: (?:because|with) (.*))?`)

// managed is the one denial that has a text of its own: a machine's role may not make the
// rules by which Step Functions hears of jobs.
var managed = regexp.MustCompile(`'(arn:[^']+)' is not authorized to create managed-rule`)

// ParseDenial reads an error's message or a job's FailureReason.
func ParseDenial(text string) (Denial, bool) {
	if found := denial.FindStringSubmatch(text); found != nil {
		why, _, _ := strings.Cut(found[4], " (Service:")
		return Denial{Caller: found[1], Action: found[2], Resource: strings.TrimSuffix(found[3], "."), Why: strings.TrimSuffix(why, ".")}, true
	}
	if found := managed.FindStringSubmatch(text); found != nil {
		return Denial{Caller: found[1], Action: "events:PutRule"}, true
	}
	return Denial{}, false
}

// denied are permissions that are missing: the caller's own, or those of a role that we made.
func denied(p *Place, err error) (fact, hint string, ok bool) {
	if !IsDenied(err) {
		return "", "", false
	}
	d, told := ParseDenial(messageOf(err))
	if !told {
		// S3 says no more than "Access Denied" across accounts, and nothing to a HEAD.
		d = Denial{Caller: p.Caller, Action: action(callOf(err))}
		if d.Action == "" {
			return answered(err), "", true
		}
	}
	who := d.Caller
	if who == "" {
		who = "the caller"
	}
	rule, ours := p.granting(d)
	if ours {
		who = "role " + rule.role + " (" + d.Caller + ")"
	}
	fact = who + " may not " + d.Action
	if d.Resource != "" {
		fact += " on " + d.Resource
	}
	if d.Why != "" {
		fact += " (" + strings.ReplaceAll(d.Why, "allows the "+d.Action+" action", "allows it") + ")"
	}
	if !ours {
		hint = "let that identity do " + d.Action
		if d.Resource != "" {
			hint += " on " + d.Resource
		}
		return fact, hint + `; docs/aws.md, "Before you begin", has everything that deploying takes`, true
	}
	text, hint := p.grantWords(rule, d)
	return fact + ": " + text, hint, true
}

// actions are operations whose permission has another name, by service.
var actions = map[string]map[string]string{
	"s3": {
		"HeadBucket": "ListBucket", "ListObjectsV2": "ListBucket", "HeadObject": "GetObject", "CreateMultipartUpload": "PutObject", "UploadPart": "PutObject",
		"CompleteMultipartUpload": "PutObject", "ListMultipartUploads": "ListBucketMultipartUploads", "DeleteObjects": "DeleteObject",
	},
}

// prefixes are the services' names in policies, by the SDK's.
var prefixes = map[string]string{
	"S3": "s3", "SFN": "states", "CloudFormation": "cloudformation", "CloudWatch Logs": "logs", "STS": "sts", "SageMaker": "sagemaker",
}

// action is the permission that an operation takes, or empty.
func action(service, operation string) string {
	prefix := prefixes[service]
	if prefix == "" || operation == "" {
		return ""
	}
	if other := actions[prefix][operation]; other != "" {
		operation = other
	}
	return prefix + ":" + operation
}
