// Package ledger is what an account knows of runs and model versions, as the record of a
// workspace has it: manifests in S3 and versions in SageMaker's registry are laid into a
// [record.DB], so that whoever asks for lineage, reports and models asks on AWS as on one
// machine. A run that has written no manifest, since it failed before, gets one from its
// history.
//
// Nothing is kept but a cache of manifests, and nothing is changed but by a decision about
// a version, and by [Save].
package ledger

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/pipeline/cloud"
	"github.com/mlmax/mlmax/pipeline/cloud/history"
	"github.com/mlmax/mlmax/pipeline/manifest"
	"github.com/mlmax/mlmax/pipeline/record"
)

// Options are how an account is looked at. The zero value is ready.
type Options struct {
	// Cache is a folder for manifests that were read; empty keeps none.
	Cache string
	// Reading is told, before that begins, how many runs have a manifest to be read that the
	// cache does not have; it may be nil.
	Reading func(runs int)
	// Detail names a run of which everything is to be known that its history tells: every
	// try, with what it asked for. Empty is none.
	Detail string
	// Describe looks at the execution of a name, or at the newest for "latest"; nil if there
	// is none, or none any more.
	Describe func(ctx context.Context, name string) (*Description, error)
}

// A Ledger is an account as a record.
type Ledger struct {
	*record.DB
	// Damaged are the manifests that could not be taken.
	Damaged []Damaged

	place *cloud.Place
	dir   string
	runs  []found
}

