package pyenv

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mlmax/mlmax/pipeline/images"
)

// wheel writes a wheel (a zip, PEP 427) of a package with one module.
func wheel(t *testing.T, dir, name, version string) {
	t.Helper()
	wheelOf(t, dir, name, version, "version = '"+version+"'\n")
}

// wheelOf is wheel with the text of its module.
func wheelOf(t *testing.T, dir, name, version, module string) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, name+"-"+version+"-py3-none-any.whl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z := zip.NewWriter(f)
	info := name + "-" + version + ".dist-info/"
	for _, file := range [][2]string{
		{name + ".py", module},
		{info + "METADATA", "Metadata-Version: 2.1\nName: " + name + "\nVersion: " + version + "\n"},
		{info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"},
		{info + "RECORD", name + ".py,,\n" + info + "METADATA,,\n" + info + "WHEEL,,\n" + info + "RECORD,,\n"},
	} {
		w, err := z.Create(file[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(file[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
}

// interpreterHere is the machine's python3, without shims.
var interpreterHere = sync.OnceValues(func() (*interpreter, error) {
	path, err := exec.LookPath("python3")
	if err != nil {
		return nil, err
	}
	return ask(context.Background(), path, environment(os.Environ()))
})

// setup is a manager that sees nothing but a folder of wheels, and an image whose
// packages are those pinned.
func setup(t *testing.T, pins ...string) (*Manager, images.Image, string) {
	t.Helper()
	p, err := interpreterHere()
	if err != nil {
		t.Skipf("no python3 here: %v", err)
	}
	if p.Pip == "" || !p.Venv || pipVersion(p.Pip) < pipPython {
		t.Skipf("python3 here has no pip or venv that these tests can use: %+v", p)
	}
	wheels := t.TempDir()
	m := &Manager{
		Dir: filepath.Join(t.TempDir(), "the envs"),
		Environ: []string{
			Variable + "=" + p.Executable, "PATH=/usr/bin:/bin", "HOME=" + t.TempDir(), "PYTHONDONTWRITEBYTECODE=1",
			"PIP_CONFIG_FILE=" + os.DevNull, "PIP_NO_INDEX=1", "PIP_FIND_LINKS=" + wheels,
		},
	}
	img := images.Image{
		Framework: "fake", Version: "1", Python: p.Minor, Packages: pins, Pinned: []string{"alpha"}, Imports: []string{"alpha", "nothing_such"},
		Sets: []images.Set{{Python: p.Minor, Packages: pins}},
	}
	return m, img, wheels
}

// collect gathers progress messages.
func collect() (*[]string, func(string)) {
	all := &[]string{}
	return all, func(s string) { *all = append(*all, s) }
}

func TestEnsure(t *testing.T) {
	t.Parallel()
	m, img, wheels := setup(t, "alpha==1.0")
	wheel(t, wheels, "alpha", "1.0")
	messages, progress := collect()
	env, err := m.Ensure(t.Context(), img, "", progress)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"alpha==1.0"}, env.Packages); diff != "" {
		t.Error(diff)
	}
	if env.Version != img.Python || len(env.Digest) != 64 || env.Note != "" {
		t.Errorf("got %+v", env)
	}
	if len(*messages) < 2 || !strings.Contains(strings.Join(*messages, "\n"), "installing 1 packages for image fake:1") {
		t.Errorf("progress: %q", *messages)
	}
	out, err := exec.Command(env.Python, "-c", "import alpha, sys; print(alpha.version, sys.prefix)").CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "1.0 "+m.Dir) {
		t.Errorf("the environment's Python says %s, %v", out, err)
	}
	if code, err := filepath.Glob(filepath.Join(filepath.Dir(env.Python), "../lib/*/site-packages/__pycache__/alpha.*.pyc")); err != nil || len(code) != 1 {
		t.Errorf("byte code: %q, %v", code, err)
	}

	*messages = nil
	again, err := m.Ensure(t.Context(), img, "", progress)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(env, again); diff != "" || len(*messages) != 0 {
		t.Errorf("the second time: %s, progress %q", diff, *messages)
	}
}

func TestRequirements(t *testing.T) {
	t.Parallel()
	m, img, wheels := setup(t, "alpha==1.0")
	wheel(t, wheels, "alpha", "1.0")
	wheel(t, wheels, "be_ta", "2.0")
	wheel(t, wheels, "gamma", "3.0")
	dir := t.TempDir()
	file := filepath.Join(dir, "requirements.txt")
	for name, content := range map[string]string{"requirements.txt": "-r more.txt\nbe-ta==2.0\n", "more.txt": "gamma\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	env, err := m.Ensure(t.Context(), img, file, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"alpha==1.0", "be-ta==2.0", "gamma==3.0"}, env.Packages); diff != "" {
		t.Error(diff)
	}
	first, err := key(img, "/python", file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "more.txt"), []byte("gamma==3.0\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if second, err := key(img, "/python", file); err != nil || second == first {
		t.Errorf("a change in a file that the requirements name leads to %q again, %v", second, err)
	}
	if _, err := m.Ensure(t.Context(), img, filepath.Join(dir, "none.txt"), nil); err == nil {
		t.Error("requirements that are not there were accepted")
	}
}

// TestFailures: what cannot be installed is named, and leaves nothing behind.
func TestFailures(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		environ []string
		want    []string
	}{
		{"no such package", nil, []string{"no wheel could be installed", "alpha==9.9", "then run again"}},
		{"no network", []string{"PIP_NO_INDEX=0", "PIP_INDEX_URL=http://user:secret@127.0.0.1:9/simple", "PIP_DEFAULT_TIMEOUT=2"},
			[]string{"the package index cannot be reached", "alpha", "http://***@127.0.0.1:9/simple", "then run again"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m, img, wheels := setup(t, "alpha==9.9")
			wheel(t, wheels, "alpha", "1.0")
			m.Environ = append(m.Environ, c.environ...)
			_, err := m.Ensure(t.Context(), img, "", nil)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("no %q in: %v", want, err)
				}
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("a password in: %v", err)
			}
			if left, err := filepath.Glob(filepath.Join(m.Dir, "fake-*", "*")); err != nil || len(left) != 0 {
				t.Errorf("left behind: %q, %v", left, err)
			}
		})
	}
}

