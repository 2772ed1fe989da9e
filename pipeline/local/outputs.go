package local

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/mlmax/mlmax/pipeline/local/objects"
	"github.com/mlmax/mlmax/pipeline/record"
)

// putOutput adds an output's folder to a batch, and says what artifact it is.
func (h *handler) putOutput(batch *objects.Batch, j *job, port, uri, target string) (record.Port, error) {
	bucket, prefix, err := objects.Parse(uri)
	if err != nil {
		return record.Port{}, err
	}
	prefix = strings.TrimSuffix(prefix, "/") + "/"
	before := len(batch.Objects())
	skipped, err := batch.PutTree(bucket, prefix, j.sandbox.HostPath(target))
	if err != nil {
		return record.Port{}, h.store.Explain(err, filesBytes(j.sandbox.HostPath(target)), fmt.Sprintf("saving output %q of step %s", port, j.task.State))
	}
	h.skipped(j, port, skipped)
	list := batch.Objects()[before:]
	a := record.Artifact{
		Step: j.task.State, Name: j.task.State + "." + port, Kind: record.Output,
		URI: "s3://" + bucket + "/" + prefix, Digest: objects.TreeDigest(list, prefix),
	}
	for _, o := range list {
		a.Bytes += o.Bytes
		if o.Key == prefix+h.fileName(j.task.State, port) {
			// An artifact that is a file is known by that file.
			a.URI, a.Digest, a.Bytes = "s3://"+bucket+"/"+o.Key, "sha256:"+o.Digest, o.Bytes
			break
		}
	}
	return record.Port{Name: port, Artifact: a}, nil
}

// skipped tells of what SageMaker would not have uploaded either.
func (h *handler) skipped(j *job, port string, names []string) {
	if len(names) == 0 {
		return
	}
	more := ""
	if len(names) > 1 {
		more = fmt.Sprintf(" and %d more", len(names)-1)
	}
	h.warn(j.task.State, fmt.Sprintf("output %q of step %s holds %q%s, which is not a file: as on AWS, it was not saved", port, j.task.State, names[0], more))
}

// missing says which declared output a job that exited 0 did not write, or "".
func (h *handler) missing(j *job) string {
	for _, out := range h.declared(j.task.State) {
		target, name := "", ""
		for _, o := range j.outputs {
			if o.port == out.Name {
				target = o.target
			}
		}
		if target == "" {
			continue // this pipeline does not ask for it
		}
		host := j.sandbox.HostPath(target)
		if out.FileName != "" && !out.Model {
			host, name = filepath.Join(host, out.FileName), path.Join(target, out.FileName)
			info, err := os.Lstat(host)
			switch {
			case err != nil:
				return fmt.Sprintf("step %s exited 0 but did not write output %q (expected %s)", j.task.State, out.Name, name)
			case !info.Mode().IsRegular():
				return fmt.Sprintf("step %s exited 0 but output %q is not a file (expected %s)", j.task.State, out.Name, name)
			}
			continue
		}
		if !holdsFile(host) {
			return fmt.Sprintf("step %s exited 0 but did not write output %q (expected files in %s)", j.task.State, out.Name, target)
		}
	}
	return ""
}

// filesBytes is how many bytes the regular files below a folder have.
func filesBytes(dir string) (total int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // what cannot be read is not counted
		}
		if info, err := d.Info(); err == nil {
			total += info.Size()
		}
		return nil
	})
	return total
}

// holdsFile says whether there is a regular file anywhere below a folder.
func holdsFile(dir string) bool {
	found := false
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			found = true
			return fs.SkipAll
		}
		return nil
	})
	return found
}

// note is the first kilobyte of a small file that a job left for the service, or
// "". The job may have put anything there: what is not a plain file is not read.
func note(file string) string {
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return ""
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	data, err := io.ReadAll(io.LimitReader(f, reasonLimit))
	if err != nil {
		return ""
	}
	for n := 0; n < utf8.UTFMax && len(data) > 0 && !utf8.Valid(data); n++ {
		data = data[:len(data)-1] // the limit may have cut a character
	}
	return strings.ToValidUTF8(string(data), "\uFFFD")
}
