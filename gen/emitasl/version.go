package emitasl

import (
	"fmt"
	"strings"

	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/pipeline/asl"
)

// modelsPage is how many versions a call lists at most (ListModelPackages).
const modelsPage = 100

// The states that find a model version; no step's name has a blank.
func chooseState(v *ir.Version) string          { return ir.StateName("Choose " + v.Name) }
func listState(v *ir.Version) string            { return ir.StateName("List " + v.Name) }
func anyState(v *ir.Version) string             { return ir.StateName("Any " + v.Name) }
func moreState(v *ir.Version) string            { return ir.StateName("More " + v.Name) }
func noneState(v *ir.Version) string            { return ir.StateName("No version of " + v.Name) }
func describeVersionState(v *ir.Version) string { return ir.StateName("Describe " + v.Name) }

// version adds the states that put a model version into the variable of its name: the
// one that the run asks for, else the newest that has the status. package is the ARN
// of what was found, page what the next call asks for besides.
func (e *emitter) version(v *ir.Version, next string) {
	asked := param(v.Param)
	e.add(&asl.State{
		Name: chooseState(v), Type: asl.ChoiceState,
		Comment: plain(fmt.Sprintf("Version %s of model group %s, or the newest that is %s", v.Param, v.Group, v.Status)),
		Choices: []*asl.Choice{{
			Condition: expr(asked + " != 0"),
			Assign:    members("package", expr(versionARN(v)+" & "+textOf(ir.Int, asked))),
			Next:      describeVersionState(v),
		}},
		Default: listState(v),
		Assign:  members("package", "", "page", asl.Object{}), // that of the default
	})
	const list = "$states.result.ModelPackageSummaryList"
	e.add(&asl.State{
		Name: listState(v), Type: asl.TaskState,
		Resource: e.resource("aws-sdk:sagemaker:listModelPackages"),
		Arguments: expr(fmt.Sprintf("$merge([%s, $page])", object(
			"ModelPackageGroupName", groupName(v),
			"ModelApprovalStatus", quote(v.Status),
			"SortBy", "'CreationTime'", "SortOrder", "'Descending'",
			"MaxResults", fmt.Sprint(modelsPage)))),
		Assign: members(
			"package", expr(fmt.Sprintf("$exists(%s[0].ModelPackageArn) ? %[1]s[0].ModelPackageArn : ''", list)),
			"page", expr("{'NextToken': $states.result.NextToken}")),
		TimeoutSeconds: callSeconds,
		Retry:          sdkRetry("SageMaker"),
		Next:           anyState(v),
	})
	e.add(&asl.State{
		Name: anyState(v), Type: asl.ChoiceState,
		Choices: []*asl.Choice{{Condition: expr("$package != ''"), Next: describeVersionState(v)}},
		Default: moreState(v),
	})
	e.add(&asl.State{
		Name: moreState(v), Type: asl.ChoiceState,
		Comment: "A page may be empty though another follows: the service filters what it has read.",
		Choices: []*asl.Choice{{Condition: expr("$exists($page.NextToken)"), Next: listState(v)}},
		Default: noneState(v),
	})
	e.add(&asl.State{
		Name: noneState(v), Type: asl.FailState,
		Error: "NoApprovedModel", Cause: "group ${Env}-" + v.Group + " has no version that is " + v.Status + "; " + remedy(v),
	})
	e.add(&asl.State{
		Name: describeVersionState(v), Type: asl.TaskState,
		Comment:        "What the version was made of, asserted to be whole, and to fit what runs here.",
		Resource:       e.resource("aws-sdk:sagemaker:describeModelPackage"),
		Arguments:      members("ModelPackageName", expr("$package")),
		Assign:         members(v.Name, expr("("+strings.Join(e.versionStatements(v), "; ")+")")),
		TimeoutSeconds: callSeconds,
		Retry:          sdkRetry("SageMaker"),
		Next:           next,
	})
}

// remedy is what to do where no version has the status.
func remedy(v *ir.Version) string {
	if v.Status == "Approved" {
		return "approve one: models approve VERSION --by NAME --note TEXT"
	}
	return "run " + v.Pipeline + ", which registers one"
}

// groupName is the model group's name here.
func groupName(v *ir.Version) string { return "'${Env}-" + inner(v.Group) + "'" }

// versionARN is the ARN of the group's versions but for the number. Groups are in lower
// case, so that it holds whether or not the service keeps their case in it.
func versionARN(v *ir.Version) string {
	return "'arn:${Partition}:sagemaker:${Region}:${Account}:model-package/${Env}-" + inner(v.Group) + "/'"
}

// digest matches what names code.
const digest = "/^[0-9a-f]{64}$/"

