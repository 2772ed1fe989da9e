package pyenv

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mlmax/mlmax/pipeline/images"
)

// TestInterpreters: each kind of Python that cannot be used has words of its own.
func TestInterpreters(t *testing.T) {
	t.Parallel()
	says := func(full, minor, pip string, venv, ensurepip bool) string {
		return fmt.Sprintf("echo '{\"Executable\":\"/fake/python3\",\"Full\":%q,\"Minor\":%q,\"Pip\":%q,\"Venv\":%v,\"EnsurePip\":%v}'", full, minor, pip, venv, ensurepip)
	}
	for _, c := range []struct {
		name, python string // a shell script that plays python3, or empty for none
		environ      []string
		want         []string
	}{
		{"missing", "", nil, []string{"python3 >= 3.9 not found (looked in MLMAX_PYTHON and PATH)", "install Python 3.9 or newer"}},
		{"asked for what is not there", "", []string{"MLMAX_PYTHON=/nowhere/python"}, []string{`MLMAX_PYTHON is "/nowhere/python", which is not a program`}},
		{"too old", says("3.8.18", "3.8", "23.0", true, true), nil, []string{"/fake/python3 is Python 3.8.18, too old for image sklearn:1.4-2, which needs 3.9 to 3.14", "MLMAX_PYTHON"}},
		{"too new", says("3.99.0", "3.99", "50.0", true, true), nil, []string{"newer than the packages known for image sklearn:1.4-2"}},
		{"Python 2", "echo 'Unknown option: -I' >&2; exit 2", nil, []string{"is Python 2"}},
		{"macOS's stub", "echo 'xcode-select: note: No developer tools were found' >&2; exit 1", nil, []string{"only macOS's stub", "xcode-select --install"}},
		{"Debian's without pip", says("3.11.2", "3.11", "", true, false), nil, []string{"neither pip nor ensurepip", "sudo apt install python3-venv"}},
		{"broken", "echo 'error while loading shared libraries' >&2; exit 127", nil, []string{"error while loading shared libraries", "set MLMAX_PYTHON"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			bin := t.TempDir()
			if c.python != "" {
				if err := os.WriteFile(filepath.Join(bin, "python3"), []byte("#!/bin/sh\n"+c.python+"\n"), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			img, _ := images.Lookup("sklearn:1.4-2")
			m := &Manager{Dir: t.TempDir(), Environ: append([]string{"PATH=" + bin}, c.environ...)}
			_, err := m.Ensure(t.Context(), img, "", nil)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("no %q in: %v", want, err)
				}
			}
		})
	}
}

