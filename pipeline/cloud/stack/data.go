package stack

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/mlmax/mlmax/pipeline/cloud"
)

// A Holding is data that outlives the stack: what it is, and how a person deletes it.
type Holding struct {
	What string `json:"what"`
	// Command deletes it by hand.
	Command string `json:"command"`

	retained Retained
}

// Holdings are the pipeline's data in the account, as far as they are there: the machine's
// log, the model groups, and what runs have written. Data and code are not among them:
// other pipelines may use the same.
func (d *Deployer) Holdings(ctx context.Context) ([]Holding, error) {
	p := d.place
	t, err := read(p.Definition.Template)
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	for name, parameter := range t.Parameters {
		if parameter.Default != nil {
			values[name] = fmt.Sprint(parameter.Default)
		}
	}
	for name, value := range p.Parameters {
		values[name] = value
	}
	kept, err := t.kept(p, values)
	if err != nil {
		return nil, err
	}
	all := []Holding{}
	for _, k := range kept {
		there, err := k.exists(ctx, p)
		if err != nil {
			return nil, err
		}
		if there {
			all = append(all, Holding{k.String(), d.byHand(k), k})
		}
	}
	some, err := cloud.S3(p).ListObjectsV2(ctx, &s3.ListObjectsV2Input{
		Bucket: aws.String(p.Bucket), Prefix: aws.String(d.runs()), MaxKeys: aws.Int32(1), ExpectedBucketOwner: aws.String(p.Account),
	})
	if err != nil {
		return nil, p.Explain(err, "looking at what runs have written")
	}
	if len(some.Contents) > 0 {
		at := "s3://" + p.Bucket + "/" + d.runs()
		all = append(all, Holding{What: "results of runs below " + at, Command: "aws s3 rm --recursive " + at + " --region " + p.Region})
	}
	return all, nil
}

// byHand is the command that deletes a resource.
func (d *Deployer) byHand(k Retained) string {
	if k.Type == modelGroupType {
		return "aws sagemaker delete-model-package-group --model-package-group-name " + k.Name + " --region " + d.place.Region + " (after its versions)"
	}
	return "aws logs delete-log-group --log-group-name " + k.Name + " --region " + d.place.Region
}

// runs is the prefix of what the pipeline's runs write.
func (d *Deployer) runs() string { return d.place.Prefix + "runs/" + d.place.Definition.Name + "/" }

// DeleteData deletes what Holdings found, nothing else: versions that another pipeline
// registered stay with their group, and runs of another environment that writes to the
// same place stay. It says what stays.
func (d *Deployer) DeleteData(ctx context.Context, holdings []Holding) error {
	for _, h := range holdings {
		var err error
		switch h.retained.Type {
		case logGroupType:
			err = d.deleteLogs(ctx, h.retained.Name)
		case modelGroupType:
			err = d.deleteModels(ctx, h.retained.Name)
		default:
			err = d.deleteRuns(ctx)
		}
		if err != nil {
			return fmt.Errorf("%w\n\thint: what is left is deleted by the same command again", err)
		}
	}
	return nil
}

func (d *Deployer) deleteLogs(ctx context.Context, name string) error {
	_, err := cloud.Logs(d.place).DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: aws.String(name)})
	if err != nil && !hasCode(err, "ResourceNotFoundException") {
		return d.place.Explain(err, "deleting log group "+name)
	}
	d.display.Say("deleted log group " + name)
	return nil
}

// deleteModels deletes the versions that this pipeline registered in a group, and the
// group if nothing is left in it.
func (d *Deployer) deleteModels(ctx context.Context, group string) error {
	p := d.place
	versions, err := d.versions(ctx, group)
	if err != nil {
		return err
	}
	kept := 0
	for _, arn := range versions {
		var version struct{ CustomerMetadataProperties map[string]string }
		if err := p.SageMaker(ctx, "DescribeModelPackage", map[string]any{"ModelPackageName": arn}, &version); err != nil {
			return p.Explain(err, "looking at "+arn)
		}
		if of := version.CustomerMetadataProperties["mlmax.pipeline"]; of != p.Definition.Name {
			kept++
			d.display.Say(fmt.Sprintf("kept %s: pipeline %q registered it", arn, of))
			continue
		}
		err := p.SageMaker(ctx, "DeleteModelPackage", map[string]any{"ModelPackageName": arn}, nil)
		if err != nil && !isNoGroup(err) {
			return p.Explain(err, "deleting "+arn)
		}
		d.display.Say("deleted " + arn)
	}
	if kept > 0 {
		d.display.Say(fmt.Sprintf("kept model group %s: it has %d versions of others", group, kept))
		return nil
	}
	err = p.SageMaker(ctx, "DeleteModelPackageGroup", map[string]any{"ModelPackageGroupName": group}, nil)
	if err != nil && !isNoGroup(err) {
		return p.Explain(err, "deleting model group "+group)
	}
	d.display.Say("deleted model group " + group)
	return nil
}

