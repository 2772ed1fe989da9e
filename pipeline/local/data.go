package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/dataset"
	"github.com/mlmax/mlmax/pipeline/local/objects"
	"github.com/mlmax/mlmax/pipeline/record"
)

// inputs are what a run starts from.
type inputs struct {
	// machine is the machine's input, shown the input over the defaults.
	machine json.RawMessage
	shown   map[string]any
	data    []record.Artifact
}

// resolve checks an execution input, and brings the data that it names into the
// local S3.
func (r *run) resolve(ctx context.Context, input json.RawMessage) (*inputs, error) {
	given, raw, err := values(input)
	if err != nil {
		return nil, err
	}
	if err := r.definition.Check(given); err != nil {
		return nil, err
	}
	in := &inputs{shown: given}
	for i := range r.definition.Parameters {
		p := &r.definition.Parameters[i]
		value, ok := given[p.Key]
		if !p.Location {
			if !ok && p.Default != nil {
				in.shown[p.Key] = p.Default
			}
			continue
		}
		where := r.whereIs(p, value)
		artifact, err := r.importData(ctx, p, where)
		if err != nil {
			return nil, err
		}
		in.data = append(in.data, *artifact)
		in.shown[p.Key] = artifact.URI
		if raw[p.Key], err = json.Marshal(artifact.URI); err != nil {
			return nil, err
		}
	}
	in.machine, err = json.Marshal(raw)
	return in, err
}

// values reads an execution input: each value as Go and as it is written.
func values(input json.RawMessage) (map[string]any, map[string]json.RawMessage, error) {
	raw := map[string]json.RawMessage{}
	if len(input) > 0 {
		if err := json.Unmarshal(input, &raw); err != nil {
			return nil, nil, fmt.Errorf("the input is not a JSON object: %w", err)
		}
	}
	given := make(map[string]any, len(raw))
	for _, key := range sortedKeys(raw) {
		var n json.Number
		if err := json.Unmarshal(raw[key], &n); err == nil && raw[key][0] != '"' {
			if i, err := n.Int64(); err == nil {
				given[key] = i
			} else if f, err := n.Float64(); err == nil {
				given[key] = f
			} else {
				return nil, nil, fmt.Errorf("parameter %q is %s, which is out of range", key, n)
			}
			continue
		}
		var v any
		if err := json.Unmarshal(raw[key], &v); err != nil {
			return nil, nil, fmt.Errorf("parameter %q: %w", key, err)
		}
		given[key] = v
	}
	return given, raw, nil
}

// whereIs is where the data of a parameter is: what was given, else the file or
// folder of the spec, else the key that AWS would take.
func (r *run) whereIs(p *pipeline.Parameter, value any) string {
	if s, ok := value.(string); ok {
		return s
	}
	if p.Local != "" {
		return filepath.Join(r.module, filepath.FromSlash(p.Local))
	}
	key, _ := p.Default.(string)
	return "s3://" + bucket + "/" + key
}

// importData makes data an object, or a folder of objects, of the local S3, under
// its digest, so that the same data has the same URI in every run.
func (r *run) importData(ctx context.Context, p *pipeline.Parameter, where string) (*record.Artifact, error) {
	hint := fmt.Sprintf("give another place with --%s", p.Flag)
	artifact := &record.Artifact{Name: p.Key, Kind: record.Data}
	if strings.HasPrefix(where, "s3://") {
		source, err := r.store.Materialise(ctx, where)
		if errors.Is(err, record.ErrNotFound) {
			return nil, fmt.Errorf("data for %q: %s is not in the local store; %s", p.Key, where, hint)
		}
		if err != nil {
			return nil, fmt.Errorf("data for %q: %w; %s", p.Key, err, hint)
		}
		artifact.URI, artifact.Digest, artifact.Bytes = where, source.Digest, source.Bytes
		return artifact, nil
	}
	absolute, found, err := dataset.Find(p, where)
	if err != nil {
		return nil, err
	}
	files, size := undigested(found), dataset.Size(found)
	if err := r.putData(ctx, artifact, absolute, files, size); err != nil {
		return nil, r.store.Explain(err, size, fmt.Sprintf("importing data for %q from %s", p.Key, absolute))
	}
	return artifact, nil
}

