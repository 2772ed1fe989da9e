package local

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"time"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/manifest"
	"github.com/mlmax/mlmax/pipeline/record"
)

// A sketch is a manifest that is being completed from the rows of its run. The rows
// are read once: a run's end is to be quick.
type sketch struct {
	*manifest.Manifest
	// known says that the machine, or an earlier writer, has described the run.
	known      bool
	rows       *record.Export
	definition *pipeline.Definition // of the run, or nil
}

// complete adds what only the record knows.
func (s *sketch) complete(ctx context.Context, db *record.DB) error {
	for _, f := range []func() error{
		s.run, s.jobs, s.artifacts, func() error { return s.steps(ctx, db) }, func() error { return s.edges(ctx, db) },
	} {
		if err := f(); err != nil {
			return err
		}
	}
	var err error
	s.Record, err = json.Marshal(s.rows)
	return err
}

// A row gives the values of a row by column.
type row func(column string) any

// text is a column of text.
func (r row) text(column string) string { s, _ := r(column).(string); return s }

// time is a column of microseconds.
func (r row) time(column string) time.Time {
	us, _ := r(column).(int64)
	return time.UnixMicro(us).UTC()
}

// end is when something ended, or nil while it has not.
func (r row) end() *time.Time {
	if t := r.time("ended"); t.UnixMicro() != 0 {
		return &t
	}
	return nil
}

// each calls f for the rows of a table.
func (s *sketch) each(table string, f func(r row) error) error {
	return s.rows.Each(table, func(value func(string) any) error { return f(value) })
}

var fullCommit = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)

func (s *sketch) run() error {
	return s.each("runs", func(r row) error {
		if !s.known {
			if err := s.outline(r); err != nil {
				return err
			}
		}
		m := s.Manifest
		m.Status, m.Error, m.Cause, m.FailedStep = r.text("status"), r.text("error"), r.text("cause"), r.text("failed_step")
		m.Resumes, m.Partial, m.Isolation = r.text("resumes"), r.text("partial"), r.text("isolation")
		m.EndTime = r.end()
		if commit := r.text("commit_id"); fullCommit.MatchString(commit) {
			dirty := r("dirty") == int64(1)
			m.Commit, m.Dirty = commit, &dirty
		}
		return nil
	})
}

// outline makes the manifest of a run that nobody has described.
func (s *sketch) outline(r row) error {
	s.Manifest = &manifest.Manifest{
		Schema: manifest.Version, Pipeline: r.text("pipeline"), Run: r.text("id"), Execution: r.text("execution"), StartTime: r.time("started"),
		Environment: "local", Definition: r.text("definition"), Parameters: map[string]any{},
		Code: map[string]string{}, Images: map[string]string{}, Instances: map[string]string{}, Interfaces: map[string]string{},
		Steps: map[string]map[string]string{}, Artifacts: map[string]string{}, Metrics: map[string]map[string]any{},
		Models: map[string]*manifest.Registered{}, NotRegistered: map[string]string{},
	}
	if err := json.Unmarshal([]byte(r.text("parameters")), &s.Parameters); err != nil {
		return fmt.Errorf("read its parameters: %w", err)
	}
	if s.definition == nil {
		return nil
	}
	if sum := sha256.Sum256(s.definition.ASL); hex.EncodeToString(sum[:]) != s.Definition {
		return nil // another pipeline, or generated anew since
	}
	for i := range s.definition.Jobs {
		s.Instances[s.definition.Jobs[i].Name] = s.definition.Jobs[i].Instance
	}
	var machine struct {
		States map[string]struct {
			Assign struct {
				Manifest *struct {
					Definition string            `json:"definition"`
					Interfaces map[string]string `json:"interfaces"`
				} `json:"manifest"`
			}
		}
	}
	if err := json.Unmarshal(s.definition.ASL, &machine); err != nil {
		return nil // of other types: it was not generated
	}
	for _, state := range machine.States {
		if found := state.Assign.Manifest; found != nil && found.Interfaces != nil {
			s.Definition, s.Interfaces = found.Definition, found.Interfaces
		}
	}
	return nil
}

func (s *sketch) jobs() error {
	s.Packages = map[string][]string{}
	return s.each("jobs", func(r row) error {
		step := r.text("step")
		packages := []string{}
		if err := json.Unmarshal([]byte(r.text("packages")), &packages); err != nil {
			return fmt.Errorf("read the packages of step %s: %w", step, err)
		}
		s.Packages[step] = append([]string{}, packages...)
		if !s.known {
			s.Code[step], s.Images[step], s.Steps[step] = r.text("code"), r.text("image"), nil
		}
		return nil
	})
}

func (s *sketch) artifacts() error {
	s.Digests, s.Bytes = map[string]string{}, map[string]int64{}
	return s.each("artifacts", func(r row) error {
		if r.text("kind") == record.External {
			return nil
		}
		name := r.text("name")
		s.Digests[name] = r.text("digest")
		s.Bytes[name], _ = r("bytes").(int64)
		if !s.known && r.text("step") != "" {
			s.Artifacts[name] = r.text("uri")
		}
		return nil
	})
}

// steps adds when each step ran, and where nothing is known yet, what it gave.
func (s *sketch) steps(ctx context.Context, db *record.DB) error {
	s.Times, s.Cached = map[string]manifest.Time{}, map[string]string{}
	return s.each("steps", func(r row) (err error) {
		name, kind := r.text("name"), r.text("kind")
		if kind == callKind {
			return nil
		}
		s.Times[name] = manifest.Time{Start: r.time("started"), End: r.end()}
		if from, _ := r("cached_from").(int64); from != 0 {
			if s.Cached[name], err = db.RunOf(ctx, from); err != nil {
				return err
			}
		}
		if s.known || r.text("status") != string(pipeline.Succeeded) {
			return nil
		}
		if kind != registerKind {
			s.Steps[name] = map[string]string{"Job": r.text("job")}
			return nil
		}
		var answer manifest.Registered
		if err := json.Unmarshal([]byte(r.text("response")), &answer); err != nil {
			return fmt.Errorf("read the response of step %s: %w", name, err)
		}
		s.Models[name] = &answer
		return nil
	})
}

// edges adds what each step read and wrote, where nothing is known of it yet.
func (s *sketch) edges(ctx context.Context, db *record.DB) error {
	if s.known && s.Inputs != nil {
		return nil
	}
	edges, err := db.Edges(ctx, s.Run)
	if err != nil {
		return err
	}
	inputs := map[string]string{}
	for _, e := range edges {
		if e.Direction == "in" {
			inputs[e.Step+"."+e.Port] = e.Artifact.URI
		} else if made := s.Manifest.Steps[e.Step]; !s.known && made != nil {
			made[e.Port] = e.Artifact.URI
		}
	}
	if s.Inputs == nil {
		s.Inputs = inputs
	}
	return nil
}
