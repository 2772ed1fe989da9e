package lineage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mlmax/mlmax/pipeline/record"
)

// Names is what [Find] looks names up in, besides a [Source].
type Names interface {
	Source
	LatestRun(ctx context.Context, pipeline string) (*record.Run, error)
	Artifacts(ctx context.Context, run string) ([]record.Artifact, error)
	ModelVersion(ctx context.Context, group string, version int) (*record.ModelPackage, error)
}

// A Scope is what short names are short for.
type Scope struct {
	// Pipeline is the name of the pipeline whose latest run "latest" and "Step.Port"
	// mean, Groups the model groups that a version's number alone may be of.
	Pipeline string
	Groups   []string
	// Where is how people call the place that is looked in; empty is "this workspace".
	Where string
}

func (s *Scope) where() string {
	if s.Where == "" {
		return "this workspace"
	}
	return s.Where
}

// ErrUnknown says that nothing has a name.
var ErrUnknown = errors.New("unknown name")

// Find says what a name stands for: an s3:// URI; a model version as an ARN, as
// GROUP/NUMBER or as a number; RUN/Step.Port, or RUN/Key for data; a run as its id, the start of one, or
// "latest"; Step.Port, or the key of a parameter that is data, of the latest run. They
// are tried in this order. An error wraps [ErrUnknown] if none of them fits.
func Find(ctx context.Context, names Names, name string, in Scope) (Start, error) {
	before, after, slash := cutLast(name, "/")
	switch {
	case strings.HasPrefix(name, "s3://"):
		return findURI(ctx, names, name, in)
	case strings.HasPrefix(name, "arn:"):
		found, err := names.ModelsByARN(ctx, []string{name})
		if err == nil && len(found) == 0 {
			err = fmt.Errorf("%s has no model version %s: %w", in.where(), name, ErrUnknown)
		}
		return Start{Model: name}, err
	case slash && number(after) > 0:
		return findVersion(ctx, names, number(after), []string{before})
	case slash:
		r, err := findRun(ctx, names, before, in)
		if err != nil {
			return Start{}, err
		}
		return findPort(ctx, names, r, after)
	}
	if n := number(name); n > 0 && n < 1_000_000 {
		start, err := findVersion(ctx, names, n, in.Groups)
		if !errors.Is(err, ErrUnknown) {
			return start, err
		}
	}
	r, err := findRun(ctx, names, name, in)
	if err == nil || !errors.Is(err, ErrUnknown) {
		return Start{Run: r.ID}, err
	}
	latest, latestErr := findRun(ctx, names, "latest", in)
	if latestErr != nil {
		return Start{}, latestErr
	}
	start, portErr := findPort(ctx, names, latest, name)
	if errors.Is(portErr, ErrUnknown) && !strings.Contains(name, ".") {
		return Start{}, err
	}
	return start, portErr
}

