package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/local"
	"github.com/mlmax/mlmax/pipeline/record"
	"github.com/mlmax/mlmax/pipeline/worktree"
)

// newLocalRunner makes the runner of this machine, for the module that the current
// folder lies in.
func newLocalRunner(d *pipeline.Definition, p place) (runner, error) {
	module, err := findModule(d)
	if err != nil {
		return nil, err
	}
	return local.New(local.Options{
		Module: module, Workspace: p.workspace, Isolation: p.isolation, Reuse: p.reuse,
		Python: p.python, Packages: p.packages, Given: p.given,
		Command: func(main string) string { return commandOf(d, p.command, main) + inWorkspace(p.workspace) },
	})
}

// plain is what a shell takes as it is.
var plain = regexp.MustCompile(`^[A-Za-z0-9_./@%+=:,-]+$`)

// inWorkspace is what a command needs behind its name to find a workspace that is not the
// module's own.
func inWorkspace(workspace string) string {
	if workspace == "" {
		return ""
	}
	return " --workspace " + word(workspace)
}

// word is a text as a shell takes it for one word.
func word(text string) string {
	if plain.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'"'"'`) + "'"
}

// given are the values of a run as a command line has them.
func given(d *pipeline.Definition, values map[string]any) string {
	var text strings.Builder
	for _, p := range d.Parameters {
		if v, ok := values[p.Key]; ok {
			text.WriteString(" --" + p.Flag + "=" + word(fmt.Sprint(v)))
		}
	}
	return text.String()
}

// findModule is the root of the module that holds the pipeline's code and data.
func findModule(d *pipeline.Definition) (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the module %s: %w", d.Module, err)
	}
	return worktree.Find(dir, d.Module)
}

// A noRecordError says that a workspace has no record: nothing was run in it.
type noRecordError struct{ text string }

func (e *noRecordError) Error() string { return e.text }

// findWorkspace is the folder that the flags name, or the module's own.
func findWorkspace(d *pipeline.Definition, p place) (string, error) {
	if p.workspace != "" {
		return p.workspace, nil
	}
	module, err := findModule(d)
	if err != nil {
		return "", fmt.Errorf("%w, or name a workspace with --workspace", err)
	}
	return filepath.Join(module, ".mlmax"), nil
}

// openRecord opens the record of the workspace, which must be there already.
func openRecord(d *pipeline.Definition, p place) (history, string, error) {
	workspace, err := findWorkspace(d, p)
	if err != nil {
		return nil, "", err
	}
	if err := local.CheckRecord(workspace); err != nil {
		return nil, "", err
	}
	name := filepath.Join(workspace, "mlmax.db")
	if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
		return nil, "", &noRecordError{fmt.Sprintf("no run has been started in the workspace %s\n\thint: start one with: %s", shorten(workspace), commandName(d)+inWorkspace(p.workspace))}
	}
	db, err := record.Open(context.Background(), name)
	if record.IsReadOnly(err) || errors.Is(err, fs.ErrPermission) {
		return nil, "", fmt.Errorf("the record of the workspace %s cannot be written, which reading it takes too (%w)\n\thint: copy the workspace to a folder that can be written, and name that with --workspace", shorten(workspace), err)
	}
	if err != nil {
		return nil, "", fmt.Errorf("open the record of the workspace: %w", err)
	}
	return workspaceRecord{db, workspace}, workspace, nil
}

// A workspaceRecord is the record of a workspace.
type workspaceRecord struct {
	*record.DB
	dir string
}

// SaveManifest writes the manifest of a run anew, with what the record says of it now.
func (w workspaceRecord) SaveManifest(ctx context.Context, run string) error {
	return local.SaveManifest(ctx, w.dir, w.DB, run)
}

// RunsByID are the runs of these ids, settled: one whose process was killed is not
// shown as if it were still running.
func (w workspaceRecord) RunsByID(ctx context.Context, ids []string) ([]record.Run, error) {
	runs, err := w.DB.RunsByID(ctx, ids)
	for i := range runs {
		runs[i] = settled(runs[i])
	}
	return runs, err
}

// goRun is the path of what go run made: in a temporary folder, or in its cache.
var goRun = regexp.MustCompile(`/go-build\d*/|/[0-9a-f]{64}-d/[^/]+$`)

func madeByGoRun(exe string) bool { return goRun.MatchString(exe) }

// commandName is how a person runs this command: as they did, or with go run if
// that is what they did.
func commandName(d *pipeline.Definition) string {
	main := path.Dir(d.Package)
	exe, err := os.Executable()
	if err != nil || !madeByGoRun(filepath.ToSlash(exe)) {
		return os.Args[0]
	}
	return goRunOf(d, main)
}

// commandOf is how a person runs another generated main of the same module, by its
// import path: as they run this one, by the command own.
func commandOf(d *pipeline.Definition, own, main string) string {
	if main == path.Dir(d.Package) || main == "." {
		return own
	}
	// Mains lie beside each other as packages; built, in one folder, be it that of a path
	// or one of the PATH.
	dir, _ := filepath.Split(own)
	beside := dir + path.Base(main)
	if strings.HasPrefix(own, "go run ") && path.Dir(main) == path.Dir(path.Dir(d.Package)) || !missing(beside) {
		return beside
	}
	return goRunOf(d, main)
}

// missing says that there is no command of this name or path.
func missing(command string) bool {
	_, err := exec.LookPath(command)
	return err != nil
}

// goRunOf is how a main is run with go run from the folder that the person is in.
func goRunOf(d *pipeline.Definition, main string) string {
	module, err := findModule(d)
	if err != nil {
		return "go run " + main
	}
	dir, err := os.Getwd()
	if err != nil {
		return "go run " + main
	}
	rel, err := filepath.Rel(dir, filepath.Join(module, filepath.FromSlash(strings.TrimPrefix(main, d.Module))))
	if err != nil {
		return "go run " + main
	}
	rel = filepath.ToSlash(rel)
	if !strings.HasPrefix(rel, ".") {
		rel = "./" + rel
	}
	return "go run " + rel
}
