package local

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mlmax/mlmax/pipeline/asl"
)

func TestHyperparametersBecomeFlagsAsInTheToolkit(t *testing.T) {
	t.Parallel()
	// The wanted texts are those of Python 3's str, repr and json.dumps.
	cases := []struct{ raw, arg, variable string }{
		{`1`, "1", "1"},
		{`1.0`, "1.0", "1.0"},
		{`"1.0"`, "1.0", "1.0"},
		{`1e-3`, "0.001", "0.001"},
		{`0.00001`, "1e-05", "1e-05"},
		{`1e16`, "1e+16", "1e+16"},
		{`123456789012345678901234567890`, "123456789012345678901234567890", "123456789012345678901234567890"},
		{`true`, "True", "true"},
		{`null`, "", ""},
		{`plain text`, "plain text", "plain text"},
		{`"é"`, "é", "é"},
		{`[1, "a", null, true, 0.50]`, `[1, 'a', None, True, 0.5]`, `[1,"a",null,true,0.5]`},
		{`["it's", "é", "😀"]`, `["it's", 'é', '😀']`, `["it's","\u00e9","\ud83d\ude00"]`},
		{`{"b": 1, "a": "x"}`, `a=x,b=1`, `{"a":"x","b":1}`},
		{`{"n": {"k": [1]}}`, `n={'k': [1]}`, `{"n":{"k":[1]}}`},
		{`NaN`, "nan", "NaN"},
		{`-0`, "0", "0"},
		{`-0.0`, "-0.0", "-0.0"},
		{`1 2`, "1 2", "1 2"},
	}
	for _, c := range cases {
		s := newScript(map[string]string{"key-x": c.raw, "sagemaker_program": `"train.py"`}, nil)
		if diff := cmp.Diff([]string{"--key-x", c.arg}, s.args()); diff != "" {
			t.Errorf("%s: %s", c.raw, diff)
		}
		set := s.variables("job", "arn", nil, resourceConfig("ml.m5.large"), nil)
		if got := set["SM_HP_KEY-X"]; got != c.variable {
			t.Errorf("%s: variable %q, want %q", c.raw, got, c.variable)
		}
	}
}

func TestScriptCommand(t *testing.T) {
	t.Parallel()
	hyper := map[string]string{
		"sagemaker_program": `"train.py"`, "sagemaker_submit_directory": `"s3://b/c.tar.gz"`, "sagemaker_extra": "1",
		"z": "9", "alpha": `"two words"`, "_tuning_objective_metric": "m",
	}
	s := newScript(hyper, nil)
	if diff := cmp.Diff([]string{"python3", "train.py", "--alpha", "two words", "-z", "9"}, s.argv()); diff != "" {
		t.Error(diff)
	}
	s = newScript(hyper, map[string]string{"SAGEMAKER_PROGRAM": "go.sh"})
	if diff := cmp.Diff([]string{"/bin/sh", "-c", "./go.sh --alpha 'two words' -z 9"}, s.argv()); diff != "" {
		t.Error(diff)
	}
	set := s.variables("job-1", "arn:aws:sagemaker:local:000000000000:training-job/job-1", []string{"train", "Test-x"}, resourceConfig("ml.m5.large"), map[string]any{})
	for name, want := range map[string]string{
		"SM_FRAMEWORK_PARAMS": `{"sagemaker_extra":1}`, "SM_MODULE_DIR": "s3://b/c.tar.gz", "SM_CHANNELS": `["Test-x","train"]`,
		"SM_CHANNEL_TEST-X": "/opt/ml/input/data/Test-x", "SM_USER_ARGS": `["--alpha","two words","-z","9"]`, "TRAINING_JOB_NAME": "job-1",
		"SM_CURRENT_INSTANCE_TYPE": "ml.m5.large", "SM_INSTANCE_GROUPS": `["homogeneousCluster"]`, "SM_FRAMEWORK_MODULE": "",
	} {
		if set[name] != want {
			t.Errorf("%s is %q, want %q", name, set[name], want)
		}
	}
	var training map[string]any
	if err := json.Unmarshal([]byte(set["SM_TRAINING_ENV"]), &training); err != nil {
		t.Fatal(err)
	}
	if training["master_hostname"] != "algo-1" || training["job_name"] != "job-1" {
		t.Errorf("SM_TRAINING_ENV: %v", training)
	}
}

func TestLogSplitsLines(t *testing.T) {
	t.Parallel()
	var lines []string
	file := filepath.Join(t.TempDir(), "log")
	w, err := newLog(file, func(line string) { lines = append(lines, line) })
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", lineLimit+10)
	for _, part := range []string{"one\ntw", "o\n\n", long, "y\n", "no end"} {
		if _, err := w.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.close(); err != nil {
		t.Fatal(err)
	}
	want := []string{"one", "two", "", long[:lineLimit] + "…", "no end"}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
	if w.last() != "no end" {
		t.Errorf("the last line is %q", w.last())
	}
	kept, err := os.ReadFile(file)
	if err != nil || string(kept) != "one\ntwo\n\n"+long+"y\nno end" {
		t.Errorf("kept %d bytes, %v", len(kept), err)
	}
}

func TestUnpackRefusesWhatLeadsOut(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		header tar.Header
		ok     bool
	}{
		{"file", tar.Header{Typeflag: tar.TypeReg, Name: "a/b.py", Mode: 0o4777, Size: 1}, true},
		{"folder", tar.Header{Typeflag: tar.TypeDir, Name: "a/", Mode: 0o755}, true},
		{"parent", tar.Header{Typeflag: tar.TypeReg, Name: "../x", Size: 1}, false},
		{"absolute", tar.Header{Typeflag: tar.TypeReg, Name: "/tmp/x", Size: 1}, false},
		{"symbolic link", tar.Header{Typeflag: tar.TypeSymlink, Name: "l", Linkname: "/etc"}, false},
		{"hard link", tar.Header{Typeflag: tar.TypeLink, Name: "l", Linkname: "a"}, false},
		{"device", tar.Header{Typeflag: tar.TypeChar, Name: "d"}, false},
		{"bomb", tar.Header{Typeflag: tar.TypeReg, Name: "big", Size: codeBytes + 1}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			w := tar.NewWriter(&b)
			if err := w.WriteHeader(&c.header); err != nil {
				t.Fatal(err)
			}
			if c.header.Size == 1 {
				if _, err := w.Write([]byte("x")); err != nil {
					t.Fatal(err)
				}
			}
			_ = w.Flush() // the bomb is not written
			dir := t.TempDir()
			root, err := os.OpenRoot(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer root.Close()
			err = unpack(root, tar.NewReader(bytes.NewReader(append(b.Bytes(), make([]byte, 1024)...))))
			if (err == nil) != c.ok {
				t.Fatalf("error is %v", err)
			}
			if c.name == "file" {
				info, err := os.Stat(filepath.Join(dir, "a/b.py"))
				if err != nil || info.Mode() != 0o755 {
					t.Errorf("mode %v, %v", info.Mode(), err)
				}
			}
		})
	}
}

