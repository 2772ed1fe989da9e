package emitasl_test

import (
	"strings"
	"testing"

	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/internal/plantest"
	"github.com/mlmax/mlmax/pipeline/asl"
)

// TestReadable runs the machine with data outside of the environment's prefix: what is
// in a readable place passes, and what only looks like it does not.
func TestReadable(t *testing.T) {
	t.Parallel()
	p := plantest.Example(t)
	p.Environments[0].Readable = []ir.Location{{Bucket: "lake", Prefix: "census/"}, {Bucket: "other"}}
	const own = "Data must be a file below s3://local/data/"
	for _, c := range []struct{ name, readable, data, cause string }{
		{"own", "s3://lake/census/", "s3://local/data/x.csv", ""},
		{"first", ",s3://lake/census/,s3://other/", "s3://lake/census/2026/x.csv", ""},
		{"second", ",s3://lake/census/,s3://other/", "s3://other/x.csv", ""},
		{"second alone", ",s3://other/", "s3://other/x.csv", ""},
		{"beside", ",s3://lake/census/", "s3://lake/census-2026/x.csv", own + " or s3://lake/census/, which the roles can read, got \"s3://lake/census-2026/x.csv\""},
		{"another bucket", ",s3://lake/census/,s3://other/", "s3://lake-2/census/x.csv", own + " or s3://lake/census/ or s3://other/, which the roles can read"},
		{"prefix of the one in the bucket of the other", ",s3://lake/a/,s3://other/b/", "s3://lake/b/x.csv", own},
		{"a folder", ",s3://lake/census/", "s3://lake/census/", own},
		{"none", "", "s3://lake/census/x.csv", own + ", which the roles can read, got \"s3://lake/census/x.csv\""},
		{"none, empty", "", "", own},
		{"only commas", ",,", "s3://lake/census/x.csv", own},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			values := place(p)
			values["Readable"] = c.readable
			s := &service{report: report}
			r := run(t, p, values, `{"Data": "`+c.data+`"}`, s)
			if c.cause == "" {
				result(t, r)
				inputs := s.requests["Preprocess"]["ProcessingInputs"].([]any)
				if got := inputs[1].(map[string]any)["S3Input"].(map[string]any)["S3Uri"]; got != c.data {
					t.Errorf("the step reads %v", got)
				}
				return
			}
			if r.Status != asl.Failed || r.State != "Bad parameters" || !strings.Contains(r.Err.Cause, c.cause) {
				t.Errorf("%s in %q: %v; want %q", r.Status, r.State, r.Err, c.cause)
			}
		})
	}
}

// TestScheduledTime runs the machine with what a schedule gives: it is checked, kept in
// the manifest, and refused where there is no schedule.
func TestScheduledTime(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, schedule, input, cause string }{
		{"given", "rate(1 day)", `{"ScheduledTime": "2026-01-02T03:04:05Z"}`, ""},
		{"fraction", "rate(1 day)", `{"ScheduledTime": "2026-01-02T03:04:05.678Z"}`, ""},
		{"by hand", "rate(1 day)", `{}`, ""},
		{"no time", "rate(1 day)", `{"ScheduledTime": "<aws.scheduler.scheduled-time>"}`, `ScheduledTime must be a time such as 2026-01-02T03:04:05Z, got "<aws.scheduler.scheduled-time>"`},
		{"no text", "rate(1 day)", `{"ScheduledTime": 7}`, "ScheduledTime must be a time such as 2026-01-02T03:04:05Z, got 7"},
		{"null", "rate(1 day)", `{"ScheduledTime": null}`, "ScheduledTime must be a time"},
		{"no schedule", "", `{"ScheduledTime": "2026-01-02T03:04:05Z"}`, "the keys must be parameters of census-training"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := plantest.Example(t)
			p.Schedule = c.schedule
			s := &service{report: report}
			r := run(t, p, place(p), c.input, s)
			if c.cause != "" {
				if r.Status != asl.Failed || r.State != "Bad parameters" || !strings.Contains(r.Err.Cause, c.cause) {
					t.Errorf("%s in %q: %v; want %q", r.Status, r.State, r.Err, c.cause)
				}
				return
			}
			result(t, r)
			kept, is := s.requests["Write manifest"]["Body"].(map[string]any)["parameters"].(map[string]any)["ScheduledTime"].(string)
			if given := strings.Contains(c.input, "ScheduledTime"); is != given || given && !strings.Contains(c.input, kept) {
				t.Errorf("the manifest has %q of %s", kept, c.input)
			}
		})
	}
}

// TestIsolation holds the network to be taken from processing jobs of one instance, and
// a spec to say otherwise.
func TestIsolation(t *testing.T) {
	t.Parallel()
	p := plantest.Example(t)
	s := &service{report: report}
	result(t, run(t, p, place(p), `{}`, s))
	for state, want := range map[string]bool{"Preprocess": true, "Train": false, "Evaluate": true} {
		request := s.requests[state]
		if network, is := request["NetworkConfig"].(map[string]any); is {
			request = network
		}
		if request["EnableNetworkIsolation"] != want || request["EnableInterContainerTrafficEncryption"] != true {
			t.Errorf("%s: isolation %v, encryption between containers %v", state, request["EnableNetworkIsolation"], request["EnableInterContainerTrafficEncryption"])
		}
	}
}

// TestVolumeKey holds the environment's key to be asked for the volumes of instances
// that take one, and for results in any case.
func TestVolumeKey(t *testing.T) {
	t.Parallel()
	const key = "arn:aws:kms:eu-west-1:000000000000:key/k"
	for instance, volume := range map[string]bool{
		"ml.m5.xlarge": true, "ml.c5.large": true, "ml.p3.2xlarge": true, "ml.trn1.2xlarge": true, "ml.r7i.large": true,
		"ml.m5d.xlarge": false, "ml.g4dn.xlarge": false, "ml.p4de.24xlarge": false, "ml.g5.xlarge": false, "ml.g6e.xlarge": false, "ml.p5.48xlarge": false,
	} {
		p := plantest.Example(t)
		values := place(p)
		values["KmsKey"], values["TrainInstance"], values["PreprocessInstance"] = key, instance, instance
		s := &service{report: report}
		result(t, run(t, p, values, `{}`, s))
		training := s.requests["Train"]
		processing := s.requests["Preprocess"]
		for what, resources := range map[string]any{
			"training": training["ResourceConfig"], "processing": processing["ProcessingResources"].(map[string]any)["ClusterConfig"],
		} {
			got, is := resources.(map[string]any)["VolumeKmsKeyId"]
			if is != volume || is && got != key {
				t.Errorf("%s on %s has volume key %v", what, instance, got)
			}
		}
		if training["OutputDataConfig"].(map[string]any)["KmsKeyId"] != key || processing["ProcessingOutputConfig"].(map[string]any)["KmsKeyId"] != key {
			t.Errorf("results on %s are not encrypted with the key", instance)
		}
	}
}
