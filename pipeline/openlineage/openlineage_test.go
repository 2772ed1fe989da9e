package openlineage_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/mlmax/mlmax/internal/censustest"
	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/openlineage"
	"github.com/mlmax/mlmax/pipeline/record"
)

// emit runs a module's pipeline with its events sent to a sink, and returns what
// closing the emitter says.
func emit(t *testing.T, m *censustest.Module, target, input string, watch func(pipeline.Event, context.CancelFunc)) (*pipeline.Outcome, error) {
	t.Helper()
	sink, err := openlineage.Open(target, "s3cret")
	if err != nil {
		t.Fatal(err)
	}
	e := openlineage.Start(m.Definition, sink, func(ctx context.Context) (openlineage.Facts, error) {
		db, err := record.Open(ctx, filepath.Join(m.Workspace(), "mlmax.db"))
		if err != nil {
			return nil, err
		}
		t.Cleanup(func() { db.Close() })
		return db, nil
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o := m.Run(ctx, input, func(event pipeline.Event) {
		e.Event(event)
		if watch != nil {
			watch(event, cancel)
		}
	})
	return o, e.Close(10 * time.Second)
}

// lines are events in short: type and job, and what they read and wrote.
func lines(events []map[string]any, run string) []string {
	var all []string
	for _, e := range events {
		names := func(list string) string {
			var all []string
			for _, d := range e[list].([]any) {
				name := d.(map[string]any)["name"].(string)
				name = strings.ReplaceAll(name, run, "RUN")
				if strings.HasPrefix(name, "data/") {
					name = "data/" + filepath.Base(name)
				}
				all = append(all, strings.TrimPrefix(name, "runs/census-training/"))
			}
			return strings.Join(all, " ")
		}
		line := fmt.Sprintf("%v %v", e["eventType"], e["job"].(map[string]any)["name"])
		if in := names("inputs"); in != "" {
			line += " < " + in
		}
		if out := names("outputs"); out != "" {
			line += " > " + out
		}
		all = append(all, line)
	}
	return all
}

// checkAll holds events to the specification: each one, and all together. Every run
// must start once, and end once.
func checkAll(t *testing.T, text []byte) []map[string]any {
	t.Helper()
	events := decode(t, text)
	schemas := loadPublished(t)
	state := map[string]string{}
	for i, e := range events {
		if err := checkStructure(e); err != nil {
			t.Errorf("event %d: %v", i, err)
		}
		if schemas != nil {
			v, err := jsonschema.UnmarshalJSON(bytes.NewReader(slices.Collect(bytes.Lines(text))[i]))
			if err != nil {
				t.Fatal(err)
			}
			if err := schemas.check(v); err != nil {
				t.Errorf("event %d: %v", i, err)
			}
		}
		id := e["run"].(map[string]any)["runId"].(string)
		kind := e["eventType"].(string)
		if (kind == "START") == (state[id] != "") || state[id] != "" && state[id] != "START" {
			t.Errorf("event %d: %s of a run that is %q", i, kind, state[id])
		}
		state[id] = kind
	}
	for id, last := range state {
		if last == "START" {
			t.Errorf("run %s has no end", id)
		}
	}
	return events
}

func TestEventsOfARun(t *testing.T) {
	t.Parallel()
	m := censustest.New(t)
	file := filepath.Join(t.TempDir(), "events.ndjson")
	o, err := emit(t, m, file, `{}`, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	events := checkAll(t, text)
	job := "Train/0-0/local-census-training-train-RUN-0-0/output/model.tar.gz"
	want := []string{
		"START census-training",
		"START census-training.Preprocess",
		"COMPLETE census-training.Preprocess < data/census.csv > RUN/Preprocess/0-0/Test RUN/Preprocess/0-0/Train RUN/Preprocess/0-0/Transformer",
		"START census-training.Train",
		"COMPLETE census-training.Train < RUN/Preprocess/0-0/Train > RUN/" + job,
		"START census-training.Evaluate",
		"COMPLETE census-training.Evaluate < RUN/" + job + " RUN/Preprocess/0-0/Test RUN/Preprocess/0-0/Transformer > RUN/Evaluate/0-0/Report/report.json",
		"START census-training.Register",
		"COMPLETE census-training.Register",
		"COMPLETE census-training < data/census.csv > RUN/Preprocess/0-0/Test RUN/Preprocess/0-0/Train RUN/Preprocess/0-0/Transformer RUN/" +
			job + " RUN/Evaluate/0-0/Report/report.json",
	}
	got := lines(events, o.Run)
	// A step that is being recorded may be known to its START, or not.
	for i := range got {
		if strings.HasPrefix(got[i], "START") {
			got[i], _, _ = strings.Cut(got[i], " <")
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	last := events[len(events)-1]["run"].(map[string]any)
	if last["runId"] != openlineage.RunUUID(o.Run) {
		t.Errorf("run id is %v", last["runId"])
	}
	parent := events[2]["run"].(map[string]any)["facets"].(map[string]any)["parent"].(map[string]any)["run"].(map[string]any)
	if parent["runId"] != last["runId"] {
		t.Errorf("parent is %v", parent)
	}
	version := events[2]["inputs"].([]any)[0].(map[string]any)["facets"].(map[string]any)["version"].(map[string]any)["datasetVersion"]
	if version != o.Artifacts[0].Digest {
		t.Errorf("version of the data is %v, not %s", version, o.Artifacts[0].Digest)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode: %v, %v", info.Mode(), err)
	}
	// A second run adds to the file.
	if _, err := emit(t, m, file, `{}`, nil); err != nil {
		t.Fatal(err)
	}
	more, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(more, text) || len(checkAll(t, more)) <= len(events) {
		t.Error("the second run did not add to the file")
	}
}

func TestEventsOfAFailedRun(t *testing.T) {
	t.Parallel()
	m := censustest.New(t)
	m.Write("specs/census/steps/train/train.sh", "#!/bin/sh\necho no luck >&2\nexit 3\n", 0o755)
	file := filepath.Join(t.TempDir(), "events.ndjson")
	if _, err := emit(t, m, file, `{}`, nil); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	events := checkAll(t, text)
	for i, want := range map[int]string{len(events) - 2: "FAIL census-training.Train", len(events) - 1: "FAIL census-training"} {
		e := events[i]
		if got := fmt.Sprint(e["eventType"], " ", e["job"].(map[string]any)["name"]); got != want {
			t.Errorf("event %d is %s, want %s", i, got, want)
		}
		why := e["run"].(map[string]any)["facets"].(map[string]any)["errorMessage"].(map[string]any)
		if !strings.Contains(fmt.Sprint(why["message"]), "exit code 3") {
			t.Errorf("event %d: %v", i, why)
		}
	}
}

func TestEventsOfAStoppedRun(t *testing.T) {
	t.Parallel()
	m := censustest.New(t)
	m.Write("specs/census/steps/train/train.sh", "#!/bin/sh\necho ready\nexec sleep 600\n", 0o755)
	file := filepath.Join(t.TempDir(), "events.ndjson")
	_, err := emit(t, m, file, `{}`, func(e pipeline.Event, stop context.CancelFunc) {
		if e.Kind == pipeline.StepLog && e.Message == "ready" {
			stop()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	events := checkAll(t, text)
	got := lines(events[len(events)-2:], "")
	if !strings.HasPrefix(got[0], "ABORT census-training.Train") || !strings.HasPrefix(got[1], "ABORT census-training ") {
		t.Errorf("the last events are %q", got)
	}
}

// TestRetriesAreRunsOfTheirOwn drives the translation with a step that is tried twice.
func TestRetriesAreRunsOfTheirOwn(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "events.ndjson")
	sink, err := openlineage.Open(file, "")
	if err != nil {
		t.Fatal(err)
	}
	e := openlineage.Start(&pipeline.Definition{Name: "p", Module: "census"}, sink, func(context.Context) (openlineage.Facts, error) { return nil, nil })
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for i, event := range []pipeline.Event{
		{Kind: pipeline.RunStarted}, {Kind: pipeline.StepStarted, Step: "A"}, {Kind: pipeline.StepRetried, Step: "A", Attempt: 1, Message: "busy"},
		{Kind: pipeline.StepSucceeded, Step: "A", Attempt: 1, Status: pipeline.Succeeded, Cached: true},
		{Kind: pipeline.StepFailed, Step: "Choose Model", Status: pipeline.Failed}, // no step that started
		{Kind: pipeline.StepSkipped, Step: "B"}, {Kind: pipeline.RunEnded, Status: pipeline.TimedOut, Message: "slow"},
	} {
		event.Run, event.Time = "0123456789ab", at.Add(time.Duration(i)*time.Second)
		e.Event(event)
	}
	if err := e.Close(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range checkAll(t, text) {
		got = append(got, fmt.Sprint(e["eventType"], " ", e["run"].(map[string]any)["runId"]))
	}
	run, first, second := openlineage.RunUUID("0123456789ab"), openlineage.StepUUID("0123456789ab", "A", 0), openlineage.StepUUID("0123456789ab", "A", 1)
	want := []string{"START " + run, "START " + first, "FAIL " + first, "START " + second, "COMPLETE " + second, "FAIL " + run}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(string(text), `"key":"cached","value":"true"`) {
		t.Error("the cached step has no tag")
	}
}

// TestUUIDs are what Python's uuid.uuid5 makes.
func TestUUIDs(t *testing.T) {
	t.Parallel()
	if got := openlineage.RunUUID("0123456789ab"); got != "57dc8675-08ce-5f87-afa3-babb2ab4b2ce" {
		t.Errorf("run: %s", got)
	}
	if got := openlineage.StepUUID("0123456789ab", "Train", 1); got != "5d8b82e0-ce14-5122-bc29-09b654584293" {
		t.Errorf("step: %s", got)
	}
}

func TestEndpoint(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var got bytes.Buffer
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost || r.URL.Path != "/api/v1/lineage" || r.Header.Get("Content-Type") != "application/json" ||
			r.Header.Get("Authorization") != "Bearer s3cret" {
			t.Errorf("%s %s %v, %v", r.Method, r.URL, r.Header, err)
		}
		mu.Lock()
		defer mu.Unlock()
		got.Write(append(body, '\n'))
		w.WriteHeader(http.StatusCreated)
	}))
	defer server.Close()
	if _, err := emit(t, censustest.New(t), server.URL, `{}`, nil); err != nil {
		t.Fatal(err)
	}
	if n := len(checkAll(t, got.Bytes())); n != 10 {
		t.Errorf("%d events", n)
	}
}

// TestEndpointsThatFail must not change the run, and the warning must say how many
// events were lost, why, and no secret.
func TestEndpointsThatFail(t *testing.T) {
	t.Parallel()
	answer := func(code int) *httptest.Server {
		return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
			w.WriteHeader(code)
		}))
	}
	refuses, moved := answer(http.StatusForbidden), answer(http.StatusTemporaryRedirect)
	defer refuses.Close()
	defer moved.Close()
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody.Close()
	for target, want := range map[string]string{
		refuses.URL:                                "10 of 10 OpenLineage events did not reach " + refuses.URL + "/api/v1/lineage: it answered 403 Forbidden; the run is not affected",
		moved.URL + "/x?token=s3cret":              "did not reach " + moved.URL + "/x: it answered 307 Temporary Redirect",
		"http://" + nobody.Addr().String() + "/ol": "connection refused",
	} {
		o, err := emit(t, censustest.New(t), target, `{}`, nil)
		if o.Status != pipeline.Succeeded {
			t.Errorf("%s: the run %s", target, o.Status)
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, want %s", target, err, want)
		}
	}
}

// TestSlowEndpointIsNotWaitedFor has one that answers only when the test is over.
func TestSlowEndpointIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	sink, err := openlineage.Open(server.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	e := openlineage.Start(&pipeline.Definition{Name: "p"}, sink, func(context.Context) (openlineage.Facts, error) { return nil, nil })
	for range 1000 {
		e.Event(pipeline.Event{Kind: pipeline.RunStarted, Run: "r"}) // would wait, if it did
	}
	err = e.Close(time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), "1000 of 1000 OpenLineage events did not reach") || !strings.Contains(err.Error(), "it took too long") {
		t.Errorf("error is %v", err)
	}
}

func TestTargetsThatAreRefused(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]string{
		"ftp://host/x":            "neither an http(s) URL nor a file",
		"file:///x":               "neither an http(s) URL nor a file",
		"https://":                "neither an http(s) URL nor a file",
		"https://me:s3cret@host/": "holds a user; give a key in the variable OPENLINEAGE_API_KEY instead",
		"http://a b:\x7fs3cret":   "is not a URL",
		"no/such/folder/x.ndjson": "open the file for OpenLineage events",
	} {
		_, err := openlineage.Open(target, "")
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, want %s", target, err, want)
		}
	}
}

