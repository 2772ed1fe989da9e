package cli

import (
	"bytes"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mlmax/mlmax/pipeline/cloud"
)

// A packageFlags is what package was asked.
type packageFlags struct {
	awsFlags
	out      string
	noUpload bool
}

func (a *app) packageCommand() *cobra.Command {
	var f packageFlags
	c := &cobra.Command{
		Use:   "package",
		Short: "Upload the steps' code, and print the template's parameters",
		Long: `Package is for teams whose own CI deploys templates. It uploads the code of the
steps to the environment's bucket, as deploy does, and prints the value of every
parameter of the template: those of the environment, and the digests of the code. It
changes no stack. Version 2 of the AWS CLI takes what it prints as --parameter-overrides
file://FILE; the example is for version 1, too.

What of an earlier stack outlived it (the machine's log, model groups) is taken over
by parameters whose names end in Exists. They are "false" here; deploy looks.`,
		Example: "  " + a.command + " package --env " + a.anyEnvironment() + " > parameters.json\n" +
			"  aws cloudformation deploy --template-file template.json --stack-name " + a.anyEnvironment() + "-" + a.definition.Name + " \\\n" +
			`    --parameter-overrides "$(jq '[.[] | .ParameterKey + "=" + .ParameterValue]' parameters.json)" \` + "\n" +
			"    --capabilities CAPABILITY_IAM --s3-bucket BUCKET\n" +
			"  " + a.command + " package --env " + a.anyEnvironment() + " --no-upload    # needs no credentials",
		Args: a.noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			ctx, heard, stop := a.hearing(c.Context())
			defer stop()
			if err := a.pack(ctx, &f); err != nil {
				return &exit{exitOf(heard(), exitTrouble), err}
			}
			return nil
		},
	}
	flags := c.Flags()
	flags.SortFlags = false
	addAWS(c, a.definition, &f.awsFlags)
	flags.StringVar(&f.out, "out", "", "`FILE` to write the parameters to (default: standard output)")
	flags.BoolVar(&f.noUpload, "no-upload", false, "only print the parameters: AWS is not asked")
	return c
}

// pack uploads the code and tells the parameters. Nothing is told of what is not there.
func (a *app) pack(ctx context.Context, f *packageFlags) error {
	if err := f.settle(a); err != nil {
		return err
	}
	tree, err := a.workTree()
	if err != nil {
		return err
	}
	values, err := cloud.Values(a.target(f.awsFlags))
	if err != nil {
		return err
	}
	if values["Bucket"] == "" {
		return fmt.Errorf("environment %s names no bucket\n\thint: put Bucket into the environment, or say --bucket", f.env)
	}
	parameters, err := cloud.ParameterFile(a.definition, values, cloud.Digests(tree))
	if err != nil {
		return err
	}
	if !f.noUpload {
		if err := a.uploadCode(ctx, f.awsFlags, tree); err != nil {
			return err
		}
	}
	return a.tellParameters(f.out, parameters)
}

// uploadCode brings code to an environment's bucket.
func (a *app) uploadCode(ctx context.Context, f awsFlags, tree []cloud.Code) error {
	p, err := a.place(ctx, f)
	if err != nil {
		return err
	}
	if err := p.Preflight(ctx); err != nil {
		return err
	}
	return p.Upload(ctx, tree, newUploads(a.stderr))
}

// tellParameters writes a parameter file, whole or not at all.
func (a *app) tellParameters(out string, parameters []cloud.Parameter) error {
	if out == "" {
		return encode(a.stdout, parameters)
	}
	var text bytes.Buffer
	if err := encode(&text, parameters); err != nil {
		return err
	}
	if err := replace(out, text.Bytes()); err != nil {
		return fmt.Errorf("write the parameters: %w", err)
	}
	return nil
}
