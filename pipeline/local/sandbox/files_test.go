package sandbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestInputs: inputs and outputs lie in each other, inputs can be written without
// being changed, and outputs are found on the host.
func TestInputs(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, mode Mode) {
		src := filepath.Join(t.TempDir(), "a, strange: náme\\")
		write(t, filepath.Join(src, "raw", "data.csv"), "a,b\n", 0o444)
		write(t, filepath.Join(src, "raw", "deep", "er.csv"), "c\n", 0o444)
		write(t, filepath.Join(src, "code", "run.sh"), `
			set -eu
			in=$1 out=$2 one=$3
			cat "$in/data.csv" "$in/deep/er.csv" "$one/model.bin"
			test -d "$out" && test -d "$in/out"
			echo changed > "$in/data.csv"
			rm -r "$in/deep"
			echo new > "$in/new.csv"
			echo changed > "$one/model.bin"
			echo done > "$out/result.txt"
			echo nested > "$in/out/nested.txt"
		`, 0o644)
		file := write(t, filepath.Join(src, "objects", "0123"), "model\n", 0o444)
		j, log := shell(t, mode, "")
		j.Mounts = []Mount{
			{Target: "/opt/ml/processing/input/out", Kind: Output},
			{Target: "/opt/ml/processing/input/code", Kind: Input, Source: filepath.Join(src, "code")},
			{Target: "/opt/ml/processing/input", Kind: Input, Source: filepath.Join(src, "raw")},
			{Target: "/opt/ml/processing/input/model", Kind: Input, Source: file, Name: "model.bin"},
			{Target: "/opt/ml/processing/output/Result", Kind: Output},
		}
		in := "/opt/ml/processing/input"
		j.Argv = []string{"sh", in + "/code/run.sh", in, "/opt/ml/processing/output/Result", in + "/model"}
		mustOK(t, j, log)
		if diff := cmp.Diff("a,b\nc\nmodel\n", log.String()); diff != "" {
			t.Error(diff)
		}
		for path, want := range map[string]string{
			filepath.Join(src, "raw", "data.csv"):       "a,b\n",
			filepath.Join(src, "raw", "deep", "er.csv"): "c\n",
			file: "model\n",
			j.HostPath("/opt/ml/processing/output/Result/result.txt"):            "done\n",
			filepath.Join(j.HostPath("/opt/ml/processing/input/out/nested.txt")): "nested\n",
		} {
			if got := read(t, path); got != want {
				t.Errorf("%s holds %q, want %q", path, got, want)
			}
		}
		if _, err := os.Stat(filepath.Join(src, "raw", "new.csv")); err == nil {
			t.Error("a new file in an input reached its source")
		}
		if err := os.RemoveAll(j.Dir); err != nil {
			t.Errorf("the job's folder cannot be removed: %v", err)
		}
	})
}

// TestContainer: what a program sees of a container.
func TestContainer(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, mode Mode) {
		j, log := shell(t, mode, `
			echo relative > here.txt
			cat "$SM_INPUT_CONFIG_DIR/hyperparameters.json"
			echo secret > "$TMPDIR/private"
			ls -d "$SM_MODEL_DIR" >/dev/null
			umask; test "$(id -u)" -ge 0; test -c /dev/null
			read -r line || echo no input
			env | sed 's/=.*//' | sort | tr '\n' ' '
		`)
		j.Files = []File{{Path: "/opt/ml/input/config/hyperparameters.json", Content: []byte("{\"k\":\"v\"}\n")}}
		j.Mounts = []Mount{{Target: "/opt/ml/model", Kind: Output}}
		j.Env = append(j.Env, "SM_INPUT_CONFIG_DIR=/opt/ml/input/config", "SM_MODEL_DIR=/opt/ml/model", "TMPDIR=/tmp")
		mustOK(t, j, log)
		want := "{\"k\":\"v\"}\n0022\nno input\nPATH PWD SM_INPUT_CONFIG_DIR SM_MODEL_DIR TMPDIR "
		got := strings.ReplaceAll(strings.ReplaceAll(log.String(), "OLDPWD ", ""), "SHLVL ", "")
		got = strings.ReplaceAll(got, " _ ", " ")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if got := read(t, j.HostPath("/tmp/private")); got != "secret\n" {
			t.Errorf("the temporary folder holds %q", got)
		}
		if _, err := os.Stat("/tmp/private"); err == nil {
			t.Error("the host's /tmp was written")
		}
		if _, err := os.Stat("/here.txt"); err == nil {
			t.Error("the host's root was written")
		}
	})
}

