package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mlmax/mlmax/pipeline/lineage"
	"github.com/mlmax/mlmax/pipeline/record"
	"github.com/mlmax/mlmax/pipeline/report"
	"github.com/spf13/cobra"
)

func (a *app) reportCommand() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "report [RUN]",
		Short: "Write what there is to know of a run as one HTML file",
		Long: `Report writes a page with the graph, timeline, parameters, metrics, artifacts,
lineage and logs of a run, and what is different from the run before. The file
needs nothing else: it holds no script and asks for nothing over a network. RUN is
the id of a run, the start of one, or "latest", the default; on AWS an execution's name,
too.`,
		Example: "  " + a.command + " report\n" +
			"  " + a.command + " report 3f2a --out report.html\n" +
			"  " + a.command + " report latest --out - > report.html",
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			id := "latest"
			if len(args) == 1 {
				id = args[0]
			}
			h, workspace, err := a.known(c.Context(), id)
			if err != nil {
				return err
			}
			defer h.Close()
			run, err := a.runOf(c.Context(), h, id)
			if err != nil {
				return err
			}
			return a.page(c.Context(), h, workspace, run, out)
		},
	}
	c.Flags().StringVar(&out, "out", "", "`FILE` to write; - is standard output (default: report.html in the run's folder of the workspace)")
	addAWS(c, a.definition, &a.aws)
	return c
}

// page writes the report of a run, and says where it is.
func (a *app) page(ctx context.Context, h history, workspace string, run *record.Run, out string) error {
	root, err := os.OpenRoot(workspace)
	if err != nil {
		return fmt.Errorf("open the workspace: %w", err)
	}
	defer root.Close()
	shown := settled(*run)
	source, err := a.withLogs(ctx, h, root, run.ID)
	if err != nil {
		return err
	}
	r, err := report.Gather(ctx, source, a.definition, &shown, root.FS())
	if err != nil {
		return fmt.Errorf("gather the report: %w", err)
	}
	if r.Lineage, err = a.tree(ctx, h, run.ID); err != nil {
		return err
	}
	var text bytes.Buffer
	if err := report.Write(&text, r); err != nil {
		return err
	}
	if out == "-" {
		if _, err := text.WriteTo(a.stdout); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
		return nil
	}
	if out == "" {
		if a.account != nil {
			if workspace = a.cache(); workspace == "" {
				return errors.New("there is no folder for the report\n\thint: name a file with --out")
			}
		}
		out = filepath.Join(workspace, "runs", run.ID, "report.html")
		if err := os.MkdirAll(filepath.Dir(out), 0o700); err != nil {
			return fmt.Errorf("make the run's folder: %w\n\thint: name another file with --out", err)
		}
	}
	if err := replace(out, text.Bytes()); err != nil {
		return fmt.Errorf("write the report: %w\n\thint: name another file with --out", err)
	}
	fmt.Fprintln(a.stdout, shorten(out))
	return nil
}

// tree is the lineage of a run, with times in UTC as everywhere in a report.
func (a *app) tree(ctx context.Context, h history, run string) (string, error) {
	start, err := lineage.Find(ctx, h, run, a.scope())
	if err != nil {
		return "", fmt.Errorf("find the lineage of run %s: %w", run, err)
	}
	graph, err := lineage.Build(ctx, h, []lineage.Start{start}, lineage.Options{Up: true, Down: true, Limit: lineage.DefaultLimit})
	if err != nil {
		return "", fmt.Errorf("read the lineage of run %s: %w", run, err)
	}
	var text strings.Builder
	if err := graph.Tree(&text, time.UTC); err != nil {
		return "", fmt.Errorf("draw the lineage of run %s: %w", run, err)
	}
	return text.String(), nil
}

// replace writes a file whole or not at all.
func replace(name string, content []byte) error {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return fmt.Errorf("%s is a folder", name)
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".report-*")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
