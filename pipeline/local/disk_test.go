//go:build linux

package local

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mlmax/mlmax/pipeline"
)

// mount mounts a tmpfs, or skips the test.
func mount(t *testing.T, dir string, flags uintptr, options string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", flags, options); err != nil {
		t.Skipf("cannot mount a tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

// readOnly makes a folder that cannot be written: for root by a mount.
func readOnly(t *testing.T, dir string) {
	t.Helper()
	if os.Geteuid() == 0 {
		mount(t, dir, unix.MS_RDONLY, "")
	} else if err := os.Mkdir(dir, 0o555); err != nil {
		t.Fatal(err)
	}
}

func TestReadOnlyWorkspaceIsRefused(t *testing.T) {
	t.Parallel()
	for _, inside := range []string{"", "workspace"} {
		p := training(t, "direct")
		dir := filepath.Join(t.TempDir(), "read-only")
		readOnly(t, dir)
		p.options.Workspace = filepath.Join(dir, inside)
		_, err := p.run(t.Context(), `{}`)
		if err == nil {
			t.Fatal("it ran")
		}
		matches(t, "the error", err.Error(), `^workspace .*/read-only.* cannot be written \(.*(read-only file system|permission denied)\); use --workspace with a folder that can$`)
	}
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, file, script, step, cause string }{
		{"while a step writes", "preprocess/preprocess.sh", "while [ $# -gt 0 ]; do [ $1 = --train ] && train=$2; shift; done\nhead -c 50000000 /dev/zero > \"$train/x\"\n", "Preprocess",
			`; the disk of the workspace is full$|^no space left on .*/full \(.* free\) while writing the log of step Preprocess; earlier steps are kept\. Free space, then: go run .* resume [0-9a-f]{12}$`},
		{"while its output is saved", "train/train.sh", "#!/bin/sh\nhead -c 12000000 /dev/urandom > \"$SM_MODEL_DIR/weights\"\n", "Train",
			`^no space left on .*/full \(.* free, 12 MB needed\) while saving output "Model" of step Train; earlier steps are kept\. Free space, then: go run .* resume [0-9a-f]{12}$`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			modes(t, func(t *testing.T, isolation string) {
				p := training(t, isolation)
				p.options.Workspace = filepath.Join(t.TempDir(), "full")
				mount(t, p.options.Workspace, 0, "size=20m")
				p.write("steps/"+c.file, c.script, 0o755)
				o, err := p.run(t.Context(), `{}`)
				if o == nil {
					t.Fatal(err)
				}
				if o.Status != pipeline.Failed || o.FailedStep != c.step {
					t.Errorf("%s in %s: %s", o.Status, o.FailedStep, o.Cause)
				}
				matches(t, "the cause", o.Cause, c.cause)
				nothingOf(t, p, o.Run, c.step)
				p.write("steps/preprocess/preprocess.sh", preprocessScript, 0o644)
				p.write("steps/train/train.sh", trainScript, 0o755)
				p.succeed(`{}`)
			})
		})
	}
}