func TestPackIsDeterministic(t *testing.T) {
	t.Parallel()
	var archives [][]byte
	for _, mode := range []os.FileMode{0o600, 0o644} {
		dir := t.TempDir()
		for _, err := range []error{
			os.WriteFile(filepath.Join(dir, "model.joblib"), []byte("weights"), mode),
			os.Mkdir(filepath.Join(dir, "extra"), 0o700),
			os.WriteFile(filepath.Join(dir, "extra", "columns.json"), []byte("[]"), mode),
			os.Symlink("/etc/passwd", filepath.Join(dir, "link")),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		var b bytes.Buffer
		files, skipped, err := pack(&b, dir)
		if err != nil || files != 2 || !slices.Equal(skipped, []string{"link"}) {
			t.Fatal(files, skipped, err)
		}
		archives = append(archives, b.Bytes())
	}
	if !bytes.Equal(archives[0], archives[1]) {
		t.Error("the same model gave different archives")
	}
}

func TestModelPackageLimits(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, request, cause string
		runtime              bool
	}{
		{"fits", `{"ModelPackageGroupName": "g", "CustomerMetadataProperties": {"k": "v 1_.:/=+-@"}}`, "", false},
		{"unknown member", `{"ModelPackageGroupName": "g", "tags": []}`, `The field "tags" is not supported`, true},
		{"brace in a key", `{"ModelPackageGroupName": "g", "CustomerMetadataProperties": {"k{}": "v"}}`, "regular expression", false},
		{"long key", `{"ModelPackageGroupName": "g", "CustomerMetadataProperties": {"` + strings.Repeat("k", 129) + `": "v"}}`, "less than or equal to 128", false},
		{"no metadata", `{"ModelPackageGroupName": "g", "CustomerMetadataProperties": {}}`, "length greater than or equal to 1", false},
		{"empty value", `{"ModelPackageGroupName": "g", "CustomerMetadataProperties": {"k": ""}}`, "length greater than or equal to 1", false},
		{"comma", `{"ModelPackageGroupName": "g", "CustomerMetadataProperties": {"k": "a,b"}}`, "regular expression", false},
		{"long value", `{"ModelPackageGroupName": "g", "CustomerMetadataProperties": {"k": "` + strings.Repeat("x", 257) + `"}}`, "less than or equal to 256", false},
		{"long token", `{"ModelPackageGroupName": "g", "ClientToken": "` + strings.Repeat("x", 37) + `"}`, "less than or equal to 36", false},
		{"status", `{"ModelPackageGroupName": "g", "ModelApprovalStatus": "Maybe"}`, "enum value set", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var target map[string]any
			err := decode(json.RawMessage(c.request), createModelPackageRequest, sdkRefused, &target)
			if c.cause == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var e *asl.Error
			if !errors.As(err, &e) || !strings.Contains(e.Cause, c.cause) || (e.Name == asl.ErrorRuntime) != c.runtime {
				t.Errorf("error is %v", err)
			}
		})
	}
}

func TestMetricsAreReadFromTheLog(t *testing.T) {
	t.Parallel()
	m, err := newMetrics([]metricDefinition{{"loss", `loss=([0-9.]+)`}, {"none", `none=(\d+)`}})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"epoch 1 loss=0.9", "epoch 2 loss=0.7", "loss=.", "done"} {
		m.line(line)
	}
	got := m.final(steady{}.Now())
	if len(got) != 1 || got[0]["MetricName"] != "loss" || got[0]["Value"] != float64(float32(0.7)) {
		t.Errorf("metrics: %v", got)
	}
	if _, err := newMetrics([]metricDefinition{{"bad", "("}}); err == nil {
		t.Error("a bad expression was taken")
	}
}

func TestEveryPatternCompiles(t *testing.T) {
	t.Parallel()
	var walk func(s shape)
	walk = func(s shape) {
		switch s := s.(type) {
		case structure:
			for _, m := range s {
				walk(m.shape)
			}
		case list:
			walk(s.of)
		case dict:
			walk(s.key)
			walk(s.value)
		case text:
			if s.pattern != nil {
				s.pattern()
			}
		}
	}
	for _, s := range []structure{
		processingRequest, trainingRequest, createModelPackageRequest, describeModelPackageRequest, listModelPackagesRequest, getObjectRequest, putObjectRequest,
	} {
		walk(s)
	}
}