// versionStatements assert that the version is what the pipeline can start from, and
// make an object of what its jobs need. All of it was made by one run: nothing is
// looked for anywhere else.
func (e *emitter) versionStatements(v *ir.Version) []string {
	s := []string{
		"$p := $states.result",
		"$m := $p.CustomerMetadataProperties",
		"$c := $p.InferenceSpecification.Containers[0]",
		"$n := $split($package, '/')[-1]",
		"$name := 'version ' & $n & ' of ${Env}-" + inner(v.Group) + "'",
	}
	hold := func(condition, problem string) {
		s = append(s, fmt.Sprintf("$assert(%s, $name & %s)", condition, problem))
	}
	hold("$p.ModelPackageGroupName = "+groupName(v), quote(" belongs to group ")+" & $p.ModelPackageGroupName")
	hold("$p.ModelApprovalStatus = "+quote(v.Status),
		concat(append([]string{"= is ", "$p.ModelApprovalStatus", "=, and has to be " + v.Status}, advice(v)...)))
	hold("$p.ModelPackageStatus = 'Completed'", quote(" is ")+" & $p.ModelPackageStatus & "+quote(", and has to be Completed"))
	hold(metaOf("mlmax.pipeline")+" = "+quote(v.Pipeline), quote(" was not registered by "+v.Pipeline))
	for _, pin := range v.Pins {
		hold(metaOf("interface."+pin.Step)+" = "+quote(pin.Interface),
			quote(" was made by a "+pin.Step+" of another interface (script, arguments or ports); run "+v.Pipeline+" again"))
	}
	s = append(s,
		"$text := function($v, $key) {($assert($type($v) = 'string', $name & ' has no ' & $key); $v)}",
		"$place := function($v, $key) {("+e.within(v, "$text($v, $key)")+"; $v)}",
	)
	var code, images, artifacts []string
	for _, pin := range v.Pins {
		at := metaOf("code." + pin.Step)
		hold(all("$type("+at+") = 'string'", "$contains("+at+", "+digest+")"), quote(" has no code."+pin.Step))
		code = append(code, pin.Step, at)
		images = append(images, pin.Step, need("$text", "image."+pin.Step))
	}
	for _, part := range v.Parts {
		artifacts = append(artifacts, part.Step+"."+part.Output, need("$place", "artifact."+part.Step+"."+part.Output))
	}
	return append(s, object(
		"Arn", "$text($p.ModelPackageArn, 'ModelPackageArn')",
		"Version", "$number($n)",
		"Data", "$place($c.ModelDataUrl, 'ModelDataUrl')",
		"Image", "$text($c.Image, 'Image')",
		"Run", need("$text", "mlmax.run"),
		"Pipeline", metaOf("mlmax.pipeline"),
		"Code", object(code...),
		"Images", object(images...),
		"Artifacts", object(artifacts...),
	))
}

// advice is what makes a version have the status, where that is a person's word, as
// parts for concat.
func advice(v *ir.Version) []string {
	if v.Status == "Approved" {
		return []string{"=: models approve ", "$n", "= --by NAME --note TEXT"}
	}
	return nil
}

// within asserts that a place is below the runs of the pipeline that registered the
// version, which is all that the roles can read. Metadata hold a hash of a place that
// does not fit into them.
func (e *emitter) within(v *ir.Version, place string) string {
	return fmt.Sprintf("$assert($substring(%s, 0, $length(%s)) = %[2]s, $name & ': ' & $key & ' is ' & $v & %s)",
		place, below("runs/"+v.Pipeline+"/"), quote(", which is not below the runs of "+v.Pipeline+" here"))
}

// metaOf is a member of a version's metadata, and need one that must be there, of which
// a function sees to it.
func metaOf(key string) string         { return "$m.`" + key + "`" }
func need(function, key string) string { return function + "(" + metaOf(key) + ", " + quote(key) + ")" }

// codeOf, imageOf and partOf are parts of a version's variable.
func codeOf(version, step string) string  { return "$" + version + ".Code." + step }
func imageOf(version, step string) string { return "$" + version + ".Images." + step }
func partOf(in *ir.Input) string {
	if in.Step == "" {
		return "$" + in.Version + ".Data"
	}
	return "$" + in.Version + ".Artifacts.`" + in.Step + "." + in.Output + "`"
}

// codeFolder is where all code lies.
const codeFolder = "s3://${Bucket}/${Prefix}code/"

// withCode is a text with the digest of the code that a job runs between two parts,
// which hold no quote.
func withCode(before string, j *ir.Job, after string) any {
	if j.Pin == "" {
		return before + "${" + j.CodeName + "}" + after
	}
	return expr("'" + before + "' & " + codeOf(j.Pin, j.PinStep) + " & '" + after + "'")
}

// jobCode and jobImage are the digest of the code that a job runs, and its image.
func jobCode(j *ir.Job) any {
	if j.Pin == "" {
		return "${" + j.CodeName + "}"
	}
	return expr(codeOf(j.Pin, j.PinStep))
}

func jobImage(j *ir.Job) any {
	switch {
	case j.Pin != "":
		return expr(imageOf(j.Pin, j.PinStep))
	case j.ImageOf != "":
		return expr("$" + j.ImageOf + ".Image")
	}
	return "${" + j.ImageName + "}"
}
