// Package revision reads what git holds of a pipeline at a revision: its template, the
// parameters of an environment and the digests of its steps' code, as a side to compare
// with. In goes the module's folder. It changes nothing,
// needs no network and no credentials, and runs git alone, without a shell.
package revision

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"path"
	"strings"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/delta"
)

// A Repository is the git repository that a module lies in.
type Repository struct{ module string }

// Open finds the repository of the module whose root is the folder.
func Open(ctx context.Context, module string) (*Repository, error) {
	if _, err := exec.LookPath("git"); err != nil {
		return nil, fmt.Errorf("compare with a revision: %w\n\thint: install git, or leave --offline out to compare with what is deployed", err)
	}
	r := &Repository{module}
	if _, err := r.git(ctx, nil, "rev-parse", "--git-dir"); err != nil {
		return nil, fmt.Errorf("compare with a revision: %w\n\thint: --offline compares with a commit, so the module has to be in a git repository", err)
	}
	return r, nil
}

// mainLines are where a branch is taken to have come from, the first that exists.
var mainLines = []string{"refs/remotes/origin/HEAD", "refs/heads/main"}

// Resolve is the commit that a revision names. Without one it is where the tree's branch
// left the main line, or else HEAD. The words are for people.
func (r *Repository) Resolve(ctx context.Context, name string) (commit, words string, err error) {
	if name != "" {
		commit, err := r.one(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", name+"^{commit}")
		if refused(err) {
			return "", "", fmt.Errorf("git knows no revision %q here\n\thint: see git log, or git fetch; a CI machine has to fetch the history, too (fetch-depth: 0)", name)
		}
		return commit, "commit " + short(commit) + " (" + name + ")", err
	}
	head, err := r.one(ctx, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
	if refused(err) {
		return "", "", errors.New("this git repository has no commit to compare with\n\thint: commit first")
	}
	if err != nil {
		return "", "", err
	}
	for _, line := range mainLines {
		base, err := r.one(ctx, "merge-base", "HEAD", line)
		if refused(err) {
			continue // there is none, or it has another history
		}
		if err != nil {
			return "", "", err
		}
		if base == head {
			break
		}
		return base, "commit " + short(base) + ", where this branch left " + strings.TrimPrefix(strings.TrimPrefix(line, "refs/remotes/"), "refs/heads/"), nil
	}
	return head, "commit " + short(head) + " (HEAD)", nil
}

func short(commit string) string { return commit[:min(12, len(commit))] }

// A Target is the environment of a pipeline that is compared. Bucket and Region, if not
// empty, stand for the environment's.
type Target struct {
	Definition                  *pipeline.Definition
	Environment, Bucket, Region string
}

// Side is a pipeline as it was at a commit; nil if it was not there, or had no such
// environment.
func (r *Repository) Side(ctx context.Context, commit string, t Target) (*delta.Side, error) {
	d := t.Definition
	folder := strings.TrimPrefix(strings.TrimPrefix(d.Package, d.Module), "/")
	template, err := r.blob(ctx, commit, path.Join(folder, "template.json"))
	if template == nil || err != nil {
		return nil, err
	}
	file, err := r.blob(ctx, commit, path.Join(folder, "env", t.Environment+".json"))
	if file == nil || err != nil {
		return nil, err
	}
	source, err := r.blob(ctx, commit, path.Join(folder, path.Base(folder)+".go"))
	if err != nil {
		return nil, err
	}
	digests := map[string]string{}
	for _, s := range sources(source, d) {
		if digests[s.codeName], err = r.digest(ctx, commit, s.dir); err != nil {
			return nil, fmt.Errorf("read the code %s at %s: %w", s.dir, short(commit), err)
		}
	}
	return t.side(template, file, digests)
}

// Tree is the pipeline as it is generated, with the digests of the code that the tree has.
func (t Target) Tree(digests map[string]string) (*delta.Side, error) {
	return t.side(t.Definition.Template, t.Definition.Environments[t.Environment], digests)
}

// side puts a template, a parameter file and digests together.
func (t Target) side(template, file []byte, digests map[string]string) (*delta.Side, error) {
	var list []struct{ ParameterKey, ParameterValue string }
	if err := json.Unmarshal(file, &list); err != nil {
		return nil, fmt.Errorf("read the parameters of environment %s: %w", t.Environment, err)
	}
	values := maps.Clone(digests)
	for _, p := range list {
		values[p.ParameterKey] = p.ParameterValue
	}
	if t.Bucket != "" {
		values["Bucket"] = t.Bucket
	}
	if t.Region != "" {
		values["Region"] = t.Region
	}
	return &delta.Side{Template: template, Parameters: values, Region: values["Region"]}, nil
}
