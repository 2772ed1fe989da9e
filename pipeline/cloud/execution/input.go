package execution

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"errors"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/cloud"
)

// Input checks an execution's input and makes it one that AWS can read: data that is a
// path of this machine is uploaded under its digest, and its URI put in its place. URIs
// pass as they are. Progress goes to on, which may be nil.
func Input(ctx context.Context, p *cloud.Place, input json.RawMessage, on func(cloud.Progress)) (json.RawMessage, error) {
	text, err := canonical(input)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	values := map[string]any{}
	if err := d.Decode(&values); err != nil {
		return nil, fmt.Errorf("read the input: %w", err)
	}
	checked := map[string]any{}
	for key, value := range values {
		checked[key] = number(value)
	}
	if err := p.Definition.Check(checked); err != nil {
		return nil, err
	}
	for i := range p.Definition.Parameters {
		q := &p.Definition.Parameters[i]
		where, given := values[q.Key].(string)
		if !q.Location || !given || strings.HasPrefix(where, "s3://") {
			continue
		}
		if err := fits(q, where); err != nil {
			return nil, err
		}
		if values[q.Key], err = p.UploadData(ctx, where, on); err != nil {
			return nil, fmt.Errorf("data for %q: %w", q.Key, err)
		}
	}
	return json.Marshal(values)
}

// fits says what is wrong with data of this machine, or returns nil.
func fits(q *pipeline.Parameter, where string) error {
	hint := "\n\thint: give another place with --" + q.Flag
	info, err := os.Stat(where)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("data for %q is missing: %s does not exist%s", q.Key, where, hint)
	case err != nil:
		return fmt.Errorf("data for %q cannot be read: %w%s", q.Key, err, hint)
	case q.File && info.IsDir():
		return fmt.Errorf("data for %q is one file, but %s is a directory%s", q.Key, where, hint)
	case q.File && !info.Mode().IsRegular():
		return fmt.Errorf("data for %q is one file, but %s is not a regular file%s", q.Key, where, hint)
	case !q.File && !info.IsDir():
		return fmt.Errorf("data for %q is a folder, but %s is a file%s", q.Key, where, hint)
	}
	return nil
}
