package execution

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

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
		if values[q.Key], err = p.UploadData(ctx, *q, where, on); err != nil {
			return nil, err
		}
	}
	return json.Marshal(values)
}
