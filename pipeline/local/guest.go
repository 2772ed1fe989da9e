package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/images"
	"github.com/mlmax/mlmax/pipeline/local/objects"
	"github.com/mlmax/mlmax/pipeline/record"
)

// guest is what a run knows of the call that it is made for.
type guest struct {
	JobCall
	// brought are the digests of the objects that came from the store, by URI.
	brought map[string]string
}

// place is where jobs say that they are.
type place struct{ region, account, partition string }

// jobARN is the ARN of a job.
func (r *run) jobARN(kind, name string) string {
	return "arn:" + r.place.partition + ":sagemaker:" + r.place.region + ":" + r.place.account + ":" + kind + "/" + name
}

// admit lets a job begin that is another's: it is accepted, its inputs are brought, and the
// Python of its image is there. The run's own jobs have all of that.
func (h *handler) admit(ctx context.Context, j *job) error {
	if h.guest == nil {
		return nil
	}
	if h.guest.Accept != nil {
		if err := h.guest.Accept(); err != nil {
			return err
		}
	}
	if err := h.fetch(ctx, j); err != nil {
		var refused *RefusedError
		if errors.As(err, &refused) {
			return h.failUnstarted(j, refused.Reason)
		}
		return err
	}
	return h.interpreter(ctx, j)
}

// fetch brings what a job reads into its workspace: its inputs, and the archive of its code
// where no input is that.
func (h *handler) fetch(ctx context.Context, j *job) error {
	batch := h.store.Batch()
	defer batch.Discard()
	get := func(bucket, key string) error {
		uri := "s3://" + bucket + "/" + key
		if _, there := h.guest.brought[uri]; there {
			return nil
		}
		content, err := h.guest.Store.Get(ctx, bucket, key)
		if err != nil {
			return err
		}
		if err := batch.Put(bucket, key, content); err != nil {
			return err
		}
		list := batch.Objects()
		h.guest.brought[uri] = list[len(list)-1].Digest
		return nil
	}
	code := strings.HasPrefix(j.code, "s3://")
	for _, in := range j.inputs {
		bucket, prefix, err := objects.Parse(in.uri)
		if err != nil {
			return &RefusedError{"ClientError: " + err.Error()}
		}
		keys, err := h.guest.Store.List(ctx, bucket, prefix)
		if err != nil {
			return err
		}
		for _, key := range keys {
			if strings.HasSuffix(key, "/") {
				continue // what the console makes of a folder holds nothing
			}
			if err := get(bucket, key); err != nil {
				return err
			}
		}
		code = code && in.uri != j.code
	}
	if code {
		bucket, key, err := objects.Parse(j.code)
		if err != nil {
			return &RefusedError{"ClientError: " + err.Error()}
		}
		if err := get(bucket, key); err != nil {
			return err
		}
	}
	return batch.Commit(ctx, h.db.PutObjects)
}

// interpreter sees to the Python of a job's image, where it runs a Python script.
func (h *handler) interpreter(ctx context.Context, j *job) error {
	if path.Ext(j.script) != ".py" {
		return nil
	}
	img, ok := images.LookupURI(j.image)
	if !ok {
		return h.failUnstarted(j, fmt.Sprintf("ClientError: Cannot find repository of image %q", j.image))
	}
	code := ""
	if j.kind == trainingKind && strings.HasPrefix(j.code, "s3://") { // whose requirements are installed
		var err error
		if code, err = h.store.Temp(); err != nil {
			return err
		}
		defer os.RemoveAll(code)
		if err := h.unpackCode(ctx, j, j.code, code); err != nil {
			return err
		}
	}
	var made record.Job
	var err error
	j.python, err = h.ensure(ctx, &pipeline.Job{Name: j.task.State, Kind: j.kind}, img, code, &made)
	return err
}

// bring puts what a job wrote into the caller's store.
func (r *run) bring(ctx context.Context, kind string) error {
	all, err := places(kind, r.guest.Task.Arguments, "Model")
	if err != nil {
		return nil // the request was refused for it
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		bucket, prefix, err := objects.Parse(all[name])
		if err != nil {
			continue // so was this one
		}
		list, err := r.store.List(ctx, bucket, prefix)
		if err != nil {
			return err
		}
		for i := range list {
			o := &list[i]
			if r.guest.brought["s3://"+bucket+"/"+o.Key] == o.Digest {
				continue
			}
			content, _, err := r.store.Get(ctx, bucket, o.Key, o.Bytes)
			if err != nil {
				return err
			}
			if err := r.guest.Store.Put(ctx, bucket, o.Key, content); err != nil {
				return err
			}
		}
	}
	return nil
}

// undelivered is the failure of a job that ended well and whose outputs could not be stored.
func (r *run) undelivered(kind string, response json.RawMessage, why error) error {
	var refused *RefusedError
	if !errors.As(why, &refused) {
		return why
	}
	var describe map[string]any
	if err := json.Unmarshal(response, &describe); err != nil {
		return err
	}
	status := "ProcessingJobStatus"
	if kind == trainingKind {
		status = "TrainingJobStatus"
		describe["SecondaryStatus"] = "Failed"
		delete(describe, "ModelArtifacts")
	}
	describe[status], describe["FailureReason"] = "Failed", refused.Reason
	cause, err := json.Marshal(describe)
	if err != nil {
		return err
	}
	return asl.Fail(asl.ErrorTaskFailed, string(cause))
}
