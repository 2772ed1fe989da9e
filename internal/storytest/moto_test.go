package storytest

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/mlmax/mlmax/internal/mototest"
)

// TestMoto tells the story in an account that others have made, as far as that goes.
func TestMoto(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("moto takes seconds to start")
	}
	server, err := mototest.Start(t.Context(), "../..")
	if errors.Is(err, mototest.ErrMissing) && os.Getenv("MLMAX_NEED_AWSCLI") != "1" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	c := client(server.URL)
	if _, err := c.CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket: aws.String("story-bucket"), CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: "eu-west-1"},
	}); err != nil {
		t.Fatal(err)
	}
	s := newStory(t, &account{
		env: []string{
			"AWS_ENDPOINT_URL=" + server.URL, "AWS_ACCESS_KEY_ID=AKIAFAKEFAKEFAKEFAKE", "AWS_SECRET_ACCESS_KEY=fake", "AWS_REGION=eu-west-1",
			"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
		},
		bucket: "story-bucket", flags: []string{"--bucket", "story-bucket"}, s3: c, patience: 2 * time.Minute,
	}, "")
	s.tell()
}