// dataFile is one file of data, with the digest of its content once it is known.
type dataFile struct {
	dataset.File
	digest string
}

// undigested are files whose content has not been read.
func undigested(found []dataset.File) []dataFile {
	files := make([]dataFile, len(found))
	for i, f := range found {
		files[i].File = f
	}
	return files
}

// putData copies files into the store, unless it has them.
func (r *run) putData(ctx context.Context, a *record.Artifact, root string, files []dataFile, size int64) error {
	batch := r.store.Batch()
	defer batch.Discard()
	anew, err := r.surelyNew(ctx, files, size)
	if err != nil {
		return err
	}
	var staged []*objects.Staged
	if anew {
		staged, err = stageData(ctx, batch, files)
	} else {
		err = digestData(files)
	}
	if err != nil {
		return err
	}
	if anew {
		size = 0
		for _, s := range staged {
			size += s.Bytes // not what it had when it was looked at
		}
	}
	prefix := nameData(a, root, files, size)
	if !anew {
		if source, err := r.store.Materialise(ctx, a.URI); err == nil && source.Digest == a.Digest {
			return nil
		}
		before := files
		files = append([]dataFile(nil), files...)
		if staged, err = stageData(ctx, batch, files); err != nil {
			return err
		}
		for i := range files {
			if files[i].digest != before[i].digest {
				return fmt.Errorf("%s changed while it was read", files[i].Path)
			}
		}
	}
	for i := range files {
		if err := batch.PutStaged(bucket, path.Join(prefix, files[i].Name), staged[i]); err != nil {
			return err
		}
	}
	return batch.Commit(ctx, r.db.PutObjects)
}

// large is the size from which data is not read once more only to know whether the
// store has it.
const large = 16 << 20

// surelyNew says that the store cannot have the data: it has none of such a size.
func (r *run) surelyNew(ctx context.Context, files []dataFile, size int64) (bool, error) {
	if size < large {
		return false, nil
	}
	stored, err := r.store.List(ctx, bucket, "data/")
	if err != nil {
		return false, err
	}
	sizes := map[int64]bool{}
	for _, o := range stored {
		sizes[o.Bytes] = true
	}
	for _, f := range files {
		if !sizes[f.Size] {
			return true, nil
		}
	}
	return false, nil
}

// digestData digests files where they are.
func digestData(files []dataFile) (err error) {
	for i := range files {
		if files[i].digest, err = objects.Digest(files[i].Path); err != nil {
			return err
		}
	}
	return nil
}

// stageData copies files into the store's temporary folder, and notes the digests of
// the copies.
func stageData(ctx context.Context, batch *objects.Batch, files []dataFile) ([]*objects.Staged, error) {
	all := make([]*objects.Staged, len(files))
	for i := range files {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		in, err := os.Open(files[i].Path)
		if err != nil {
			return nil, err
		}
		all[i], err = batch.Stage(in)
		in.Close()
		if err != nil {
			return nil, err
		}
		files[i].digest = all[i].Digest
	}
	return all, nil
}

// nameData gives data the URI and digest that its content asks for, and returns the key
// that its files lie below.
func nameData(a *record.Artifact, root string, files []dataFile, size int64) (prefix string) {
	list := make([]record.Object, len(files))
	for i, f := range files {
		list[i] = record.Object{Key: f.Name, Digest: f.digest}
	}
	folder := len(files) != 1 || files[0].Path != root
	a.Bytes = size
	a.Digest = objects.TreeDigest(list, "")
	if !folder {
		a.Digest = "sha256:" + files[0].digest
	}
	prefix = path.Join("data", strings.TrimPrefix(a.Digest, "sha256:"))
	if folder {
		prefix = path.Join(prefix, filepath.Base(root))
		a.URI = "s3://" + bucket + "/" + prefix + "/"
	} else {
		a.URI = "s3://" + bucket + "/" + path.Join(prefix, files[0].Name)
	}
	return prefix
}