// versions are the ARNs of a group's model packages.
func (d *Deployer) versions(ctx context.Context, group string) ([]string, error) {
	var all []string
	for token := ""; ; {
		in := map[string]any{"ModelPackageGroupName": group, "ModelPackageType": "Versioned", "MaxResults": 100}
		if token != "" {
			in["NextToken"] = token
		}
		var page struct {
			ModelPackageSummaryList []struct{ ModelPackageArn string }
			NextToken               string
		}
		err := d.place.SageMaker(ctx, "ListModelPackages", in, &page)
		if isNoGroup(err) {
			return all, nil
		}
		if err != nil {
			return nil, d.place.Explain(err, "listing the versions of model group "+group)
		}
		for _, v := range page.ModelPackageSummaryList {
			all = append(all, v.ModelPackageArn)
		}
		if token = page.NextToken; token == "" {
			return all, nil
		}
	}
}

// deleteRuns deletes what runs of this environment have written. Environments may share a
// place: a run whose manifest names another one stays, and so do runs without a manifest
// while another environment of the pipeline writes there.
func (d *Deployer) deleteRuns(ctx context.Context) error {
	p := d.place
	shared := d.sharing()
	keys, err := d.keys(ctx)
	if err != nil {
		return err
	}
	for len(keys) > 0 {
		run := d.runOf(keys[0])
		n := slices.IndexFunc(keys, func(key string) bool { return d.runOf(key) != run })
		if n < 0 {
			n = len(keys)
		}
		environment, err := d.environmentOf(ctx, run)
		switch {
		case err != nil:
			return err
		case environment == "" && shared != "":
			d.display.Say(fmt.Sprintf("kept run %s: it has no manifest, and environment %s writes to the same place", run, shared))
		case environment != "" && environment != p.Environment:
			d.display.Say(fmt.Sprintf("kept run %s: it is of environment %s", run, environment))
		default:
			if err := d.deleteKeys(ctx, keys[:n]); err != nil {
				return err
			}
		}
		keys = keys[n:]
	}
	d.display.Say("deleted results of runs below s3://" + p.Bucket + "/" + d.runs())
	return nil
}

// sharing is the name of another environment of the pipeline whose runs write to the same
// place, or empty.
func (d *Deployer) sharing() string {
	p := d.place
	for _, name := range slices.Sorted(maps.Keys(p.Definition.Environments)) {
		if name == p.Environment {
			continue
		}
		var list []struct{ ParameterKey, ParameterValue string }
		if json.Unmarshal(p.Definition.Environments[name], &list) != nil {
			return name // who knows
		}
		at := map[string]string{}
		for _, v := range list {
			at[v.ParameterKey] = v.ParameterValue
		}
		if at["Bucket"] == p.Bucket && at["Prefix"] == p.Prefix {
			return name
		}
	}
	return ""
}

// runOf is the run that an object belongs to.
func (d *Deployer) runOf(key string) string {
	run, _, _ := strings.Cut(strings.TrimPrefix(key, d.runs()), "/")
	return run
}

// keys are all objects of runs, in order.
func (d *Deployer) keys(ctx context.Context) ([]string, error) {
	var all []string
	pages := s3.NewListObjectsV2Paginator(cloud.ListObjectsV2(cloud.S3(d.place).ListObjectsV2), &s3.ListObjectsV2Input{
		Bucket: aws.String(d.place.Bucket), Prefix: aws.String(d.runs()), ExpectedBucketOwner: aws.String(d.place.Account),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, d.place.Explain(err, "listing what runs have written")
		}
		for _, o := range page.Contents {
			all = append(all, aws.ToString(o.Key))
		}
	}
	return all, nil
}

// manifestLimit is how much of a manifest is read to learn whose it is.
const manifestLimit = 16 << 20

// environmentOf is the environment that a run's manifest names; empty if it has none.
func (d *Deployer) environmentOf(ctx context.Context, run string) (string, error) {
	key := d.runs() + run + "/manifest.json"
	out, err := cloud.S3(d.place).GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(d.place.Bucket), Key: aws.String(key), ExpectedBucketOwner: aws.String(d.place.Account)})
	if hasCode(err, "NoSuchKey") {
		return "", nil
	}
	if err != nil {
		return "", d.place.Explain(err, "reading "+key)
	}
	defer out.Body.Close()
	text, err := io.ReadAll(io.LimitReader(out.Body, manifestLimit))
	if err != nil {
		return "", d.place.Explain(err, "reading "+key)
	}
	var manifest struct {
		Environment string `json:"environment"`
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		return "", nil // whatever it is, it names no environment
	}
	return manifest.Environment, nil
}

// deleteKeys deletes objects, a thousand at a time.
func (d *Deployer) deleteKeys(ctx context.Context, keys []string) error {
	p := d.place
	for some := range slices.Chunk(keys, 1000) {
		in := &s3.DeleteObjectsInput{Bucket: aws.String(p.Bucket), ExpectedBucketOwner: aws.String(p.Account), Delete: &s3types.Delete{Quiet: aws.Bool(true)}}
		for _, key := range some {
			in.Delete.Objects = append(in.Delete.Objects, s3types.ObjectIdentifier{Key: aws.String(key)})
		}
		out, err := cloud.S3(p).DeleteObjects(ctx, in)
		if err != nil {
			return p.Explain(err, "deleting what runs have written")
		}
		for _, e := range out.Errors {
			return fmt.Errorf("deleting %s: %s: %s", aws.ToString(e.Key), aws.ToString(e.Code), aws.ToString(e.Message))
		}
	}
	return nil
}
