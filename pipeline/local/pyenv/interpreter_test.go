package pyenv

import (
	"fmt"
	"os"
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
