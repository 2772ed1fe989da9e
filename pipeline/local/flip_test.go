package local

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mlmax/mlmax/pipeline"
)

// flip changes one bit of a file of the local S3.
func flip(t *testing.T, file string) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)/2] ^= 1
	if err := errors.Join(os.Chmod(file, 0o644), os.WriteFile(file, content, 0o644)); err != nil {
		t.Fatal(err)
	}
}

// TestFlippedBitInWhatAVersionHas flips a bit in the transformer of an approved version:
// the commands that the error names lead to a version that inference can start from.
func TestFlippedBitInWhatAVersionHas(t *testing.T) {
	t.Parallel()
	train, infer := withInference(t, "direct")
	first := train.succeed(`{}`)
	train.decide(1, "Approved")
	found, err := filepath.Glob(filepath.Join(train.workspace(), "s3/local/runs/*", first.Run, "Preprocess/0-0/Transformer/parts/*"))
	if err != nil || len(found) == 0 {
		t.Fatalf("found %q, %v", found, err)
	}
	flip(t, found[0])
	_, err = infer.run(t.Context(), `{}`)
	if err == nil {
		t.Fatal("it ran")
	}
	matches(t, "the error", err.Error(), `is corrupt \(sha256 .*\); step Preprocess must run again: go run \./training resume `+first.Run+
		` --from Preprocess; then approve the version that it registers: go run \./inference models approve latest --by NAME --note TEXT$`)
	train.options.Reuse = Reuse{Resumes: first.Run, From: "Preprocess"}
	train.succeed(`{}`)
	train.decide(2, "Approved")
	infer.succeed(`{}`)
}

// TestFlippedBitsBetweenRuns flips a bit in everything that the next run would use:
// nothing of it is used, and what the work tree has is stored again.
func TestFlippedBitsBetweenRuns(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, pattern, warning string }{
		{"data", "data/*/census.csv", ""},
		{"code of a processing job", "code/*/preprocess.sh", `^Preprocess s3://local/code/.*preprocess\.sh is corrupt \(sha256 .*\); stored again from steps/preprocess$`},
		{"code of a training job", "code/*.tar.gz", `^Train s3://local/code/.*\.tar\.gz is corrupt \(sha256 .*\); stored again from steps/train$`},
		{"an artifact", "runs/*/*/Preprocess/0-0/Test/test.csv", `^Preprocess the outputs of run .* cannot be used: artifact test\.csv of run .* is corrupt .*; step Preprocess runs again$`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := training(t, "direct")
			want := digestsOf(p.succeed(`{}`))
			found, err := filepath.Glob(filepath.Join(p.workspace(), "s3/local", c.pattern))
			if err != nil || len(found) == 0 {
				t.Fatalf("found %q, %v", found, err)
			}
			for _, file := range found {
				flip(t, file)
			}
			if diff := cmp.Diff(want, digestsOf(p.succeed(`{}`))); diff != "" {
				t.Error(diff)
			}
			said := strings.Join(p.said(pipeline.Warned), "\n")
			matches(t, "the warnings", said, "(?m)"+c.warning)
			if c.warning == "" && said != "" {
				t.Errorf("it warned of %s", said)
			}
		})
	}
}

// digestsOf are the digests of a run's artifacts, by name.
func digestsOf(o *pipeline.Outcome) map[string]string {
	all := map[string]string{}
	for _, a := range o.Artifacts {
		all[a.Name] = a.Digest
	}
	return all
}
