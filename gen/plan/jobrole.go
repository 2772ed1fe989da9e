package plan

import (
	"slices"
	"strconv"

	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/pipeline/images"
)

// jobStatements are what a step's job may do: read its code and inputs, write its
// outputs, and what SageMaker does in its name.
func jobStatements(p *ir.Plan, j *ir.Job) []*ir.Statement {
	own := []string{j.Name}
	all := append(readStatements(p, j), &ir.Statement{
		Sid: "WriteOutputs", Actions: []string{"s3:PutObject", "s3:AbortMultipartUpload"},
		Resources: []string{object(runsOf(p.Name, j.Name+"/*"))},
		Reason:    "step " + j.Name + " writes its outputs, each try into a folder of its own", Needs: own,
	})
	all = append(all, keyStatements(j)...)
	all = append(all, imageStatements(j)...)
	all = append(all, &ir.Statement{
		Sid:       "WriteLogs",
		Actions:   []string{"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"},
		Resources: []string{arn("logs", "log-group:/aws/sagemaker/*")},
		Reason:    "SageMaker writes what the step prints to its own log groups", Needs: own,
	}, &ir.Statement{
		Sid: "PutMetrics", Actions: []string{"cloudwatch:PutMetricData"}, Resources: []string{"*"},
		Conditions: []*ir.Condition{{Operator: "StringLike", Key: "cloudwatch:namespace", Values: []string{"/aws/sagemaker/*"}}},
		Reason:     "SageMaker reports the use of the instances; the action has no resource type, so its namespace bounds it", Needs: own,
	}, &ir.Statement{
		Sid: "UseNetwork",
		Actions: []string{"ec2:CreateNetworkInterface", "ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface",
			"ec2:DeleteNetworkInterfacePermission", "ec2:DescribeNetworkInterfaces", "ec2:DescribeVpcs", "ec2:DescribeDhcpOptions",
			"ec2:DescribeSubnets", "ec2:DescribeSecurityGroups"},
		Resources: []string{"*"}, If: ifVpc,
		Reason: "SageMaker puts the job's instances into the environment's subnets; AWS says not to narrow these", Needs: own,
	})
	return all
}

// readStatements are for code and inputs. All code may be read, not the one digest
// that is deployed: an execution that is under way, or redriven, has another.
func readStatements(p *ir.Plan, j *ir.Job) []*ir.Statement {
	folders, needs := []string{"code/*"}, []string{j.Name}
	for _, in := range j.Inputs {
		var more []string
		switch {
		case in.Version != "":
			more = []string{versionFolder(p, in)}
		case in.Param == "":
			more = []string{runsOf(p.Name, in.Step+"/*")}
		}
		for _, q := range p.Parameters {
			if q.Key != in.Param {
				continue
			}
			for _, root := range q.Roots {
				more = append(more, root+"*")
			}
		}
		needs = append(needs, j.Name+"."+in.Name)
		for _, f := range more {
			if !slices.Contains(folders, f) {
				folders = append(folders, f)
			}
		}
	}
	objects := make([]string, 0, len(folders))
	for _, f := range folders {
		objects = append(objects, object(f))
	}
	return append([]*ir.Statement{{
		Sid: "ReadInputs", Actions: []string{"s3:GetObject"}, Resources: objects,
		Reason: "step " + j.Name + " reads its code and what it takes", Needs: needs,
	}, list("FindInputs", "SageMaker lists the objects of each input before it copies them", needs, folders...)},
		readableStatements(p, j)...)
}

