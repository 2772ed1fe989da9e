package awsfake

import (
	"fmt"
	"slices"
	"strings"
)

// conditionKeys are the keys, in small letters, that this account sets where AWS does. A key
// that is not here is an error: its absence from a context would mean nothing.
var conditionKeys = []string{
	"aws:sourceaccount", "aws:sourcearn", "aws:principalaccount", "aws:principalarn", "aws:requestedregion", "aws:securetransport",
	"iam:passedtoservice", "s3:prefix", "kms:grantisforawsresource", "cloudwatch:namespace",
}

// knownKey says whether this account sets a key.
func knownKey(key string) bool { return slices.Contains(conditionKeys, strings.ToLower(key)) }

// operator is a condition operator taken apart.
type operator struct {
	// compare says whether a value of the context fits one that is wanted.
	compare func(wanted, value string) bool
	// negated operators hold where no wanted value fits, or there is no value.
	negated bool
	// null is the operator that asks whether there is a value.
	null     bool
	ifExists bool
	// set is ForAnyValue, ForAllValues or empty.
	set string
}

// operatorOf takes an operator apart, or fails if it is not known.
func operatorOf(name string) (operator, error) {
	var o operator
	rest := name
	if set, after, ok := strings.Cut(rest, ":"); ok {
		if set != "ForAnyValue" && set != "ForAllValues" {
			return o, fmt.Errorf("awsfake: there is no condition operator %s", name)
		}
		o.set, rest = set, after
	}
	rest, o.ifExists = strings.CutSuffix(rest, "IfExists")
	equal := func(wanted, value string) bool { return wanted == value }
	switch rest {
	case "StringEquals":
		o.compare = equal
	case "StringNotEquals":
		o.compare, o.negated = equal, true
	case "StringEqualsIgnoreCase", "Bool":
		o.compare = strings.EqualFold
	case "StringNotEqualsIgnoreCase":
		o.compare, o.negated = strings.EqualFold, true
	case "StringLike":
		o.compare = like
	case "StringNotLike":
		o.compare, o.negated = like, true
	case "ArnLike", "ArnEquals": // they do the same
		o.compare = likeARN
	case "ArnNotLike", "ArnNotEquals":
		o.compare, o.negated = likeARN, true
	case "Null":
		o.null = true
		if o.ifExists || o.set != "" {
			return o, fmt.Errorf("awsfake: there is no condition operator %s", name)
		}
	default:
		return o, fmt.Errorf("awsfake: the condition operator %s is not known", name)
	}
	return o, nil
}

// condition says whether one holds in a context.
func condition(name, key string, wanted texts, context map[string][]string) (bool, error) {
	o, err := operatorOf(name)
	if err != nil {
		return false, err
	}
	if !knownKey(key) {
		return false, fmt.Errorf("awsfake: of the condition key %s nothing is known", key)
	}
	values := context[strings.ToLower(key)]
	if o.null {
		return slices.Contains(wanted, fmt.Sprint(len(values) == 0)), nil
	}
	if len(values) == 0 {
		return o.ifExists || o.negated || o.set == "ForAllValues", nil
	}
	if len(values) > 1 && o.set == "" {
		return false, fmt.Errorf("awsfake: %s has several values, and %s is for one", key, name)
	}
	fits := func(value string) bool {
		return slices.ContainsFunc(wanted, func(one string) bool { return o.compare(one, value) }) != o.negated
	}
	if o.set == "ForAllValues" {
		return !slices.ContainsFunc(values, func(value string) bool { return !fits(value) }), nil
	}
	return slices.ContainsFunc(values, fits), nil
}

// lowerKeys are the values of a context by keys in small letters, as IAM compares them.
func lowerKeys(context map[string][]string) map[string][]string {
	out := map[string][]string{}
	for key, values := range context {
		out[strings.ToLower(key)] = values
	}
	return out
}
