package sandbox

import (
	"os"
	"strings"
	"testing"
)

func TestKernelSetting(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, file, content, want string }{
		{"Ubuntu", "kernel/apparmor_restrict_unprivileged_userns", "1\n", "kernel.apparmor_restrict_unprivileged_userns is 1"},
		{"none allowed", "user/max_user_namespaces", "0\n", "user.max_user_namespaces is 0"},
		{"fine", "user/max_user_namespaces", "127000\n", ""},
	} {
		got := kernelSetting(func(path string) ([]byte, error) {
			if path == "/proc/sys/"+c.file {
				return []byte(c.content), nil
			}
			return nil, os.ErrNotExist
		})
		if !strings.Contains(got, c.want) || (c.want == "") != (got == "") {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}

// TestProbeNoted: the second program of a kind does not probe again.
func TestProbeNoted(t *testing.T) {
	if err := Probe(t.Context()); err != nil {
		t.Skipf("no namespaces here: %v", err)
	}
	note := probeNote()
	if note == "" {
		t.Skip("there is no cache folder here")
	}
	if _, err := os.Stat(note); err != nil {
		t.Error(err)
	}
}
