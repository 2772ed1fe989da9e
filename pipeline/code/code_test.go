package code

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
)

func folder() fstest.MapFS {
	return fstest.MapFS{
		"train.py":                  {Data: []byte("print(1)\n"), Mode: 0o644},
		"run.sh":                    {Data: []byte("#!/bin/sh\n"), Mode: 0o755},
		"lib/a.py":                  {Data: []byte("A = 1\n"), Mode: 0o600},
		"lib-b.py":                  {Data: nil, Mode: 0o644},
		".env":                      {Data: []byte("SECRET"), Mode: 0o644},
		".git/config":               {Data: []byte("x"), Mode: 0o644},
		"lib/__pycache__/a.cpy.pyc": {Data: []byte("x"), Mode: 0o644},
		"old.pyc":                   {Data: []byte("x"), Mode: 0o644},
	}
}

func digest(t *testing.T, fsys fs.FS) (string, []File) {
	t.Helper()
	d, files, err := Digest(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return d, files
}

func TestDigestListsFilesInOrder(t *testing.T) {
	t.Parallel()
	_, files := digest(t, folder())
	var got []string
	for _, f := range files {
		got = append(got, f.Mode().String()+" "+f.Path)
	}
	want := []string{"-rw-r--r-- lib-b.py", "-rw-r--r-- lib/a.py", "-rwxr-xr-x run.sh", "-rw-r--r-- train.py"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDigestDependsOnWhatRunsOnly(t *testing.T) {
	t.Parallel()
	base, _ := digest(t, folder())
	cases := []struct {
		name   string
		change func(fstest.MapFS)
		same   bool
	}{
		{"nothing", func(fstest.MapFS) {}, true},
		{"dot file", func(m fstest.MapFS) { m[".env"].Data = []byte("other") }, true},
		{"cache", func(m fstest.MapFS) { delete(m, "old.pyc") }, true},
		{"group bits", func(m fstest.MapFS) { m["train.py"].Mode = 0o664 }, true},
		{"content", func(m fstest.MapFS) { m["train.py"].Data = []byte("print(2)\n") }, false},
		{"executable", func(m fstest.MapFS) { m["train.py"].Mode = 0o755 }, false},
		{"name", func(m fstest.MapFS) { m["Train.py"] = m["train.py"]; delete(m, "train.py") }, false},
		{"new empty file", func(m fstest.MapFS) { m["x"] = &fstest.MapFile{Mode: 0o644} }, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := folder()
			c.change(m)
			if got, _ := digest(t, m); (got == base) != c.same {
				t.Errorf("digest %s, before %s; want the same: %v", got, base, c.same)
			}
		})
	}
}

func TestDigestOfKnownFolder(t *testing.T) {
	t.Parallel()
	// printf '%s 644 "a.py"\n' "$(printf 'x\n' | sha256sum | cut -c1-64)" | sha256sum
	const want = "f25e60755834e36728616730e4ec3c80070eaccf5d80dd0872bd0fb087154820"
	got, _ := digest(t, fstest.MapFS{"a.py": {Data: []byte("x\n"), Mode: 0o644}})
	if got != want {
		t.Errorf("digest is %s, want %s: a change of the format changes every code digest", got, want)
	}
}

func TestDigestRefusesLinks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "link.py")); err != nil {
		t.Fatal(err)
	}
	_, _, err := Digest(os.DirFS(dir))
	var bad *NotRegularError
	if !errors.As(err, &bad) || bad.Path != "link.py" {
		t.Fatalf("error is %v, want one about link.py", err)
	}
}