// cutLast cuts around the last separator.
func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// number is a positive number written in digits alone, or 0.
func number(s string) int {
	if strings.TrimLeft(s, "0123456789") != "" {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}

// findURI finds an artifact by its URI, or the folder that holds an object.
func findURI(ctx context.Context, names Names, uri string, in Scope) (Start, error) {
	for at := trim(uri); strings.Count(at, "/") > 2; at, _, _ = cutLast(at, "/") {
		found, err := names.ArtifactsByURI(ctx, spelled([]string{at}))
		if err != nil {
			return Start{}, err
		}
		if len(found) > 0 {
			return Start{Artifact: at}, nil
		}
	}
	return Start{}, fmt.Errorf("no run of %s has %s: %w", in.where(), uri, ErrUnknown)
}

func findVersion(ctx context.Context, names Names, n int, groups []string) (Start, error) {
	var arns, all []string
	for _, g := range groups {
		found, err := names.ModelVersion(ctx, g, n)
		if errors.Is(err, record.ErrNotFound) {
			continue
		}
		if err != nil {
			return Start{}, err
		}
		arns = append(arns, found.ARN)
		all = append(all, versionName(g, n))
	}
	switch len(arns) {
	case 0:
		return Start{}, fmt.Errorf("no version %d of %s: %w", n, strings.Join(groups, " or "), ErrUnknown)
	case 1:
		return Start{Model: arns[0]}, nil
	}
	return Start{}, fmt.Errorf("version %d is of several groups: name one of %s", n, strings.Join(all, ", "))
}

func findRun(ctx context.Context, names Names, id string, in Scope) (*record.Run, error) {
	var r *record.Run
	var err error
	if id == "latest" {
		r, err = names.LatestRun(ctx, in.Pipeline)
	} else {
		r, err = names.Run(ctx, id)
	}
	switch {
	case errors.Is(err, record.ErrNotFound) && id == "latest":
		err = fmt.Errorf("%s has no runs in %s: %w", in.Pipeline, in.where(), ErrUnknown)
	case errors.Is(err, record.ErrNotFound):
		err = fmt.Errorf("%s has no run %q: %w", in.where(), id, ErrUnknown)
	}
	return r, err
}

// findPort finds what a step of a run wrote or read at a port, or the data of a
// parameter.
func findPort(ctx context.Context, names Names, r *record.Run, name string) (Start, error) {
	steps, err := names.Steps(ctx, r.ID)
	if err != nil {
		return Start{}, err
	}
	var ids []int64
	step := map[int64]string{}
	for _, s := range slices.Backward(steps) { // the last try first
		ids = append(ids, s.ID)
		step[s.ID] = s.Name
	}
	var has []string
	for _, direction := range []string{"out", "in"} {
		links, err := names.LinksOfSteps(ctx, ids, direction)
		if err != nil {
			return Start{}, err
		}
		for _, l := range slices.Backward(links) {
			port := step[l.Step] + "." + l.Port
			if port == name {
				return Start{Artifact: trim(l.Artifact.URI)}, nil
			}
			if direction == "out" {
				has = append(has, port)
			}
		}
	}
	data, err := names.Artifacts(ctx, r.ID)
	if err != nil {
		return Start{}, err
	}
	for _, a := range data {
		if a.Name == name {
			return Start{Artifact: trim(a.URI)}, nil
		}
		if a.Kind == record.Data {
			has = append(has, a.Name)
		}
	}
	slices.Sort(has)
	text := strings.Join(slices.Compact(has), ", ")
	if text == "" {
		text = "nothing"
	}
	return Start{}, fmt.Errorf("run %s of %s has no artifact %q; it has %s: %w", r.ID, r.Pipeline, name, text, ErrUnknown)
}

// codePrefix is where the code of steps lies in the local store: code/DIGEST/FILE.
const codePrefix = "code/"

// FindContent says what has a content, "sha256:" and hex: artifacts, the folders of
// artifacts that hold it as a file, and code. It is empty if nothing has.
func FindContent(ctx context.Context, s Source, digest string) ([]Start, error) {
	var all []Start
	add := func(one Start) {
		if !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	artifacts, err := s.ArtifactsByDigest(ctx, digest)
	if err != nil {
		return nil, err
	}
	for _, a := range artifacts {
		add(Start{Artifact: trim(a.URI)})
	}
	objects, err := s.ObjectsByDigest(ctx, strings.TrimPrefix(digest, "sha256:"))
	if err != nil {
		return nil, err
	}
	folders := map[string][]string{} // the folders above each object, the nearest first
	var ask []string
	for _, o := range objects {
		if rest, ok := strings.CutPrefix(o.Key, codePrefix); ok {
			code, file, _ := strings.Cut(rest, "/")
			add(Start{Code: strings.TrimSuffix(code, ".tar.gz"), File: file})
			continue
		}
		uri := "s3://" + o.Bucket + "/" + o.Key
		for at := uri; strings.Count(at, "/") > 3; {
			at, _, _ = cutLast(at, "/")
			folders[uri] = append(folders[uri], at)
		}
		ask = append(ask, folders[uri]...)
	}
	known := map[string]bool{}
	if len(ask) > 0 {
		found, err := s.ArtifactsByURI(ctx, spelled(ask))
		if err != nil {
			return nil, err
		}
		for _, a := range found {
			known[trim(a.URI)] = true
		}
	}
	for _, o := range objects {
		uri := "s3://" + o.Bucket + "/" + o.Key
		if i := slices.IndexFunc(folders[uri], func(f string) bool { return known[f] }); i >= 0 {
			folder := folders[uri][i]
			add(Start{Artifact: folder, File: strings.TrimPrefix(uri, folder+"/")})
		}
	}
	return all, nil
}