// Open reads an account. The ledger is the caller's to close.
func Open(ctx context.Context, p *cloud.Place, o Options) (*Ledger, error) {
	l := &Ledger{place: p}
	c, err := openCache(o.Cache, p.Bucket)
	if err != nil {
		return nil, err
	}
	defer c.close()
	if l.runs, l.Damaged, err = manifests(ctx, p, c, o.Reading); err != nil {
		return nil, err
	}
	tries, err := l.detail(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := commits(ctx, p, c, l.runs); err != nil {
		return nil, err
	}
	models, decisions, err := registry(ctx, p, l.groups())
	if err != nil {
		return nil, err
	}
	saved, err := rows(p.Definition, l.runs, tries)
	if err != nil {
		return nil, err
	}
	if err := l.lay(ctx, saved, models, decisions); err != nil {
		return nil, err
	}
	return l, nil
}

// lay makes the record of what was read, in a folder that goes with the ledger.
func (l *Ledger) lay(ctx context.Context, saved []record.Saved, models []record.ModelPackage, decisions []record.Approval) (err error) {
	if l.dir, err = os.MkdirTemp("", "mlmax-ledger-"); err != nil {
		return fmt.Errorf("make a folder for what is known of the account: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.Close())
		}
	}()
	if l.DB, err = record.Open(ctx, filepath.Join(l.dir, "mlmax.db")); err != nil {
		return err
	}
	imported, err := l.Import(ctx, saved)
	if err != nil {
		return err
	}
	for _, s := range saved {
		if refused := imported.Refused[s.Run]; refused != nil {
			l.Damaged = append(l.Damaged, Damaged{"the manifest of run " + s.Run, refused})
		}
	}
	return l.PutModels(ctx, models, decisions)
}

// Close removes what was read.
func (l *Ledger) Close() error {
	var err error
	if l.DB != nil {
		err = l.DB.Close()
	}
	return errors.Join(err, os.RemoveAll(l.dir))
}

// Dir is a folder that goes with the ledger.
func (l *Ledger) Dir() string { return l.dir }

// groups are the model groups that the pipeline has, and those that runs of the
// environment registered to or started from.
func (l *Ledger) groups() []string {
	var all []string
	add := func(group string) {
		if group != "" && !slices.Contains(all, group) {
			all = append(all, group)
		}
	}
	for _, group := range l.place.Definition.Groups() {
		add(GroupName(l.place.Environment, group))
	}
	for _, f := range l.runs {
		for _, m := range f.Models {
			if m != nil {
				add(l.groupOf(m.ModelPackageArn))
			}
		}
		for _, v := range f.Versions {
			add(l.groupOf(v.Arn))
		}
	}
	slices.Sort(all)
	return all
}

// groupOf is the group of a version by its ARN; empty where that is another account's or
// Region's.
func (l *Ledger) groupOf(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[3] != l.place.Region || parts[4] != l.place.Account {
		return ""
	}
	return path.Base(path.Dir(parts[5]))
}

// named is the execution's name of a run that a person names by its id or the start of
// that; of any other word it is the word.
func (l *Ledger) named(word string) string {
	name, n := word, 0
	for i := range l.runs {
		if f := &l.runs[i]; f.Pipeline == l.place.Definition.Name && strings.HasPrefix(f.Run, word) {
			name = f.name()
			n++
		}
	}
	if n == 1 {
		return name
	}
	return word
}

// detail reads the history of an execution. It gives its run a manifest, if it has none.
func (l *Ledger) detail(ctx context.Context, o Options) (map[string][]Try, error) {
	if o.Detail == "" {
		return nil, nil
	}
	x, err := o.Describe(ctx, l.named(o.Detail))
	if x == nil || err != nil {
		return nil, err
	}
	events, err := history.Read(ctx, l.place, x.ARN, 0)
	if err != nil {
		return nil, err
	}
	tries, err := Tries(events)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(l.runs, func(f found) bool { return f.Execution == x.ARN })
	if at < 0 || l.runs[at].Status != "" { // the machine's own says more than we could
		m, err := Complete(ctx, l.place.Definition, l.place, *x, events)
		if err != nil {
			return nil, err
		}
		if at < 0 {
			at = len(l.runs)
			l.runs = append(l.runs, found{})
		}
		l.runs[at] = found{m, x.Ended}
	}
	l.runs[at].Manifest = timed(l.runs[at].Manifest, x)
	run := l.runs[at].Run
	inOrder(l.runs)
	return map[string][]Try{run: tries}, nil
}

// timed is a manifest with when its execution ended.
func timed(m *manifest.Manifest, x *Description) *manifest.Manifest {
	if m.EndTime != nil || x.Ended.IsZero() {
		return m
	}
	with := *m
	end := x.Ended.UTC()
	with.EndTime = &end
	return &with
}

// Run finds a run of this environment as a person names it: by its id, the start of one,
// the execution's name, or as "latest", which is the pipeline's. An error wraps
// [record.ErrNotFound] if there is none.
func (l *Ledger) Run(ctx context.Context, id string) (*record.Run, error) {
	if id == "latest" {
		return l.LatestRun(ctx, l.place.Definition.Name)
	}
	for i := range l.runs {
		if l.runs[i].name() == id && l.runs[i].Pipeline == l.place.Definition.Name {
			return l.DB.Run(ctx, l.runs[i].Run)
		}
	}
	return l.DB.Run(ctx, id)
}

// SaveManifest does nothing: the registry itself keeps what was decided about a version.
func (l *Ledger) SaveManifest(context.Context, string) error { return nil }

// Decide sets the status of a version in the registry, with who decided and why as its
// ApprovalDescription, and returns the status that it had. One that has the status already
// is left as it is.
func (l *Ledger) Decide(ctx context.Context, a record.Approval) (before string, err error) {
	m, err := l.ModelVersion(ctx, a.Group, a.Version)
	if err != nil {
		return "", err
	}
	now, err := describe(ctx, l.place, m.ARN) // it may have been decided meanwhile
	if err != nil {
		return "", err
	}
	before = now.ModelApprovalStatus
	if before != a.Status {
		err := l.place.SageMaker(ctx, "UpdateModelPackage", map[string]string{
			"ModelPackageArn": m.ARN, "ModelApprovalStatus": a.Status, "ApprovalDescription": a.Person + ": " + a.Note,
		}, nil)
		if err != nil {
			return "", l.place.Explain(err, fmt.Sprintf("deciding about version %d of %s", a.Version, a.Group))
		}
		if now, err = describe(ctx, l.place, m.ARN); err != nil {
			return "", err
		}
	}
	return before, l.refresh(ctx, now)
}

// refresh lays what the registry says of a version into the record.
func (l *Ledger) refresh(ctx context.Context, d *described) error {
	m, err := d.version()
	if err != nil {
		return err
	}
	var decisions []record.Approval
	if a := d.decision(); a != nil {
		decisions = append(decisions, *a)
	}
	return l.PutModels(ctx, []record.ModelPackage{m}, decisions)
}
