package cli

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/mlmax/mlmax/pipeline/record"
	"github.com/spf13/cobra"
)

// oneVersion demands one argument.
func (a *app) oneVersion(c *cobra.Command, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("%s takes one V: a number, GROUP/NUMBER, an ARN, or latest\n\thint: see %s", c.CommandPath(), a.next("models"))
	}
	return nil
}

// openModel opens the record and finds the version that V names. The caller closes the
// record.
func (a *app) openModel(c *cobra.Command, ref string) (history, string, *record.ModelPackage, error) {
	h, workspace, err := a.known(c.Context(), "")
	if none := (*noRecordError)(nil); errors.As(err, &none) {
		return nil, "", nil, a.noModel(ref)
	}
	if err != nil {
		return nil, "", nil, err
	}
	m, err := a.findModel(c.Context(), h, ref)
	if err != nil {
		return nil, "", nil, errors.Join(err, h.Close())
	}
	return h, workspace, m, nil
}

// findModel finds the version that V names.
func (a *app) findModel(ctx context.Context, h registry, ref string) (*record.ModelPackage, error) {
	m, err := a.lookUp(ctx, h, ref)
	if errors.Is(err, record.ErrNotFound) {
		return nil, a.noModel(ref)
	}
	return m, err
}

// noModel is the error of a V that names no version.
func (a *app) noModel(ref string) error {
	what := fmt.Sprintf("%s has no model version %q", a.where(), ref)
	if _, err := strconv.Atoi(ref); err == nil && len(a.groups()) == 1 {
		what = fmt.Sprintf("%s has no version %s here", a.groups()[0], ref)
	}
	if ref == "latest" {
		what = strings.Join(a.groups(), ", ") + " has no version here"
		return &exit{exitFailed, fmt.Errorf("%s\n\thint: train first: %s", what, a.trainer())}
	}
	return &exit{exitFailed, fmt.Errorf("%s\n\thint: see %s", what, a.next("models"))}
}

func (a *app) lookUp(ctx context.Context, h registry, ref string) (*record.ModelPackage, error) {
	if strings.HasPrefix(ref, "arn:") {
		return h.Model(ctx, ref)
	}
	group, number := path.Split(ref)
	group = strings.TrimSuffix(group, "/")
	switch groups := a.groups(); {
	case group != "" && slices.Contains(a.definition.Groups(), group):
		group = a.groupName(group)
	case group == "" && len(groups) == 1:
		group = groups[0]
	case group == "" && len(groups) == 0:
		return nil, fmt.Errorf("%s registers no model and starts from none: %q needs its group\n\thint: give GROUP/%[2]s; see %s", a.definition.Name, ref, a.next("models --all"))
	case group == "":
		return nil, fmt.Errorf("%q may be of several groups\n\thint: give one of %s/%s", ref, strings.Join(groups, "/"+ref+", "), ref)
	}
	if number == "latest" {
		return h.NewestModel(ctx, group, "")
	}
	n, err := strconv.ParseUint(number, 10, 31)
	if err != nil || n == 0 {
		return nil, fmt.Errorf("%q is not a number, GROUP/NUMBER, an ARN, or latest\n\thint: see %s", ref, a.next("models"))
	}
	return h.ModelVersion(ctx, group, int(n))
}
