package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/local"
	"github.com/mlmax/mlmax/pipeline/record"
	"github.com/mlmax/mlmax/pipeline/terminal"
	"github.com/spf13/cobra"
)

// A verdict is one way to decide about a version.
type verdict struct {
	verb, status, short string
}

var (
	approving = verdict{"approve", pipeline.Approved, "Let pipelines start from a version"}
	rejecting = verdict{"reject", pipeline.Rejected, "Let no pipeline start from a version any more"}
)

// descriptionLimit is how long a version's ApprovalDescription may be (botocore shape
// ApprovalDescription).
const descriptionLimit = 1024

func (a *app) decideCommand(v verdict) *cobra.Command {
	var by, note string
	c := &cobra.Command{
		Use:   v.verb + " V --by NAME --note TEXT",
		Short: v.short,
		Long: v.short + `. Who decided and why is kept with the
version and shown by "models show". A run that goes on meanwhile is not
disturbed: it keeps the version that it has started from.`,
		Example: "  " + a.command + " models " + v.verb + ` 3 --by "Ada L." --note "compared with version 2"`,
		Args:    a.oneVersion,
		RunE: func(c *cobra.Command, args []string) error {
			by, note = strings.TrimSpace(by), strings.TrimSpace(note)
			if err := a.checkDecision(c, by, note); err != nil {
				return err
			}
			h, _, m, err := a.openModel(c, args[0])
			if err != nil {
				return err
			}
			defer h.Close()
			return a.decide(c.Context(), h, m, v, by, note)
		},
	}
	c.Flags().SortFlags = false
	c.Flags().StringVar(&by, "by", "", "`NAME` of who decides")
	c.Flags().StringVar(&note, "note", "", "`TEXT` that says why")
	addAWS(c, a.definition, &a.aws)
	return c
}

// checkDecision refuses a decision without a name or a reason, and what the service
// would not take on AWS.
func (a *app) checkDecision(c *cobra.Command, by, note string) error {
	problem := ""
	switch described := local.ApprovalDescription(by, note); {
	case by == "" && note == "":
		problem = "it takes who decides and why"
	case by == "":
		problem = "it takes who decides"
	case note == "":
		problem = "it takes why"
	case !utf8.ValidString(described):
		problem = "name and note must be UTF-8"
	case strings.ContainsFunc(described, unicode.IsControl):
		problem = "name and note must be one line each, without control characters"
	case utf8.RuneCountInString(described) > descriptionLimit:
		problem = fmt.Sprintf("name and note are %d characters together, and SageMaker keeps at most %d", utf8.RuneCountInString(described), descriptionLimit)
	default:
		return nil
	}
	return fmt.Errorf("%s: %s\n\thint: give --by NAME --note TEXT", c.CommandPath(), problem)
}

// decide changes a version's status, and says what that changes.
func (a *app) decide(ctx context.Context, h history, m *record.ModelPackage, v verdict, by, note string) error {
	before, err := h.Decide(ctx, record.Approval{
		Group: m.Group, Version: m.Version, Status: v.status, Person: by, Note: note, At: a.now(),
	})
	if err != nil {
		return fmt.Errorf("%s version %d of %s: %w", v.verb, m.Version, m.Group, err)
	}
	which := fmt.Sprintf("version %d of %s", m.Version, terminal.Clean(m.Group))
	if before == v.status {
		since, err := a.since(ctx, h, m)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(a.stdout, "%s is %s already%s; nothing was changed\n", which, v.status, since)
		return err
	}
	if err := a.keep(ctx, h, m.Run); err != nil {
		fmt.Fprintf(a.stderr, "warning: %v; should the record be damaged, the decision could not be found again\n", err)
	}
	use, err := a.whatFollows(ctx, h, m, v)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(a.stdout, "%s is %s, and was %s\n%s\n", which, v.status, terminal.Clean(before), use); err != nil {
		return fmt.Errorf("the decision is recorded, but not told: %w", err)
	}
	return nil
}

// keep writes a decision where a record that is made again is made from: the manifest
// of the run that registered the version. One that still goes on writes it at its end.
func (a *app) keep(ctx context.Context, h history, id string) error {
	run, err := h.Run(ctx, id)
	switch {
	case errors.Is(err, record.ErrNotFound):
		return nil
	case err != nil:
		return err
	case settled(*run).Status == string(pipeline.Running):
		return nil
	}
	return h.SaveManifest(ctx, run.ID)
}

// since says who gave a version the status that it has.
func (a *app) since(ctx context.Context, h registry, m *record.ModelPackage) (string, error) {
	decisions, err := h.Approvals(ctx, m.Group, m.Version)
	if err != nil {
		return "", err
	}
	if len(decisions) == 0 {
		return ", since it was registered", nil
	}
	last := decisions[len(decisions)-1]
	return fmt.Sprintf(", since %s by %s: %s", local24(last.At), terminal.Clean(last.Person), terminal.Clean(last.Note)), nil
}

// whatFollows says which version is used after a decision about one.
func (a *app) whatFollows(ctx context.Context, h registry, m *record.ModelPackage, v verdict) (string, error) {
	newest, err := h.NewestModel(ctx, m.Group, pipeline.Approved)
	if errors.Is(err, record.ErrNotFound) {
		return fmt.Sprintf("no version of %s is %s now: pipelines that start from one will not run until one is", terminal.Clean(m.Group), pipeline.Approved), nil
	}
	if err != nil {
		return "", err
	}
	exact, start := "", ""
	for _, of := range a.definition.Versions {
		if a.groupName(of.Group) != m.Group {
			continue
		}
		start = ": " + a.next("")
		if p := a.definition.Parameter(of.Param); p != nil {
			exact = fmt.Sprintf(" with --%s %d", p.Flag, m.Version)
		}
	}
	switch {
	case newest.Version == m.Version && v.status != pipeline.Approved:
		return "it was " + pipeline.Approved + " again meanwhile: runs that ask for no version start from it now" + start, nil
	case newest.Version == m.Version:
		return "runs that ask for no version start from it now" + start, nil
	case newest.Version > m.Version && v.status == pipeline.Approved:
		return fmt.Sprintf("version %d is newer and %s, too: runs that ask for no version start from that one, and from this one if they ask for it%s",
			newest.Version, pipeline.Approved, exact), nil
	}
	return fmt.Sprintf("runs that ask for no version start from version %d now%s", newest.Version, start), nil
}