// TestHalfMade: what a killed run left is made anew.
func TestHalfMade(t *testing.T) {
	t.Parallel()
	m, img, wheels := setup(t, "alpha==1.0")
	wheel(t, wheels, "alpha", "1.0")
	name, err := key(img, environment(m.Environ).get(Variable), "")
	if err != nil {
		t.Fatal(err)
	}
	stale := filepath.Join(m.Dir, name, "lib", "stale")
	if err := os.MkdirAll(stale, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Ensure(t.Context(), img, "", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(stale); err == nil {
		t.Error("what was half made is still there")
	}
}

func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	m, img, wheels := setup(t, "alpha==1.0")
	wheel(t, wheels, "alpha", "1.0")
	var wait sync.WaitGroup
	var mu sync.Mutex
	made := 0
	for range 3 {
		wait.Go(func() {
			_, err := m.Ensure(t.Context(), img, "", func(s string) {
				mu.Lock()
				defer mu.Unlock()
				if strings.HasPrefix(s, "byte-compiling") {
					made++
				}
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if made != 1 {
		t.Errorf("it was made %d times", made)
	}
}

// TestPackagesGetNoCredentials: what an installed package does when it is imported, it does
// without the credentials that this program was started with.
func TestPackagesGetNoCredentials(t *testing.T) {
	t.Parallel()
	m, img, wheels := setup(t, "alpha==1.0")
	seen := filepath.Join(t.TempDir(), "seen")
	wheelOf(t, wheels, "alpha", "1.0", fmt.Sprintf("import os\nopen(%q, 'w').write(' '.join(sorted(os.environ)))\n", seen))
	m.Environ = append(m.Environ, "AWS_SECRET_ACCESS_KEY=secret", "AWS_SESSION_TOKEN=secret", "GITHUB_TOKEN=secret")
	if _, err := m.Ensure(t.Context(), img, "", nil); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(seen)
	if err != nil || strings.Contains(string(got), "AWS_") || strings.Contains(string(got), "TOKEN") || !strings.Contains(string(got), "PATH") {
		t.Errorf("it has %s, error %v", got, err)
	}
}

// TestUV: uv is told what pip is configured for, and its last words are passed on.
func TestUV(t *testing.T) {
	t.Parallel()
	m, img, _ := setup(t, "alpha==1.0")
	bin := t.TempDir()
	seen := filepath.Join(bin, "seen")
	script := fmt.Sprintf("#!/bin/sh\necho \"$*\" $UV_DEFAULT_INDEX $SSL_CERT_FILE >'%s'\necho 'error: something odd at https://me:hidden@host/' >&2\nexit 2\n", seen)
	if err := os.WriteFile(filepath.Join(bin, "uv"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	m.Environ = append(m.Environ, "PATH="+bin+":/usr/bin:/bin", "PIP_INDEX_URL=https://index/simple", "PIP_CERT=/ca.pem")
	_, err := m.Ensure(t.Context(), img, "", nil)
	if err == nil || !strings.Contains(err.Error(), "something odd at https://***@host/") || strings.Contains(err.Error(), "hidden") {
		t.Errorf("got %v", err)
	}
	got, err := os.ReadFile(seen)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"pip install", "--only-binary :all:", "--find-links", "--no-index", "alpha==1.0", "https://index/simple", "/ca.pem"} {
		if !strings.Contains(string(got), want) {
			t.Errorf("uv was not told %q: %s", want, got)
		}
	}
}

// TestCancel: the end of the context ends the installer and removes its work.
func TestCancel(t *testing.T) {
	t.Parallel()
	m, img, _ := setup(t, "alpha==1.0")
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "uv"), []byte("#!/bin/sh\nsleep 600 & wait\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	m.Environ = append(m.Environ, "PATH="+bin+":/usr/bin:/bin")
	ctx, cancel := context.WithCancel(t.Context())
	_, err := m.Ensure(ctx, img, "", func(s string) {
		if strings.HasPrefix(s, "installing") {
			cancel()
		}
	})
	if err == nil || !strings.Contains(err.Error(), context.Canceled.Error()) {
		t.Errorf("got %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(m.Dir, "fake-*", "*")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

// TestIndex installs from the package index that the machine is configured for,
// with uv.
func TestIndex(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it needs the network")
	}
	_, img, _ := setup(t, "six==1.17.0")
	m := &Manager{Dir: filepath.Join(t.TempDir(), "envs")}
	messages, progress := collect()
	env, err := m.Ensure(t.Context(), img, "", progress)
	if err != nil && errors.Is(err, ErrUnreachable) {
		t.Skipf("no package index here: %v", err)
	}
	if err != nil {
		t.Fatalf("%v\nprogress: %q", err, *messages)
	}
	if diff := cmp.Diff([]string{"six==1.17.0"}, env.Packages); diff != "" {
		t.Error(diff)
	}
}
