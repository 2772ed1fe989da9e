//go:build live

package storytest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/mlmax/mlmax/generated/inference/inference"
	"github.com/mlmax/mlmax/generated/training/training"
	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/cloud"
	"github.com/mlmax/mlmax/pipeline/cloud/stack"
)

// TestLive tells the story in an account of AWS, for which somebody pays. docs/aws.md says how
// it is started and what it costs.
func TestLive(t *testing.T) {
	bucket, number := os.Getenv("MLMAX_LIVE_BUCKET"), os.Getenv("MLMAX_LIVE_ACCOUNT")
	if bucket == "" || number == "" {
		t.Fatal("MLMAX_LIVE_BUCKET names an empty bucket, and MLMAX_LIVE_ACCOUNT the account that is meant")
	}
	o, err := config.LoadDefaultConfig(t.Context(), config.WithRegion(region()))
	if err != nil {
		t.Fatal(err)
	}
	who, err := sts.NewFromConfig(o).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil {
		t.Fatal(err)
	}
	if got := aws.ToString(who.Account); got != number {
		t.Fatalf("these credentials are of account %s, and MLMAX_LIVE_ACCOUNT is %q", got, number)
	}
	s := newStory(t, &account{
		env: environment(), bucket: bucket, flags: []string{"--bucket", bucket, "--region", region()}, s3: s3.NewFromConfig(o),
		runs: true, patience: 2 * time.Hour,
	}, python(t))
	unused(t, s)
	t.Cleanup(func() { clean(t, s) })
	s.tell()
}

// region is where the story takes place.
func region() string {
	if r := os.Getenv("MLMAX_LIVE_REGION"); r != "" {
		return r
	}
	return "eu-west-1"
}

// environment is what the SDK finds credentials by, and where: a command has another home.
func environment() []string {
	var all []string
	for _, v := range os.Environ() {
		if strings.HasPrefix(v, "AWS_") {
			all = append(all, v)
		}
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return all
	}
	for _, file := range [][2]string{{"AWS_CONFIG_FILE", "config"}, {"AWS_SHARED_CREDENTIALS_FILE", "credentials"}} {
		if os.Getenv(file[0]) == "" {
			all = append(all, file[0]+"="+filepath.Join(home, ".aws", file[1]))
		}
	}
	return all
}

// unused refuses an account in which somebody uses the names of the story.
func unused(t *testing.T, s *story) {
	t.Helper()
	if keys := s.keys(""); len(keys) > 0 {
		t.Fatalf("bucket %s is not empty: everything in it would be deleted", s.bucket)
	}
	for _, d := range []*pipeline.Definition{training.Definition(), inference.Definition()} {
		p, err := cloud.Open(t.Context(), cloud.Target{Definition: d, Environment: "dev", Bucket: s.bucket, Region: region(), Command: d.Name}, cloud.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if state, err := stack.Find(t.Context(), p); err != nil || state != nil {
			t.Fatalf("stack %s may be somebody's (%v)", p.StackName(), err)
		}
		kept, err := stack.New(p, nil).Holdings(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range kept {
			t.Errorf("it may be somebody's: %s", h.What)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
}

// clean deletes whatever the story has left, however far it came.
func clean(t *testing.T, s *story) {
	ctx := context.WithoutCancel(t.Context()) // which ends before a test is cleaned up
	for _, name := range []string{"inference", "training"} {
		out, err := s.command(ctx, name+" destroy --env dev --yes --stop --delete-data --confirm dev-census-"+name).CombinedOutput()
		if err != nil {
			t.Errorf("destroy %s: %v: look after it by hand\n%s", name, err, out)
		}
	}
	pages := s3.NewListObjectVersionsPaginator(s.s3, &s3.ListObjectVersionsInput{Bucket: &s.bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Errorf("list what is left in bucket %s: %v", s.bucket, err)
			return
		}
		var left []types.ObjectIdentifier
		for _, v := range page.Versions {
			left = append(left, types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
		}
		for _, v := range page.DeleteMarkers {
			left = append(left, types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
		}
		if left == nil {
			continue
		}
		out, err := s.s3.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &s.bucket, Delete: &types.Delete{Objects: left}})
		if err == nil && len(out.Errors) > 0 {
			err = errors.New(aws.ToString(out.Errors[0].Message))
		}
		if err != nil {
			t.Errorf("empty bucket %s: %v", s.bucket, err)
			return
		}
	}
}
