package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strconv"

	"github.com/mlmax/mlmax/pipeline/cloud"
	"github.com/mlmax/mlmax/pipeline/cloud/execution"
	"github.com/mlmax/mlmax/pipeline/cloud/joblog"
	"github.com/mlmax/mlmax/pipeline/cloud/ledger"
	"github.com/mlmax/mlmax/pipeline/lineage"
	"github.com/mlmax/mlmax/pipeline/local"
	"github.com/mlmax/mlmax/pipeline/record"
	"github.com/mlmax/mlmax/pipeline/report"
	"github.com/mlmax/mlmax/pipeline/terminal"
)

// known opens what is known of earlier runs: the record of the workspace, or with --env
// what the account knows. Of the run that detail names, if any, everything is to be known
// that is. It returns a folder that logs are looked for in, too.
func (a *app) known(ctx context.Context, detail string) (history, string, error) {
	if a.aws.env == "" {
		if f := a.aws; f != (awsFlags{}) {
			return nil, "", f.settle(a)
		}
		return a.history()
	}
	p, err := a.place(ctx, a.aws)
	if err != nil {
		return nil, "", err
	}
	a.account = p
	l, err := ledger.Open(ctx, p, ledger.Options{Cache: a.cache(), Reading: a.reading, Detail: detail, Describe: func(ctx context.Context, name string) (*ledger.Description, error) {
		x, err := execution.Find(ctx, p, name)
		if errors.Is(err, execution.ErrNotFound) {
			return nil, nil // Step Functions forgets; the manifest does not
		}
		if err != nil {
			return nil, err
		}
		return described(x), nil
	}})
	if err != nil {
		return nil, "", err
	}
	for _, d := range l.Damaged {
		fmt.Fprintf(a.stderr, "warning: %s cannot be read, and is left out: %s\n", terminal.Clean(d.URI), terminal.Clean(d.Err.Error()))
	}
	return l, l.Dir(), nil
}

// many is how many manifests take a person's time to read.
const many = 100

// reading says what takes long, where it does: the first look at an account with many runs.
func (a *app) reading(runs int) {
	if runs >= many {
		fmt.Fprintf(a.stderr, "reading the manifests of %d runs of %s, once\n", runs, a.where())
	}
}

// described is an execution as the ledger wants to know it.
func described(x *execution.Description) *ledger.Description {
	return &ledger.Description{ARN: x.ARN, Status: string(x.Status), Error: x.Error, Cause: x.Cause, Started: x.Started, Ended: x.Stopped}
}

// cache is the folder for what was read of the environment: in the workspace, if there is
// one, else in the user's cache. It is empty where there is neither.
func (a *app) cache() string {
	workspace, err := findWorkspace(a.definition, place{workspace: a.workspace})
	if err == nil {
		if _, err = os.Stat(workspace); err == nil {
			return filepath.Join(workspace, "aws", a.aws.env)
		}
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "mlmax", "aws", path.Base(a.definition.Module), a.aws.env)
}

// next is how a person runs this command for something else where the history is: a verb
// and its arguments. Without a verb it starts a run.
func (a *app) next(verb string) string {
	switch {
	case a.aws.env != "" && verb == "":
		return a.aws.next(a.command, "run")
	case a.aws.env != "":
		return a.aws.next(a.command, verb)
	case verb == "":
		return a.here()
	}
	return a.here() + " " + verb
}

// next is a command in the place that the flags name.
func (f *awsFlags) next(command, verb string) string {
	p := cloud.Place{Target: cloud.Target{Environment: f.env, Bucket: f.bucket, Region: f.region, Profile: f.profile, Command: command}}
	return p.Next(verb)
}

// where is how people call the place where the history is.
func (a *app) where() string {
	if a.aws.env != "" {
		return "environment " + a.aws.env
	}
	return "this workspace"
}

// groupName is the name of a model group where the history is.
func (a *app) groupName(group string) string {
	if a.aws.env != "" {
		return ledger.GroupName(a.aws.env, group)
	}
	return local.GroupName(group)
}

// modelRef is how the commands of this pipeline name a version.
func (a *app) modelRef(group string, version int) string {
	if a.aws.env == "" {
		return local.ModelRef(a.definition, group, version)
	}
	if groups := a.groups(); len(groups) == 1 && groups[0] == group {
		return strconv.Itoa(version)
	}
	return group + "/" + strconv.Itoa(version)
}

// scope is what short names are short for.
func (a *app) scope() lineage.Scope {
	return lineage.Scope{Pipeline: a.definition.Name, Groups: a.groups(), Where: a.where()}
}

// runOf finds a run where the history is: on AWS by an execution's name, too.
func (a *app) runOf(ctx context.Context, h history, id string) (*record.Run, error) {
	if a.aws.env == "" {
		return a.findRun(ctx, h, id)
	}
	r, err := h.Run(ctx, id)
	switch {
	case errors.Is(err, record.ErrNotFound) && id == "latest":
		return nil, fmt.Errorf("%s has no runs in %s\n\thint: start one with: %s", a.definition.Name, a.where(), a.next(""))
	case errors.Is(err, record.ErrNotFound):
		return nil, fmt.Errorf("%s has no run %q\n\thint: see %s", a.where(), id, a.next("runs"))
	case err != nil:
		return nil, cloud.Advise(fmt.Errorf("find run %q: %w", id, err), "see "+a.next("runs"))
	}
	return r, nil
}

// reported is how many of a job's last lines a report has of a run on AWS.
const reported = 400

// withLogs is a history whose steps have their logs in a folder: of a run on AWS they are
// brought there.
func (a *app) withLogs(ctx context.Context, h history, dir *os.Root, run string) (report.Source, error) {
	if a.account == nil {
		return h, nil
	}
	steps, err := h.Steps(ctx, run)
	if err != nil {
		return nil, err
	}
	logs := map[int64]string{}
	for _, s := range steps {
		if s.Job == "" {
			continue
		}
		lines, err := joblog.Last(ctx, a.account, s.Kind, s.Job, reported)
		if err != nil {
			return nil, err
		}
		if len(lines) == 0 {
			continue
		}
		name := fmt.Sprintf("log-%d", s.ID)
		var text []byte
		for _, line := range lines {
			text = append(append(text, line...), '\n')
		}
		if err := dir.WriteFile(name, text, 0o600); err != nil {
			return nil, fmt.Errorf("keep the log of step %s: %w", s.Name, err)
		}
		logs[s.ID] = name
	}
	return &logged{h, logs}, nil
}

// logged is a history that knows where the logs of steps are.
type logged struct {
	history
	logs map[int64]string
}

// Steps are those of a run, with their logs.
func (l *logged) Steps(ctx context.Context, run string) ([]record.Step, error) {
	steps, err := l.history.Steps(ctx, run)
	for i := range steps {
		if name := l.logs[steps[i].ID]; name != "" {
			steps[i].Log = name
		}
	}
	return steps, err
}
