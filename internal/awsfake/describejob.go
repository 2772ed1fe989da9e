package awsfake

import "strings"

func (w *World) describeProcessingJob(body []byte) (any, error) {
	var in struct{ ProcessingJobName string }
	if err := readExact(body, &in); err != nil {
		return nil, err
	}
	if job := w.jobs["processing-job/"+in.ProcessingJobName]; job != nil {
		return seconds("", plain(job)), nil
	}
	return nil, refusal("ValidationException", "Could not find requested job with name: %s", in.ProcessingJobName)
}

func (w *World) describeTrainingJob(body []byte) (any, error) {
	var in struct{ TrainingJobName string }
	if err := readExact(body, &in); err != nil {
		return nil, err
	}
	if job := w.jobs["training-job/"+in.TrainingJobName]; job != nil {
		return seconds("", plain(job)), nil
	}
	return nil, refusal("ValidationException", "Requested resource not found.")
}

// seconds turns the times of a job, which Step Functions has in milliseconds, into what
// the Describe call answers with.
func seconds(name string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, one := range v {
			v[name] = seconds(name, one)
		}
	case []any:
		for i, one := range v {
			v[i] = seconds(name, one)
		}
	case float64:
		if strings.HasSuffix(name, "Time") || name == "Timestamp" {
			return v / 1000
		}
	}
	return v
}