// TestCandidates: the image's own version comes first, then python3, then the nearest.
func TestCandidates(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	bin, shims := filepath.Join(root, "bin"), filepath.Join(root, "shims")
	for _, dir := range []string{bin, shims} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	program := func(path string) {
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, version := range []string{"3", "3.8", "3.10", "3.11", "3.14"} {
		program(filepath.Join(bin, "python"+version))
	}
	// Of the shims, pyenv has one version chosen.
	for _, version := range []string{"3.7", "3.9"} {
		program(filepath.Join(shims, "python"+version))
	}
	if err := os.WriteFile(filepath.Join(root, "version"), []byte("3.9.18\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		image, python string
		environ       []string
		want          []string
	}{
		{"sklearn:1.4-2", "", nil, []string{"bin/python3.10", "bin/python3", "shims/python3.9", "bin/python3.11", "bin/python3.14"}},
		{"sklearn:0.20.0", "", nil, []string{"bin/python3", "bin/python3.8", "shims/python3.9", "bin/python3.10", "bin/python3.11", "bin/python3.14"}},
		{"sklearn:0.20.0", "", []string{"MLMAX_PYTHON=python3.11"}, []string{"bin/python3.11"}},
		{"sklearn:0.20.0", filepath.Join(bin, "python3.8"), []string{"MLMAX_PYTHON=python3.11"}, []string{"bin/python3.8"}},
	} {
		img, _ := images.Lookup(c.image)
		m := &Manager{Python: c.python}
		got, err := m.candidates(append(environment{"PATH=" + bin + ":" + shims}, c.environ...), img)
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			got[i], _ = filepath.Rel(root, got[i])
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s, %q, %q: %s", c.image, c.python, c.environ, diff)
		}
	}
}

// TestAsInstalled: an interpreter is used as it is, and what it has is known.
func TestAsInstalled(t *testing.T) {
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("needs python3")
	}
	venv := filepath.Join(t.TempDir(), "venv")
	if out, err := exec.CommandContext(t.Context(), python, "-m", "venv", "--without-pip", venv).CombinedOutput(); err != nil {
		t.Skipf("needs venv: %v: %s", err, out)
	}
	sites, err := filepath.Glob(filepath.Join(venv, "lib", "python3*", "site-packages"))
	if err != nil || len(sites) != 1 {
		t.Fatal(sites, err)
	}
	for _, name := range []string{"scikit_learn-0.20.4.dist-info", "Numpy-1.19.5-py3.7.egg-info", "no-metadata"} {
		if err := os.Mkdir(filepath.Join(sites[0], name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	img, _ := images.Lookup("sklearn:0.20.0")
	m := &Manager{Dir: t.TempDir(), Python: filepath.Join(venv, "bin", "python"), Installed: true}
	env, err := m.Ensure(t.Context(), img, "requirements.txt", nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"numpy==1.19.5", "scikit-learn==0.20.4"}, env.Packages); diff != "" {
		t.Error(diff)
	}
	if env.Python != filepath.Join(venv, "bin", "python") || env.Digest == "" {
		t.Errorf("%+v", env)
	}
	for _, want := range []string{"has, not with a set made for the image: ", "scikit-learn 0.20.4 instead of 0.20.0", "no pandas", "their requirements.txt was not installed"} {
		if !strings.Contains(env.Note, want) {
			t.Errorf("no %q in %s", want, env.Note)
		}
	}
	if entries, err := os.ReadDir(m.Dir); err != nil || len(entries) > 0 {
		t.Errorf("something was made: %v, %v", entries, err)
	}
}

func TestNote(t *testing.T) {
	t.Parallel()
	img, _ := images.Lookup("sklearn:1.4-2")
	for _, c := range []struct{ python, want string }{
		{"3.10", "image sklearn:1.4-2 itself leaves the versions of joblib, pandas, scipy open"},
		{"3.13", "steps of image sklearn:1.4-2 ran with Python 3.13 instead of 3.10, numpy 2.1.1 instead of 2.1.0, scikit-learn 1.5.2 instead of 1.4.2; image sklearn:1.4-2 itself leaves the versions of joblib, pandas, scipy open"},
	} {
		if got := note(img, c.python); got != c.want {
			t.Errorf("Python %s: %s", c.python, got)
		}
	}
}

func TestPipConfig(t *testing.T) {
	t.Parallel()
	got := parsePipConfig(`:env:.cert='/ca.pem'
:env:.find-links='/a /b'
global.cert='/other.pem'
global.index-url="https://o'host/simple"
install.index-url='https://install/simple'
global.extra-index-url='\nhttps://one/\nhttps://two/'
global.no-index='false'
global.trusted-host='h:8080'
download.index-url='https://no/'
nonsense
`)
	want := pipConfig{
		indexURL: "https://install/simple", cert: "/ca.pem", findLinks: []string{"/a", "/b"},
		extraIndexURLs: []string{"https://one/", "https://two/"}, trustedHosts: []string{"h:8080"},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(pipConfig{})); diff != "" {
		t.Error(diff)
	}
	flags, variables := got.uv(environment{"SSL_CERT_FILE=/mine.pem"})
	if diff := cmp.Diff([]string{"--find-links", "/a", "--find-links", "/b"}, flags); diff != "" {
		t.Error(diff)
	}
	wantVariables := []string{
		"UV_DEFAULT_INDEX=https://install/simple", "UV_EXTRA_INDEX_URL=https://one/ https://two/",
		"UV_INDEX_STRATEGY=unsafe-best-match", "UV_INSECURE_HOST=h:8080",
	}
	if diff := cmp.Diff(wantVariables, variables); diff != "" {
		t.Error(diff)
	}
}

func TestShim(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "version"), []byte("3.12.1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := shimTarget(filepath.Join(root, "bin", "python3")); got != "" {
		t.Errorf("what is no shim has a target: %q", got)
	}
	if got := shimTarget(filepath.Join(root, "shims", "python3")); got == "" {
		t.Error("a shim has no target")
	}
}