// TestTypesWriteWhatTheyRead keeps the JSON of the types from losing a member.
func TestTypesWriteWhatTheyRead(t *testing.T) {
	t.Parallel()
	m := censustest.New(t)
	file := filepath.Join(t.TempDir(), "events.ndjson")
	if _, err := emit(t, m, file, `{}`, nil); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		var e openlineage.RunEvent
		d := json.NewDecoder(bytes.NewReader(line))
		d.DisallowUnknownFields()
		if err := d.Decode(&e); err != nil {
			t.Fatal(err)
		}
	}
}

// TestChecksSeeMistakes keeps the checks of this test honest.
func TestChecksSeeMistakes(t *testing.T) {
	t.Parallel()
	const good = `{"eventType":"START","eventTime":"2026-11-23T12:00:00Z","producer":"https://x/y","inputs":[],"outputs":[{"namespace":"s3://b","name":"k",
		"facets":{"version":{"_producer":"https://x/y","_schemaURL":"https://openlineage.io/spec/facets/1-0-1/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet","datasetVersion":"1"}}}],
		"schemaURL":"https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent","job":{"namespace":"n","name":"j"},"run":{"runId":"57dc8675-08ce-5f87-afa3-babb2ab4b2ce"}}`
	schemas := loadPublished(t)
	check := func(text string) (structure, published error) {
		var event map[string]any
		if err := json.Unmarshal([]byte(text), &event); err != nil {
			t.Fatal(err)
		}
		if schemas != nil {
			published = schemas.check(event)
		}
		return checkStructure(event), published
	}
	if structure, published := check(good); structure != nil || published != nil {
		t.Fatal(structure, published)
	}
	for _, change := range [][2]string{
		{"START", "BEGIN"}, {"T12:00", " 12:00"}, {`"https://x/y","inputs"`, `"x y","inputs"`}, {"57dc8675-", "57dc86"},
		{`"name":"j"`, `"title":"j"`}, {`"datasetVersion":"1"`, `"other":"1"`}, {`"_producer"`, `"producer"`},
	} {
		structure, published := check(strings.Replace(good, change[0], change[1], 1))
		if structure == nil || schemas != nil && published == nil {
			t.Errorf("%s: %v, %v", change[1], structure, published)
		}
	}
}
