package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// base is the container folder that holds everything of a job.
const base = "/opt/ml"

// check finds mistakes of the caller.
func (j *Job) check() error {
	switch {
	case j.Mode != Direct && j.Mode != Namespace:
		return fmt.Errorf("unknown isolation %q: it is %q or %q", j.Mode, Direct, Namespace)
	case !filepath.IsAbs(j.Dir):
		return errors.New("the job's folder must be an absolute path")
	case len(j.Argv) == 0 || j.Argv[0] == "":
		return errors.New("there is no program to run")
	case j.WorkDir != "" && (!path.IsAbs(j.WorkDir) || path.Clean(j.WorkDir) != j.WorkDir):
		return fmt.Errorf("the working directory %q is not a clean absolute path", j.WorkDir)
	}
	for _, s := range slices.Concat(j.Argv, j.Env) {
		if strings.ContainsRune(s, 0) {
			return fmt.Errorf("an argument or variable holds a NUL byte: %q", s)
		}
	}
	seen := map[string]bool{}
	for _, m := range j.Mounts {
		if err := checkContainerPath(m.Target); err != nil {
			return err
		}
		if seen[m.Target] {
			return fmt.Errorf("two mounts are at %s", m.Target)
		}
		seen[m.Target] = true
		if m.Name != "" && (m.Name != filepath.Base(m.Name) || m.Name == "..") {
			return fmt.Errorf("the name %q at %s is not a file's name", m.Name, m.Target)
		}
	}
	for _, f := range j.Files {
		if err := checkContainerPath(f.Path); err != nil {
			return err
		}
		for _, m := range j.Mounts {
			if below(f.Path, m.Target) {
				return fmt.Errorf("the file %s lies in the mount %s", f.Path, m.Target)
			}
		}
	}
	return nil
}

func checkContainerPath(p string) error {
	if path.Clean(p) != p || p == base || !below(p, base) {
		return fmt.Errorf("the container path %q is not a clean path below %s", p, base)
	}
	return nil
}

// HostPath is where a container path is found on the host while and after the
// job ran: in its folder, for what is below /opt/ml or /tmp, and in Direct mode for
// every path. In Namespace mode a path in an Input is that of the source, since
// what the job changed there is gone with it, and any other path is the host's own.
func (j *Job) HostPath(container string) string {
	p := path.Clean(container)
	if j.Mode == Direct {
		return j.own(p)
	}
	at, deepest := -1, 0
	for i, m := range j.Mounts {
		if below(p, m.Target) && len(m.Target) > deepest {
			at, deepest = i, len(m.Target)
		}
	}
	switch {
	case at >= 0 && j.Mounts[at].Kind == Output:
		return filepath.Join(j.outputDir(at), filepath.FromSlash(p[deepest:]))
	case at >= 0:
		rest := strings.TrimPrefix(p[deepest:], "/")
		if rest == j.Mounts[at].fileName() {
			if info, err := os.Stat(j.Mounts[at].Source); err == nil && !info.IsDir() {
				return j.Mounts[at].Source
			}
		}
		return filepath.Join(j.Mounts[at].Source, filepath.FromSlash(rest))
	case below(p, base), below(p, "/tmp"):
		return j.own(p)
	}
	return filepath.FromSlash(p)
}

func (m Mount) fileName() string {
	if m.Name != "" {
		return m.Name
	}
	return filepath.Base(m.Source)
}

// own is where a container path is in the job's folder: in Direct mode that is the
// root, in Namespace mode it has ml, for /opt/ml, and tmp.
func (j *Job) own(p string) string {
	if j.Mode == Namespace {
		p = strings.TrimPrefix(p, "/opt")
	}
	return filepath.Join(j.Dir, filepath.FromSlash(p))
}

// What else Namespace mode needs in a job's folder.
func (j *Job) outputDir(n int) string  { return filepath.Join(j.Dir, "output"+strconv.Itoa(n)) }
func (j *Job) layerLower(n int) string { return filepath.Join(j.Dir, "lower"+strconv.Itoa(n)) }
func (j *Job) layerUpper(n int) string { return filepath.Join(j.Dir, "upper"+strconv.Itoa(n)) }
func (j *Job) layerWork(n int) string  { return filepath.Join(j.Dir, "work"+strconv.Itoa(n)) }
func (j *Job) newRoot() string         { return filepath.Join(j.Dir, "newroot") }

func (j *Job) workDir() string {
	if j.WorkDir == "" {
		return "/"
	}
	return j.WorkDir
}

// below reports whether a clean slash path is equal to or below another.
func below(p, dir string) bool {
	rest, ok := strings.CutPrefix(p, dir)
	return ok && (rest == "" || rest[0] == '/' || dir == "/")
}

// known reports whether a text is a container path that exists in the job's
// folder: equal to or below a mount or the folder of a file, or above one.
func (j *Job) known(text string) bool {
	if !below(text, base) {
		return false
	}
	p := path.Clean(text)
	if !below(p, base) {
		return false
	}
	related := func(dir string) bool { return below(p, dir) || below(dir, p) }
	return slices.ContainsFunc(j.Mounts, func(m Mount) bool { return related(m.Target) }) ||
		slices.ContainsFunc(j.Files, func(f File) bool { return related(path.Dir(f.Path)) }) ||
		j.WorkDir != "" && related(j.WorkDir)
}

// rewrite makes a host path of a text that is a known container path, and leaves
// any other as it is.
func (j *Job) rewrite(text string) string {
	if !j.known(text) {
		return text
	}
	return j.Dir + text
}

// rewriteArgument also sees the path in --flag=/opt/ml/...
func (j *Job) rewriteArgument(arg string) string {
	if flag, value, ok := strings.Cut(arg, "="); ok && strings.HasPrefix(flag, "-") {
		return flag + "=" + j.rewrite(value)
	}
	return j.rewrite(arg)
}

// rewriteVariable also sees paths in the JSON of SageMaker's own variables
// (SM_TRAINING_ENV and others), and the folder for temporary files.
func (j *Job) rewriteVariable(variable string) string {
	name, value, _ := strings.Cut(variable, "=")
	switch {
	case name == "TMPDIR" || name == "TEMP" || name == "TMP":
		if below(value, "/tmp") {
			return name + "=" + j.Dir + value
		}
	case strings.HasPrefix(name, "SM_") && strings.HasPrefix(value, "{"), strings.HasPrefix(name, "SM_") && strings.HasPrefix(value, "["):
		return name + "=" + j.rewriteJSON(value)
	}
	return name + "=" + j.rewrite(value)
}

// rewriteJSON rewrites the strings in a JSON text. A text without container paths
// stays as it is, to the byte.
func (j *Job) rewriteJSON(text string) string {
	if !strings.Contains(text, base) {
		return text
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil || d.More() {
		return text
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if e.Encode(j.rewriteValue(v)) != nil {
		return text
	}
	return strings.TrimSuffix(out.String(), "\n")
}

func (j *Job) rewriteValue(v any) any {
	switch v := v.(type) {
	case string:
		return j.rewriteArgument(v) // SM_USER_ARGS holds arguments
	case []any:
		for i := range v {
			v[i] = j.rewriteValue(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = j.rewriteValue(v[k])
		}
	}
	return v
}
