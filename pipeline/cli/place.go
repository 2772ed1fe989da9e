package cli

import (
	"context"
	"errors"
	"fmt"
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

// hereOnly are the flags that say something about runs on this machine.
var hereOnly = []string{"no-cache", "why", "from", "only", "until", "isolation", "python", "packages", "openlineage", "workspace", "all"}

// fits refuses flags that have no meaning where the command acts: those of this machine on
// AWS, and those of AWS here.
func (f *awsFlags) fits(c *cobra.Command, here []string, there ...string) error {
	wrong, why := here, "it is of runs on this machine: leave out --env, or --%s"
	if f.env == "" {
		wrong, why = append([]string{"bucket", "region", "profile"}, there...), "it is of AWS: say with --env which environment, or leave out --%s"
	}
	for _, name := range wrong {
		if flag := c.Flags().Lookup(name); flag != nil && flag.Changed {
			return fmt.Errorf("--%s has no meaning here\n\thint: "+why, name, name)
		}
	}
	return nil
}

// ofLatest is a command for the newest run, in the environment that its flags name.
func ofLatest(c *cobra.Command) string {
	text := c.CommandPath() + " latest"
	for _, name := range []string{"env", "bucket", "region", "profile"} {
		if f := c.Flags().Lookup(name); f != nil && f.Changed {
			text += " --" + name + " " + f.Value.String()
		}
	}
	return text
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
	return cloud.Open(ctx, a.target(f), a.cloud)
}

// target is the environment as the flags name it.
func (a *app) target(f awsFlags) cloud.Target {
	return cloud.Target{
		Definition: a.definition, Environment: f.env, Bucket: f.bucket, Region: f.region, Profile: f.profile, Command: a.command,
	}
}

// workTree is the code of the steps as the work tree has it.
func (a *app) workTree() ([]cloud.Code, error) {
	module, err := findModule(a.definition)
	if err != nil {
		return nil, err
	}
	return cloud.Tree(a.definition, module)
}
