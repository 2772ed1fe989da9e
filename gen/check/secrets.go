package check

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/ir"
)

// textRules judge the texts that a spec hands to jobs and templates.
var textRules = []Rule{
	{Code: diag.Secret, Doc: "no secret stands in a spec", run: secret},
	{Code: diag.LooksSubstituted, Doc: "no text is taken for a substitution, expression or reference", run: looksSubstituted},
}

// A text is one literal of the spec that ends up in a machine, template or job.
type text struct {
	at    ir.At[string]
	names []string // what it is called: the field, and its flag or variable
	what  string
}

// texts calls f for every literal text.
func (p *pass) texts(f func(text)) {
	param := func(x *ir.Param, what string) {
		names := []string{x.Name, x.Arg.V, x.Hyper.V, x.Env.V}
		f(text{x.Default, names, fmt.Sprintf("default of %s %q", what, x.Name)})
		if x.Enum.Written() {
			for _, v := range x.Enum.V {
				f(text{ir.At[string]{V: v, Pos: x.Enum.Pos, End: x.Enum.End}, names, fmt.Sprintf("enum of %s %q", what, x.Name)})
			}
		}
		f(text{x.Arg, nil, "flag"})
		f(text{x.Hyper, nil, "hyperparameter"})
		f(text{x.Pattern, nil, fmt.Sprintf("pattern of %q", x.Name)})
	}
	for _, s := range p.spec.Steps {
		for _, x := range s.Params {
			param(x, kindOf(x))
		}
	}
	for _, pipe := range p.spec.Pipelines {
		for _, x := range pipe.Params {
			param(x, "parameter")
		}
		for _, x := range pipe.Sources {
			f(text{x.Default, []string{x.Name}, fmt.Sprintf("default of %q", x.Name)})
		}
		for _, u := range pipe.Uses {
			for _, a := range u.Set {
				names := []string{a.Left.V}
				if u.Step != nil {
					if x := paramIn(u.Step.Params, a.Left.V); x != nil {
						names = append(names, x.Arg.V, x.Hyper.V, x.Env.V)
					}
				}
				if pipe.Param(a.Right.V) == nil {
					f(text{a.Right, names, fmt.Sprintf("value of %q", a.Left.V)})
				}
			}
		}
	}
	for _, e := range p.spec.Environments {
		for _, t := range e.Tags {
			f(text{t.Value, []string{t.Key.V}, fmt.Sprintf("value of tag %q", t.Key.V)})
		}
	}
}

// kindOf is what a parameter of a step is called by those who declare it.
func kindOf(x *ir.Param) string {
	switch {
	case x.Hyper.Written():
		return "hyperparameter"
	case x.Arg.Written():
		return "argument"
	case x.Env.Written():
		return "environment variable"
	}
	return "parameter"
}

// credentials are texts that nothing but a secret looks like, by the issuers'
// documents on the formats of their keys and tokens.
var credentials = []struct {
	what string
	re   *regexp.Regexp
}{
	{"an AWS access key", regexp.MustCompile(`\b(?:AKIA|ASIA|AROA|AIDA)[A-Z2-7]{16}\b`)},
	{"a private key", regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY`)},
	{"a GitHub token", regexp.MustCompile(`\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})`)},
	{"a GitLab token", regexp.MustCompile(`\bglpat-[A-Za-z0-9_-]{16,}`)},
	{"a Slack token", regexp.MustCompile(`\bxox[abeoprs]-[A-Za-z0-9-]{10,}`)},
	{"a Hugging Face token", regexp.MustCompile(`\bhf_[A-Za-z0-9]{20,}`)},
	{"an OpenAI or Anthropic key", regexp.MustCompile(`\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{20,}`)},
	{"a Stripe key", regexp.MustCompile(`\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}`)},
	{"a Google key", regexp.MustCompile(`\bAIza[A-Za-z0-9_-]{30,}`)},
	{"a PyPI token", regexp.MustCompile(`\bpypi-[A-Za-z0-9_-]{16,}`)},
	{"an npm token", regexp.MustCompile(`\bnpm_[A-Za-z0-9]{30,}`)},
	{"a JSON web token", regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.`)},
	{"a URL with a password", regexp.MustCompile(`^[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s@]+@`)},
}

// secretWord is how names end that are given to secrets. "token" alone is no
// such word: language models count tokens, and have an end-of-sentence token.
var secretWord = regexp.MustCompile(`(?:^|_)(?:password|passwd|passphrase|secret|secret_key|secret_access_key|private_key|api_key|apikey|access_key|access_key_id|credentials?|auth_token|access_token|api_token|bearer_token|session_token|refresh_token)$`)

// tokenWord is a name that ends in token; its value must look like one.
var tokenWord = regexp.MustCompile(`(?:^|_)token$`)

// reference is a value that names where a secret is kept, which is how it should be.
var reference = regexp.MustCompile(`^(?:arn:aws[a-z-]*:(?:secretsmanager|ssm):|ssm:|secretsmanager:|/[A-Za-z0-9/_.-]+$)`)

func secret(p *pass) {
	p.texts(func(t text) {
		if !t.at.Written() || t.at.V == "" {
			return
		}
		what := ""
		for _, c := range credentials {
			if c.re.MatchString(t.at.V) {
				what = "looks like " + c.what
				break
			}
		}
		if what == "" && !reference.MatchString(t.at.V) {
			for _, name := range t.names {
				snake := snakeCase(name)
				if secretWord.MatchString(snake) || tokenWord.MatchString(snake) && len(t.at.V) >= 16 && !strings.Contains(t.at.V, " ") {
					what = fmt.Sprintf("stands in the spec, and %q names a secret", strings.TrimLeft(name, "-"))
					break
				}
			}
		}
		if what != "" {
			p.report(at(t.at), t.what+" "+what, "keep it in AWS Secrets Manager, pass its ARN, and let the script read it there")
		}
	})
}

// snakeCase is a name in lower case with underscores between its words.
func snakeCase(name string) string {
	var b strings.Builder
	before := '_'
	for _, r := range strings.TrimLeft(name, "-") {
		switch {
		case r == '-' || r == '.':
			r = '_'
		case r >= 'A' && r <= 'Z':
			if before >= 'a' && before <= 'z' || before >= '0' && before <= '9' {
				b.WriteByte('_')
			}
		}
		before = r
		b.WriteString(strings.ToLower(string(r)))
	}
	return b.String()
}

// substitutions are beginnings that one of the readers between a spec and a job
// takes for its own: CloudFormation's DefinitionSubstitutions and Fn::Sub, its
// dynamic references, and Step Functions' JSONata expressions.
var substitutions = []struct{ begin, what string }{
	{"${", "a substitution of CloudFormation's"},
	{"{{resolve:", "a dynamic reference of CloudFormation's"},
	{"{%", "an expression of Step Functions'"},
}

// substituted says what a text would be taken for, or nothing.
func substituted(s string) string {
	for _, x := range substitutions {
		if strings.Contains(s, x.begin) {
			return fmt.Sprintf("%q, which would be taken for %s", x.begin, x.what)
		}
	}
	return ""
}

func looksSubstituted(p *pass) {
	p.texts(func(t text) {
		if why := substituted(t.at.V); t.at.Written() && why != "" {
			p.report(at(t.at), t.what+" holds "+why, "write the text in another way")
		}
	})
}
