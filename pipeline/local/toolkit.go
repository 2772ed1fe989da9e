package local

import (
	"encoding/json"
	"maps"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// The places of a training container (SageMaker Developer Guide, "How Amazon
// SageMaker provides training information").
const (
	codeDir         = "/opt/ml/code"
	inputDir        = "/opt/ml/input"
	inputConfigDir  = "/opt/ml/input/config"
	inputDataDir    = "/opt/ml/input/data"
	modelDir        = "/opt/ml/model"
	outputDir       = "/opt/ml/output"
	outputDataDir   = "/opt/ml/output/data"
	intermediateDir = "/opt/ml/output/intermediate"
)

// toolkitOwn are the parameters that sagemaker-training-toolkit keeps for itself
// (its params.py); others that start with sagemaker_ are a framework's.
var toolkitOwn = []string{
	"_tuning_objective_metric", "default_user_module_name", "sagemaker_container_log_level",
	"sagemaker_enable_cloudwatch_metrics", "sagemaker_job_name", "sagemaker_program", "sagemaker_region",
	"sagemaker_s3_output", "sagemaker_submit_directory",
}

// A script is a training script as sagemaker-training-toolkit would start it.
type script struct {
	program string         // the entry point, below codeDir
	submit  string         // where its code is
	user    map[string]any // the user's hyperparameters, decoded
	own     map[string]any // those for the toolkit and framework
}

// newScript sorts the hyperparameters of a request.
func newScript(hyper map[string]string, environment map[string]string) script {
	s := script{user: map[string]any{}, own: map[string]any{}}
	for key, value := range hyper {
		if strings.HasPrefix(key, "sagemaker_") || slices.Contains(toolkitOwn, key) {
			s.own[key] = pyLoads(value)
		} else {
			s.user[key] = pyLoads(value)
		}
	}
	if v, ok := s.own["sagemaker_program"]; ok {
		s.program = pyStr(v)
	}
	if p := environment["SAGEMAKER_PROGRAM"]; p != "" {
		s.program = p
	}
	s.submit = codeDir
	if v, ok := s.own["sagemaker_submit_directory"]; ok {
		s.submit = pyStr(v)
	}
	return s
}

// args are the script's arguments: flags in order of their names, each with a value.
func (s script) args() []string {
	var args []string
	for _, key := range slices.Sorted(maps.Keys(s.user)) {
		switch len([]rune(key)) {
		case 0:
			args = append(args, "")
		case 1:
			args = append(args, "-"+key)
		default:
			args = append(args, "--"+key)
		}
		switch v := s.user[key].(type) {
		case nil:
			args = append(args, "")
		case map[string]any:
			items := make([]string, 0, len(v))
			for _, k := range slices.Sorted(maps.Keys(v)) {
				items = append(items, k+"="+pyStr(v[k]))
			}
			args = append(args, strings.Join(items, ","))
		default:
			args = append(args, pyStr(v))
		}
	}
	return args
}

// argv is the command that starts the script, in codeDir.
func (s script) argv() []string {
	if path.Ext(s.program) == ".py" {
		return append([]string{"python3", s.program}, s.args()...)
	}
	command := "./" + s.program
	for _, arg := range s.args() {
		command += " " + shellQuote(arg)
	}
	return []string{"/bin/sh", "-c", command}
}

// variables are what the toolkit sets for the script (its environment.py), for one
// host and no accelerator.
func (s script) variables(job, arn string, channels []string, resource, inputs map[string]any) map[string]string {
	framework := s.framework()
	hosts := []any{"algo-1"}
	group, instance := resource["current_group_name"], resource["current_instance_type"]
	channelDirs := map[string]any{}
	for _, name := range channels {
		channelDirs[name] = path.Join(inputDataDir, name)
	}
	module := strings.TrimSuffix(s.program, ".py")
	values := map[string]any{
		"channel_input_dirs": channelDirs, "current_host": "algo-1", "current_instance_group": group,
		"current_instance_group_hosts": hosts, "current_instance_type": instance,
		"distribution_hosts": []any{}, "distribution_instance_groups": []any{},
		"framework_module": nil, "hosts": hosts, "input_config_dir": inputConfigDir, "input_data_config": inputs,
		"input_dir": inputDir, "instance_groups": []any{group}, "instance_groups_dict": map[string]any{pyStr(group): groupOf(resource)},
		"is_hetero": false, "log_level": s.setting("sagemaker_container_log_level", json.Number("20")), "model_dir": modelDir, "module_dir": s.submit, "module_name": module,
		"network_interface_name": "eth0", "num_cpus": runtime.NumCPU(), "num_gpus": 0, "num_neurons": 0,
		"output_data_dir": outputDataDir, "output_dir": outputDir, "output_intermediate_dir": intermediateDir,
		"resource_config": resource, "user_entry_point": s.program,
	}
	training := maps.Clone(values)
	training["additional_framework_parameters"] = framework
	training["hyperparameters"] = s.user
	training["is_master"], training["master_hostname"] = true, "algo-1"
	training["is_modelparallel_enabled"] = nil
	training["job_name"] = job

	delete(values, "channel_input_dirs")
	delete(values, "distribution_hosts")
	values["channels"] = slices.Sorted(maps.Keys(channelDirs))
	values["framework_params"] = framework
	values["hps"] = s.user
	values["training_env"] = training
	values["user_args"] = s.args()
	for name, dir := range channelDirs {
		values["channel_"+name] = dir
	}
	for key, v := range s.user {
		values["hp_"+key] = v
	}
	set := map[string]string{
		"CURRENT_HOST": "algo-1", "SAGEMAKER_JOB_NAME": pyStr(s.setting("sagemaker_job_name", "")),
		"SAGEMAKER_REGION":  pyStr(s.setting("sagemaker_region", "")),
		"TRAINING_JOB_NAME": job, "TRAINING_JOB_ARN": arn,
	}
	for name, v := range values {
		set["SM_"+strings.ToUpper(name)] = variable(v)
	}
	return set
}

// setting is one of the toolkit's own parameters, or what it is when not given.
func (s script) setting(name string, otherwise any) any {
	if v, ok := s.own[name]; ok {
		return v
	}
	return otherwise
}

// framework are the parameters that start with sagemaker_ and that the toolkit
// does not know itself.
func (s script) framework() map[string]any {
	all := map[string]any{}
	for key, v := range s.own {
		if !slices.Contains(toolkitOwn, key) {
			all[key] = v
		}
	}
	return all
}

// variable is a value as the toolkit puts it into the environment.
func variable(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	return pyDumps(v)
}

func groupOf(resource map[string]any) any {
	if groups, ok := resource["instance_groups"].([]any); ok && len(groups) == 1 {
		return groups[0]
	}
	return map[string]any{}
}

// resourceConfig is the content of a training job's resourceconfig.json.
func resourceConfig(instance string) map[string]any {
	const group = "homogeneousCluster"
	return map[string]any{
		"current_host": "algo-1", "current_instance_type": instance, "current_group_name": group, "hosts": []any{"algo-1"},
		"instance_groups": []any{map[string]any{
			"instance_group_name": group, "instance_type": instance, "hosts": []any{"algo-1"},
		}},
		"network_interface_name": "eth0",
	}
}

// inputDataConfig is the content of a training job's inputdataconfig.json.
func inputDataConfig(channels []channel) map[string]any {
	all := map[string]any{}
	for _, c := range channels {
		one := map[string]any{
			"TrainingInputMode":  "File",
			"S3DistributionType": "FullyReplicated",
			"RecordWrapperType":  "None",
		}
		if c.ContentType != "" {
			one["ContentType"] = c.ContentType
		}
		all[c.ChannelName] = one
	}
	return all
}

// secondsText is a number of seconds for people.
func secondsText(n int64) string {
	switch {
	case n%3600 == 0:
		return strconv.FormatInt(n/3600, 10) + "h"
	case n%60 == 0:
		return strconv.FormatInt(n/60, 10) + "m"
	}
	return strconv.FormatInt(n, 10) + "s"
}