// readableStatements are for the places outside of the prefix that an environment lets
// runs read, for a step that takes data from where a run says. Each place has
// statements of its own: of two in one, either prefix could be listed in either bucket.
func readableStatements(p *ir.Plan, j *ir.Job) []*ir.Statement {
	needs := []string{j.Name}
	for _, in := range j.Inputs {
		if in.Param != "" {
			needs = append(needs, j.Name+"."+in.Name)
		}
	}
	if len(needs) == 1 {
		return nil
	}
	var all []*ir.Statement
	for i := range p.Readable() {
		n := strconv.Itoa(i + 1)
		where, prefix := "arn:${AWS::Partition}:s3:::${ReadableBucket"+n+"}", "${ReadablePrefix"+n+"}*"
		all = append(all, &ir.Statement{
			Sid: "ReadOutside" + n, Actions: []string{"s3:GetObject"}, Resources: []string{where + "/" + prefix}, If: "HasReadable" + n,
			Reason: "a run may take the data of step " + j.Name + " from a place that the environment names besides its own", Needs: needs,
		}, &ir.Statement{
			Sid: "FindOutside" + n, Actions: []string{"s3:ListBucket"}, Resources: []string{where}, If: "HasReadable" + n,
			Conditions: []*ir.Condition{{Operator: "StringLike", Key: "s3:prefix", Values: []string{prefix}}},
			Reason:     "SageMaker lists the objects of such data before it copies them", Needs: needs,
		})
	}
	return all
}

// versionFolder is where the runs of another pipeline leave what a job takes of a model
// version: that output of that step, and nothing else of theirs. A model is a file that
// SageMaker puts into a folder of the training job's name.
func versionFolder(p *ir.Plan, in *ir.Input) string {
	i := slices.IndexFunc(p.Versions, func(v *ir.Version) bool { return v.Name == in.Version })
	v := p.Versions[i]
	if in.Step == "" {
		return runsOf(v.Pipeline, v.Step+"/*/output/model.tar.gz")
	}
	return runsOf(v.Pipeline, in.Step+"/*/"+in.Output+"/*")
}

// keyStatements are for the environment's key, where it has one.
func keyStatements(j *ir.Job) []*ir.Statement {
	return []*ir.Statement{{
		Sid: "UseKey", Actions: []string{"kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"}, Resources: []string{"${KmsKey}"}, If: ifKmsKey,
		Reason: "inputs and outputs of step " + j.Name + " are encrypted with the environment's key", Needs: []string{j.Name},
	}, {
		Sid: "GrantKey", Actions: []string{"kms:CreateGrant"}, Resources: []string{"${KmsKey}"}, If: ifKmsKey,
		Conditions: []*ir.Condition{{Operator: "Bool", Key: "kms:GrantIsForAWSResource", Values: []string{"true"}}},
		Reason:     "the volumes of the instances of step " + j.Name + " are encrypted with the environment's key", Needs: []string{j.Name},
	}}
}

// imageStatements are for the registry. Its account differs by Region: the template
// fills ${<framework>Account}. A model version may have been made in an image of
// another framework than is named today.
func imageStatements(j *ir.Job) []*ir.Statement {
	reason := "the job's container is AWS's image for " + j.Framework + " " + j.Version
	v := or(j.Pin, j.ImageOf)
	if v != "" {
		reason = "the job's container is the image that " + v + " was made in, one of AWS's for the frameworks that there are"
	}
	var repositories []string
	for _, name := range images.Names() {
		i, _ := images.Lookup(name)
		if v == "" && name != j.Framework+":"+j.Version {
			continue
		}
		repository := "arn:${AWS::Partition}:ecr:${AWS::Region}:${" + i.Framework + "Account}:repository/" + i.Repository
		if !slices.Contains(repositories, repository) {
			repositories = append(repositories, repository)
		}
	}
	return []*ir.Statement{{
		Sid: "PullImage", Actions: []string{"ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"},
		Resources: repositories,
		Reason:    reason, Needs: []string{j.Name},
	}, {
		Sid: "EnterRegistry", Actions: []string{"ecr:GetAuthorizationToken"}, Resources: []string{"*"},
		Reason: "pulling an image takes a token of the registry; the action has no resource type", Needs: []string{j.Name},
	}}
}