// TestKeep: namespace mode hides the host's /tmp, but not what the job needs there.
func TestKeep(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, mode Mode) {
		env := t.TempDir()
		program := write(t, filepath.Join(env, "bin", "tool"), "#!/bin/sh\ncat \"${0%/bin/tool}/lib/data\" '"+env+"/lib/data'\n", 0o755)
		write(t, filepath.Join(env, "lib", "data"), "found\n", 0o644)
		other := t.TempDir()
		write(t, filepath.Join(other, "more"), "more\n", 0o644)
		j, log := shell(t, mode, "")
		j.Argv = []string{"/bin/sh", "-c", "'" + program + "'; cat '" + other + "/more'"}
		j.Keep = []string{env, other}
		mustOK(t, j, log)
		if log.String() != "found\nfound\nmore\n" {
			t.Errorf("log: %q", log)
		}
		for _, name := range []string{program, "tool"} {
			j, log = shell(t, mode, "")
			j.Argv = []string{name}
			j.Env = []string{"PATH=" + filepath.Join(env, "bin") + ":/usr/bin:/bin"}
			mustOK(t, j, log)
			if log.String() != "found\nfound\n" {
				t.Errorf("%s: log: %q", name, log)
			}
		}
	})
}

// TestRoot: only namespace mode has fixed paths, and it hides nothing of /opt.
func TestRoot(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, mode Mode) {
		j, log := shell(t, mode, `cat "/opt"/ml/input/data/train/x; ls /opt; cat nothing`)
		j.Argv = []string{"/bin/sh", "-c", "p=/opt; p=$p/ml/input/data/train/x; cat $p; touch $p.new; ls /opt; ls /proc/self >/dev/null || echo no proc; touch /rooted && echo rooted"}
		j.Mounts = []Mount{{Target: "/opt/ml/input/data/train", Kind: Input, Source: write(t, filepath.Join(t.TempDir(), "x"), "fixed\n", 0o644)}}
		if mode == Direct {
			j.Argv[2] = "p=/opt; p=$p/ml/input/data/train/x; echo reading \"'$p'\"; cat $p; exit 1"
			r := run(t, t.Context(), j, log)
			if r.OK() || !strings.Contains(r.Hint, "fixed path below /opt/ml") {
				t.Errorf("%s, hint %q\nlog: %s", r, r.Hint, log)
			}
			return
		}
		mustOK(t, j, log)
		var want strings.Builder
		want.WriteString("fixed\n")
		names := map[string]bool{"ml": true}
		entries, _ := os.ReadDir("/opt")
		for _, e := range entries {
			names[e.Name()] = true
		}
		lines := strings.Split(strings.TrimSuffix(log.String(), "\n"), "\n")
		if lines[0] != "fixed" || lines[len(lines)-1] != "rooted" || len(lines) != len(names)+2 {
			t.Errorf("log: %s\nwant fixed, the %d entries of /opt, rooted", log, len(names))
		}
		if _, err := os.Stat("/rooted"); err == nil {
			t.Error("the host's root was written")
		}
	})
}

