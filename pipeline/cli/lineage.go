package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mlmax/mlmax/pipeline/cloud/execution"
	"github.com/mlmax/mlmax/pipeline/lineage"
	"github.com/mlmax/mlmax/pipeline/local"
	"github.com/mlmax/mlmax/pipeline/terminal"
	"github.com/spf13/cobra"
)

// A lineageOptions is what the flags of lineage say.
type lineageOptions struct {
	mermaid, json, up, down bool
	depth, limit            int
}

// A lineageJSON is what "lineage --json" prints.
type lineageJSON struct {
	// Asked is what was asked for, Digest its content where that is a file or folder.
	Asked  string `json:"asked"`
	Digest string `json:"digest,omitempty"`
	*lineage.Graph
	// Omitted is how many earlier copies of the content were left out for the limit.
	Omitted int `json:"omitted,omitempty"`
}

func (a *app) lineageCommand() *cobra.Command {
	var o lineageOptions
	c := &cobra.Command{
		Use:   "lineage X",
		Short: "Show what made something, and what used it",
		Long: `Lineage shows which data, code, parameters, image, definition and model version made
X, and what X was used for, through all runs of the workspace, or with --env of that
environment on AWS. X is

  a run               its id, the start of one, or "latest"
  a model version     its number, GROUP/NUMBER or its ARN
  an artifact         Step.Port, or the name of a parameter that is data, of the latest
                      run; RUN/Step.Port; or an s3:// URI
  a file or folder    a path; what it holds decides, wherever it was copied to

in this order; a path that looks like something else is written ./X.

Exit codes: 0 found, 1 there is no such thing, 2 the command line is wrong, or
something else is in the way.`,
		Example: "  " + a.command + " lineage latest\n" +
			"  " + a.command + " lineage my/predictions.csv\n" +
			"  " + a.command + " lineage 3 --down\n" +
			"  " + a.command + " lineage latest --up --mermaid > lineage.mmd",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("%s takes one X: a run, a model version, an artifact, or a path\n\thint: see %s --help", c.CommandPath(), c.CommandPath())
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return a.lineage(c, args[0], o) },
	}
	f := c.Flags()
	f.SortFlags = false
	f.BoolVar(&o.up, "up", false, "only what made it")
	f.BoolVar(&o.down, "down", false, "only what used it")
	f.IntVar(&o.depth, "depth", 0, "`NUMBER` of steps to go, each way; 0 is all")
	f.IntVar(&o.limit, "limit", lineage.DefaultLimit, "`NUMBER` of users of one thing at most, the newest; 0 is all")
	f.BoolVar(&o.mermaid, "mermaid", false, "print a Mermaid flowchart")
	f.BoolVar(&o.json, "json", false, "print one JSON object")
	addAWS(c, a.definition, &a.aws)
	c.MarkFlagsMutuallyExclusive("mermaid", "json")
	return c
}

// lineage finds what was asked for, walks, and prints.
func (a *app) lineage(c *cobra.Command, asked string, o lineageOptions) error {
	if o.depth < 0 || o.limit < 0 {
		return fmt.Errorf("--depth and --limit are 0 or more\n\thint: see %s --help", c.CommandPath())
	}
	h, starts, digest, err := a.lineageOf(c.Context(), asked)
	if err != nil {
		return err
	}
	defer h.Close()
	out := lineageJSON{Asked: asked, Digest: digest}
	if o.limit > 0 && len(starts) > o.limit {
		out.Omitted = len(starts) - o.limit
		starts = starts[out.Omitted:]
	}
	both := o.up == o.down
	out.Graph, err = lineage.Build(c.Context(), h, starts, lineage.Options{Up: o.up || both, Down: o.down || both, Depth: o.depth, Limit: o.limit})
	if err != nil {
		return fmt.Errorf("read the lineage: %w", err)
	}
	switch {
	case o.json:
		return encode(a.stdout, out)
	case o.mermaid:
		err = out.Mermaid(a.stdout)
	default:
		if digest != "" {
			fmt.Fprintf(a.stdout, "%s is, by its content,\n\n", terminal.Clean(asked))
		}
		err = out.Tree(a.stdout, time.Local)
		if out.Omitted > 0 {
			fmt.Fprintf(a.stdout, "\n%d earlier artifacts with this content are left out; see all with --limit 0\n", out.Omitted)
		}
	}
	if err != nil {
		return fmt.Errorf("write the lineage: %w", err)
	}
	return nil
}

// lineageOf opens what is known, and finds in it what X is. A run on AWS that has no
// manifest, since it goes on or nobody has looked at it yet, is known by its history, which
// is only asked for where a run may be meant.
func (a *app) lineageOf(ctx context.Context, asked string) (history, []lineage.Start, string, error) {
	detail := ""
	if a.aws.env != "" && asked == "latest" {
		detail = asked // the newest, and not the newest with a manifest
	}
	for {
		h, _, err := a.known(ctx, detail)
		if err != nil {
			return nil, nil, "", err
		}
		starts, digest, err := a.lineageStarts(ctx, h, asked)
		if err == nil {
			return h, starts, digest, nil
		}
		run, _, _ := strings.Cut(asked, "/")
		if err := h.Close(); err != nil {
			return nil, nil, "", err
		}
		if a.account == nil || detail != "" {
			return nil, nil, "", err
		}
		if _, unknown := execution.Find(ctx, a.account, run); unknown != nil {
			return nil, nil, "", err
		}
		detail = run
	}
}

// lineageStarts finds what X is: by its name, or if it is a path, by its content, which
// is then returned.
func (a *app) lineageStarts(ctx context.Context, h history, asked string) ([]lineage.Start, string, error) {
	if !isPath(asked) {
		start, err := lineage.Find(ctx, h, asked, a.scope())
		if err == nil {
			return []lineage.Start{start}, "", nil
		}
		if !errors.Is(err, lineage.ErrUnknown) {
			return nil, "", fmt.Errorf("find %q: %w", asked, err)
		}
		if _, missing := os.Lstat(asked); missing != nil {
			text := strings.TrimSuffix(strings.TrimSuffix(err.Error(), ": "+lineage.ErrUnknown.Error()), ": not found")
			return nil, "", &exit{exitFailed, fmt.Errorf("%s, and there is no such file\n\thint: see %s, and %s", text, a.next("runs"), a.next("models"))}
		}
	}
	digest, err := local.Identify(asked)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, "", &exit{exitFailed, fmt.Errorf("there is no file %s", asked)}
	case err != nil:
		return nil, "", fmt.Errorf("read %s: %w", asked, err)
	}
	starts, err := lineage.FindContent(ctx, h, digest)
	if err != nil {
		return nil, "", fmt.Errorf("find %s: %w", asked, err)
	}
	if len(starts) == 0 && a.aws.env != "" {
		return nil, "", &exit{exitFailed, fmt.Errorf("%s has the digest %s, and no data of %s was uploaded with that; of what jobs write on AWS no digest is known\n\thint: name it by its run, such as RUN/Step.Port, or by its s3:// URI", asked, digest, a.where())}
	}
	if len(starts) == 0 {
		return nil, "", &exit{exitFailed, fmt.Errorf("%s has the digest %s, and no run of this workspace has read or written that\n\thint: another workspace is named with --workspace", asked, digest)}
	}
	return starts, digest, nil
}

// isPath says whether a word can only be a path.
func isPath(word string) bool {
	for _, start := range []string{"/", "./", "../"} {
		if strings.HasPrefix(filepath.ToSlash(word), start) {
			return true
		}
	}
	return word == "." || word == ".."
}