func TestArchiveIsDeterministic(t *testing.T) {
	t.Parallel()
	fsys := folder()
	_, files := digest(t, fsys)
	var one, two bytes.Buffer
	for _, w := range []*bytes.Buffer{&one, &two} {
		if err := Archive(w, fsys, files); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(one.Bytes(), two.Bytes()) {
		t.Fatal("two archives of one folder differ")
	}
	zip, err := gzip.NewReader(&one)
	if err != nil {
		t.Fatal(err)
	}
	archive := tar.NewReader(zip)
	got := map[string]string{}
	for {
		h, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		got[h.Name] = h.FileInfo().Mode().String() + " " + string(data)
	}
	want := map[string]string{
		"train.py": "-rw-r--r-- print(1)\n", "run.sh": "-rwxr-xr-x #!/bin/sh\n",
		"lib/a.py": "-rw-r--r-- A = 1\n", "lib-b.py": "-rw-r--r-- ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestArchiveRefusesChangedFile(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"print(2)\n", "print(10)\n", "p"} {
		fsys := folder()
		_, files := digest(t, fsys)
		fsys["train.py"].Data = []byte(text)
		err := Archive(io.Discard, fsys, files)
		var changed *ChangedError
		if !errors.As(err, &changed) || changed.Path != "train.py" {
			t.Errorf("train.py became %q: error is %v", text, err)
		}
	}
}

// TestArchiveOfKnownFolder holds the bytes: where it fails after the compressor was
// updated, archives of before stay valid, and the figure is to be renewed.
func TestArchiveOfKnownFolder(t *testing.T) {
	t.Parallel()
	const want = "b3186af9a0a6823cd7e114967da1b6ba62b910bc738c2a1d5be88d25829f59f4"
	fsys := os.DirFS(large(t))
	_, files := digest(t, fsys)
	sum := sha256.New()
	if err := Archive(sum, fsys, files); err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != want {
		t.Errorf("the archive's SHA-256 is %s, want %s", got, want)
	}
}

// TestArchiveDoesNotDependOnReads packs files that are read a byte at a time.
func TestArchiveDoesNotDependOnReads(t *testing.T) {
	t.Parallel()
	fsys := os.DirFS(large(t))
	_, files := digest(t, fsys)
	files = files[:40]
	var whole, slow bytes.Buffer
	if err := errors.Join(Archive(&whole, fsys, files), Archive(&slow, halting{fsys}, files)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(whole.Bytes(), slow.Bytes()) {
		t.Error("the archive depends on how its files are read")
	}
}

// halting is a file system whose files give a byte a read.
type halting struct{ fs.FS }

func (h halting) Open(name string) (fs.File, error) {
	f, err := h.FS.Open(name)
	return haltingFile{f}, err
}

type haltingFile struct{ fs.File }

func (f haltingFile) Read(p []byte) (int, error) { return f.File.Read(p[:min(1, len(p))]) }

func TestCheck(t *testing.T) {
	t.Parallel()
	fsys := folder()
	_, files := digest(t, fsys)
	var packed bytes.Buffer
	if err := Archive(&packed, fsys, files); err != nil {
		t.Fatal(err)
	}
	other := func(change func(*File)) []File {
		all := slices.Clone(files)
		change(&all[1])
		return all
	}
	cases := []struct {
		name   string
		packed []byte
		files  []File
		want   string
	}{
		{"the same", packed.Bytes(), files, ""},
		{"other content", packed.Bytes(), other(func(f *File) { f.SHA256 = files[0].SHA256 }), `holds another "lib/a.py"`},
		{"another mode", packed.Bytes(), other(func(f *File) { f.Executable = true }), `does not hold "lib/a.py" where it should`},
		{"another name", packed.Bytes(), other(func(f *File) { f.Path = "lib/b.py" }), `does not hold "lib/b.py" where it should`},
		{"more", packed.Bytes(), files[:3], "holds more than the code"},
		{"less", packed.Bytes(), append(slices.Clone(files), File{Path: "z"}), `does not hold "z" where it should`},
		{"cut off", packed.Bytes()[:packed.Len()/2], files, "read "},
		{"no archive", []byte("x"), files, "read the code archive"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := Check(bytes.NewReader(c.packed), c.files)
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want %q", err, c.want)
			}
		})
	}
}