func TestBadJobs(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, mode Mode) {
		for _, c := range []struct {
			name, want string
			change     func(j *Job)
		}{
			{"no program", "no program", func(j *Job) { j.Argv = nil }},
			{"relative folder", "absolute path", func(j *Job) { j.Dir = "x" }},
			{"mode", "unknown isolation", func(j *Job) { j.Mode = "jail" }},
			{"target outside", "not a clean path below /opt/ml", func(j *Job) { j.Mounts = []Mount{{Target: "/etc", Kind: Output}} }},
			{"target with dots", "not a clean path", func(j *Job) { j.Mounts = []Mount{{Target: "/opt/ml/../x", Kind: Output}} }},
			{"target base", "not a clean path", func(j *Job) { j.Mounts = []Mount{{Target: "/opt/ml", Kind: Output}} }},
			{"target prefix", "not a clean path", func(j *Job) { j.Mounts = []Mount{{Target: "/opt/mlx", Kind: Output}} }},
			{"same target", "two mounts", func(j *Job) {
				j.Mounts = []Mount{{Target: "/opt/ml/a", Kind: Output}, {Target: "/opt/ml/a", Kind: Output}}
			}},
			{"file name", "not a file's name", func(j *Job) { j.Mounts = []Mount{{Target: "/opt/ml/a", Source: "/etc/passwd", Name: "../x"}} }},
			{"file in mount", "lies in the mount", func(j *Job) {
				j.Mounts = []Mount{{Target: "/opt/ml/a", Kind: Output}}
				j.Files = []File{{Path: "/opt/ml/a/b"}}
			}},
			{"source", "no such file", func(j *Job) { j.Mounts = []Mount{{Target: "/opt/ml/a", Source: "/nowhere"}} }},
			{"NUL", "NUL", func(j *Job) { j.Env = []string{"A=\x00"} }},
			{"program unknown", `"nothing-like-it" is not in the PATH`, func(j *Job) { j.Argv = []string{"nothing-like-it"} }},
			{"program missing", "execute /nowhere/tool: no such file", func(j *Job) { j.Argv = []string{"/nowhere/tool"} }},
			{"work dir", "not a clean absolute path", func(j *Job) { j.WorkDir = "x/../y" }},
		} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				j, log := shell(t, mode, "true")
				c.change(j)
				r, err := Run(t.Context(), *j)
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("result %v, error %v, want one with %q\nlog: %s", r, err, c.want, log)
				}
			})
		}
	})
}

func TestRewrite(t *testing.T) {
	t.Parallel()
	j := &Job{Dir: "/job", Mode: Direct, WorkDir: "/opt/ml/code",
		Mounts: []Mount{{Target: "/opt/ml/processing/input/Raw"}, {Target: "/opt/ml/model", Kind: Output}},
		Files:  []File{{Path: "/opt/ml/input/config/x.json"}}}
	for _, c := range []struct{ name, in, want string }{
		{"equal", "/opt/ml/model", "/job/opt/ml/model"},
		{"below", "/opt/ml/processing/input/Raw/x.csv", "/job/opt/ml/processing/input/Raw/x.csv"},
		{"above", "/opt/ml/processing", "/job/opt/ml/processing"},
		{"trailing slash", "/opt/ml/model/", "/job/opt/ml/model/"},
		{"flag", "--raw=/opt/ml/processing/input/Raw", "--raw=/job/opt/ml/processing/input/Raw"},
		{"unknown", "/opt/ml/other", "/opt/ml/other"},
		{"sibling", "/opt/ml/models", "/opt/ml/models"},
		{"in text", "see /opt/ml/model", "see /opt/ml/model"},
		{"not a flag", "a=/opt/ml/model", "a=/opt/ml/model"},
		{"dots", "/opt/ml/model/../../etc", "/opt/ml/model/../../etc"},
		{"code", "/opt/ml/code/train.py", "/job/opt/ml/code/train.py"},
		{"config", "/opt/ml/input/config", "/job/opt/ml/input/config"},
	} {
		if got := j.rewriteArgument(c.in); got != c.want {
			t.Errorf("%s: %q became %q, want %q", c.name, c.in, got, c.want)
		}
	}
	for _, c := range []struct{ name, in, want string }{
		{"plain", "A=/opt/ml/model", "A=/job/opt/ml/model"},
		{"temp", "TMPDIR=/tmp", "TMPDIR=/job/tmp"},
		{"other /tmp", "A=/tmp", "A=/tmp"},
		{"json", `SM_TRAINING_ENV={"a":1.50,"b":["/opt/ml/model","<"]}`, `SM_TRAINING_ENV={"a":1.50,"b":["/job/opt/ml/model","<"]}`},
		{"json without paths", `SM_HPS={ "b": 1, "a":2}`, `SM_HPS={ "b": 1, "a":2}`},
		{"list", `SM_USER_ARGS=["--x=/opt/ml/model"]`, `SM_USER_ARGS=["--x=/job/opt/ml/model"]`},
		{"no json", `SM_X={/opt/ml/model`, `SM_X={/opt/ml/model`},
		{"others' json", `X={"a":"/opt/ml/model"}`, `X={"a":"/opt/ml/model"}`},
	} {
		if got := j.rewriteVariable(c.in); got != c.want {
			t.Errorf("%s: %q became %q, want %q", c.name, c.in, got, c.want)
		}
	}
}
