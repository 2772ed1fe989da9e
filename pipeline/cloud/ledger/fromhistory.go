package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"time"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/cloud"
	"github.com/mlmax/mlmax/pipeline/manifest"
	"github.com/mlmax/mlmax/pipeline/track"
)

// A Description is what Step Functions says of an execution besides its history.
type Description struct {
	// ARN is the execution's.
	ARN string
	// Status is the execution's; Error and Cause are empty where it has not failed.
	Status, Error, Cause string
	// Started and Ended are its times; Ended is zero while it goes on.
	Started, Ended time.Time
	// Definition is the text of the machine that the execution runs, with everything
	// filled in (DescribeStateMachineForExecution). Without it the committed machine is
	// taken for the one that ran, and of a step that did not begin neither code nor image
	// is known.
	Definition []byte
}

// runID is the form of a run's id.
var runID = regexp.MustCompile(`^[0-9a-f]{12}$`)

// RunID is how the machine names the run of an execution.
func RunID(execution string, started time.Time) string {
	sum := sha256.Sum256([]byte(execution + asl.Timestamp(started)))
	return hex.EncodeToString(sum[:])[:12]
}

// FromHistory makes the manifest of an execution that has written none, since it did not
// come to its last state: what that state would say by the values that the machine had,
// and how it ended. What a step that did not begin would have is left out.
func FromHistory(d *pipeline.Definition, p *cloud.Place, x Description, events []asl.HistoryEvent) (*manifest.Manifest, error) {
	s, err := read(events)
	if err != nil {
		return nil, err
	}
	text := x.Definition
	if text == nil {
		if text, err = s.filled(d, p); err != nil {
			return nil, err
		}
	}
	m, err := s.described(text, x)
	if err != nil {
		return nil, fmt.Errorf("describe the run of %s by its history: %w", x.ARN, err)
	}
	m.Run = s.run(x)
	s.requested(m)
	s.ended(m, x)
	encoded, err := m.Encode()
	if err != nil {
		return nil, err
	}
	// What is written is read as strictly as what others write.
	if m, err = manifest.Decode(encoded); err != nil {
		return nil, fmt.Errorf("describe the run of %s by its history: %w", x.ARN, err)
	}
	return m, nil
}

// run is the run's id: as the machine made it, as its jobs are tagged, or as the machine
// would have made it.
func (s *story) run(x Description) string {
	var id string
	if json.Unmarshal(s.variables["run"], &id) == nil && runID.MatchString(id) {
		return id
	}
	for _, t := range s.tries {
		r := t.request()
		if id := r.tag("mlmax:run"); runID.MatchString(id) {
			return id
		}
	}
	return RunID(x.ARN, x.Started)
}

// filled is the committed machine with what is known of the place, and of what jobs were
// started with.
func (s *story) filled(d *pipeline.Definition, p *cloud.Place) ([]byte, error) {
	known := map[string]string{"Account": p.Account, "Env": p.Environment, "Bucket": p.Bucket, "Prefix": p.Prefix, "Region": p.Region, "Partition": p.Partition}
	_, last := s.latest()
	for i := range d.Jobs {
		j := &d.Jobs[i]
		known[j.InstanceName] = p.Parameters[j.InstanceName]
		if t := last[j.Name]; t != nil {
			r := t.request()
			known[j.CodeName], known[j.ImageName], known[j.InstanceName] = r.code(), r.image(), r.instance()
		}
	}
	values := map[string]string{}
	for _, name := range asl.Unresolved(d.ASL) {
		if known[name] != "" || name == "Prefix" {
			values[name] = known[name]
		}
	}
	return asl.Substitute(d.ASL, values)
}

// requested is what jobs were really started with, whatever the machine's text says.
func (s *story) requested(m *manifest.Manifest) {
	_, last := s.latest()
	for step, t := range last {
		r := t.request()
		for _, one := range []struct {
			into  map[string]string
			value string
		}{{m.Code, r.code()}, {m.Images, r.image()}, {m.Instances, r.instance()}} {
			if _, is := m.Steps[step]; is && one.value != "" {
				one.into[step] = one.value
			}
		}
	}
}

// ended is how and when the run and its steps ended.
func (s *story) ended(m *manifest.Manifest, x Description) {
	m.Status, m.Error, m.Cause, m.FailedStep = x.Status, x.Error, track.Decoded(x.Cause), s.state
	if m.Status == "" {
		if m.Status = string(ending(s.last.Type)); m.Status == "" {
			m.Status = string(pipeline.Running)
		}
	}
	if m.Status == "PENDING_REDRIVE" {
		m.Status = string(pipeline.Failed) // what it is until the redrive begins
	}
	if m.Error == "" && m.Cause == "" {
		m.Error, m.Cause = s.error, track.Decoded(s.cause)
	}
	end := x.Ended
	if end.IsZero() && ending(s.last.Type) != "" {
		end = s.last.Timestamp
	}
	if !end.IsZero() {
		end = end.UTC()
		m.EndTime = &end
	}
	m.Times = map[string]manifest.Time{}
	_, last := s.latest()
	for step, t := range last {
		if t.Kind == callKind {
			continue
		}
		one := manifest.Time{Start: s.entered[step].UTC()}
		if one.Start.IsZero() {
			one.Start = t.Started.UTC()
		}
		over := s.exited[step]
		if over.IsZero() {
			over = t.Ended
		}
		if !over.IsZero() {
			over = over.UTC()
			one.End = &over
		}
		m.Times[step] = one
	}
}
