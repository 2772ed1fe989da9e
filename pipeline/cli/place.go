package cli

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/cloud"
	"github.com/spf13/cobra"
)

// An awsFlags is where on AWS a command is to act; without an environment it acts on this
// machine.
type awsFlags struct{ env, bucket, region, profile string }

// addAWS defines the flags of a command that can act on AWS.
func addAWS(c *cobra.Command, d *pipeline.Definition, f *awsFlags) {
	flags := c.Flags()
	flags.StringVar(&f.env, "env", "", "the `ENVIRONMENT` on AWS: "+strings.Join(slices.Sorted(maps.Keys(d.Environments)), ", "))
	flags.StringVar(&f.bucket, "bucket", "", "`BUCKET` to use instead of the environment's")
	flags.StringVar(&f.region, "region", "", "`REGION` to use instead of the environment's")
	flags.StringVar(&f.profile, "profile", "", "`PROFILE` of the shared AWS configuration")
}

// settle says what is wrong with the flags of a command that only acts on AWS.
func (f *awsFlags) settle(a *app) error {
	if f.env == "" {
		return errors.New("no environment is named\n\thint: say which with --env; this pipeline has " +
			strings.Join(slices.Sorted(maps.Keys(a.definition.Environments)), ", "))
	}
	return nil
}

// place opens the environment that the flags name.
func (a *app) place(ctx context.Context, f awsFlags) (*cloud.Place, error) {
	if err := f.settle(a); err != nil {
		return nil, err
	}
	return cloud.Open(ctx, cloud.Target{
		Definition: a.definition, Environment: f.env, Bucket: f.bucket, Region: f.region, Profile: f.profile, Command: a.command,
	}, a.cloud)
}
