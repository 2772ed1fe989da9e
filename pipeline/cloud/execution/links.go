package execution

import (
	"net/url"
	"strings"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/cloud"
	"github.com/mlmax/mlmax/pipeline/cloud/joblog"
)

// console is the start of every page of a service in a Region.
func console(p *cloud.Place, service string) string {
	return p.Console() + service + "/home?region=" + p.Region + "#"
}

// Page is the page of an execution in the console.
func Page(p *cloud.Place, name string) string {
	return console(p, "states") + "/v2/executions/details/" + p.ExecutionARN(name)
}

// jobPage is the page of a job.
func jobPage(p *cloud.Place, kind, job string) string {
	if kind == pipeline.KindTraining {
		return console(p, "sagemaker") + "/jobs/" + job
	}
	return console(p, "sagemaker") + "/processing-jobs/" + job
}

// logPage is the page of the streams of a job. The console wants what is in a fragment
// escaped twice, with a dollar for the percent sign.
func logPage(p *cloud.Place, kind, job string) string {
	twice := func(text string) string {
		return strings.ReplaceAll(url.QueryEscape(url.QueryEscape(text)), "%", "$")
	}
	return console(p, "cloudwatch") + "logsV2:log-groups/log-group/" + twice(joblog.Group(kind)) + "$3FlogStreamNameFilter$3D" + twice(joblog.Prefix(job))
}
