package gen

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/ir"
)

// maxPolicies is how many characters the inline policies of a role have together,
// white space not counted (IAM quotas).
const maxPolicies = 10_240

// weighPolicies refuses an environment under whose names a role's policy would be
// larger than IAM takes: prefixes and places stand in it again and again.
func weighPolicies(s *ir.Spec, p *ir.Plan, bag *diag.Bag) {
	for _, place := range p.Environments {
		for _, role := range p.Roles {
			size := policySize(p, role, place)
			if size <= maxPolicies {
				continue
			}
			i := slices.IndexFunc(s.Environments, func(e *ir.Environment) bool { return e.Name.V == place.Name })
			e := s.Environments[i]
			where, hint := e.Name, "split the step, or shorten names"
			switch {
			case len(e.Readable) > 0:
				where, hint = e.Readable[0], "name fewer readable places, such as one that holds several"
			case e.Prefix.V != "":
				where, hint = e.Prefix, "shorten the prefix"
			}
			bag.Report(diag.Diagnostic{
				Pos: where.Pos, End: where.End, Code: diag.ServiceLimit,
				Message: fmt.Sprintf("in environment %q the policy of %s of pipeline %q would have %d characters, and IAM takes %d", e.VarName, role.Name, p.GoName, size, maxPolicies),
				Hint:    hint,
			})
			break
		}
	}
}

// policySize is how long a role's policy is in an environment. An account's number has
// 12 digits, whichever it is; logical ids stand for names of about that length.
func policySize(p *ir.Plan, role *ir.Role, place *ir.Place) int {
	pairs := []string{
		"${AWS::Partition}", p.Partition, "${AWS::Region}", place.Region, "${AWS::AccountId}", strings.Repeat("0", 12),
		"${Env}", place.Name, "${Bucket}", place.Bucket, "${Prefix}", place.Prefix, "${KmsKey}", place.KmsKey,
	}
	for i := range p.Readable() {
		var l ir.Location
		if i < len(place.Readable) {
			l = place.Readable[i]
		}
		n := strconv.Itoa(i + 1)
		pairs = append(pairs, "${ReadableBucket"+n+"}", l.Bucket, "${ReadablePrefix"+n+"}", l.Prefix)
	}
	for _, j := range p.Jobs() { // "arn:aws:iam::ACCOUNT:role/STACK-ID-SUFFIX", of at most 64 characters
		pairs = append(pairs, "${"+j.RoleName+".Arn}", "arn:"+p.Partition+":iam::"+strings.Repeat("0", 12+1+5+64))
	}
	fill := strings.NewReplacer(pairs...)
	var statements []any
	for _, s := range role.Statements {
		if missing(s.If, place) {
			continue
		}
		conditions := map[string]map[string][]string{}
		for _, c := range s.Conditions {
			conditions[c.Operator] = map[string][]string{c.Key: filled(fill, c.Values)}
		}
		statements = append(statements, struct {
			Sid, Effect      string
			Action, Resource []string
			Condition        map[string]map[string][]string `json:",omitempty"`
		}{s.Sid, "Allow", s.Actions, filled(fill, s.Resources), conditions})
	}
	b, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	if err != nil {
		panic(fmt.Sprintf("gen: %v", err))
	}
	return len(b)
}

func filled(fill *strings.Replacer, texts []string) []string {
	var all []string
	for _, t := range texts {
		all = append(all, fill.Replace(t))
	}
	return all
}

// missing reports whether a statement's condition does not hold in an environment.
func missing(condition string, place *ir.Place) bool {
	switch n, is := strings.CutPrefix(condition, "HasReadable"); {
	case is:
		i, err := strconv.Atoi(n)
		return err != nil || i > len(place.Readable)
	case condition == "HasKmsKey":
		return place.KmsKey == ""
	case condition == "HasVpc":
		return len(place.Subnets) == 0
	}
	return false
}
