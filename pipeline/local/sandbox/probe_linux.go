package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// namespacesHere is nil: the kernel will say.
func namespacesHere() error { return nil }

// probeNote is the file whose existence says that namespaces work, or empty where
// there can be none.
func probeNote() string {
	cache, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	what := []string{strings.TrimSpace(string(boot)), fmt.Sprint(os.Geteuid())}
	// AppArmor may allow namespaces to one program and not to another; a container
	// has its own rules.
	for _, link := range []string{"exe", "ns/user", "ns/mnt"} {
		to, err := os.Readlink("/proc/self/" + link)
		if err != nil {
			return ""
		}
		what = append(what, to)
	}
	sum := sha256.Sum256([]byte(strings.Join(what, "\n")))
	return filepath.Join(cache, "mlmax", "namespaces-"+hex.EncodeToString(sum[:8]))
}

// check is what the helper does for a probe instead of running a job.
func (c *command) check() report {
	for _, path := range []string{"/file", "/tmp/file", checkInput + "/file", checkInput + "/code/file", checkOutput + "/file"} {
		if err := os.WriteFile(path, []byte("changed"), 0o644); err != nil {
			return report{Stage: stageMounts, Trouble: err.Error()}
		}
	}
	for _, path := range []string{"/proc/self/exe", "/dev/null"} {
		if _, err := os.Stat(path); err != nil {
			return report{Stage: stageMounts, Trouble: err.Error()}
		}
	}
	if _, err := os.Stat(checkInput + "/code/code"); !errors.Is(err, os.ErrNotExist) {
		return report{Stage: stageMounts, Trouble: "mounts do not lie in each other"}
	}
	return report{}
}

// kernelSetting names the setting that is likely to be why a plain user gets no
// namespaces, in parentheses, or is empty.
func kernelSetting(read func(string) ([]byte, error)) string {
	for _, s := range []struct{ file, bad string }{
		{"kernel/apparmor_restrict_unprivileged_userns", "1"}, // Ubuntu since 24.04
		{"kernel/unprivileged_userns_clone", "0"},             // Debian
		{"user/max_user_namespaces", "0"},
	} {
		if b, err := read("/proc/sys/" + s.file); err == nil && strings.TrimSpace(string(b)) == s.bad {
			return " (the kernel setting " + strings.ReplaceAll(s.file, "/", ".") + " is " + s.bad + ")"
		}
	}
	return ""
}
