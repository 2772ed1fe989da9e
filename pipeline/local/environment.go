package local

import (
	"maps"
	"path/filepath"
	"slices"
)

// systemPath is the PATH of a job behind its Python environment.
const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// variables makes the environment of a job. It is an allow-list: what the images
// set, so that a script behaves as it does there; a home in the job's own temporary
// folder; and what the request declares. Nothing of the caller's own environment
// is in it, so no credential or token is.
//
// Sources for the images' part: sagemaker-scikit-learn-container's Dockerfiles.
// PYTHONHASHSEED is ours: the same input is to give the same result.
func variables(python, home string, service, declared map[string]string) []string {
	path := systemPath
	if python != "" {
		path = filepath.Dir(python) + ":" + path
	}
	all := map[string]string{
		"PATH":                    path,
		"HOME":                    home,
		"TMPDIR":                  "/tmp",
		"TEMP":                    "/tmp",
		"LANG":                    "C.UTF-8",
		"LC_ALL":                  "C.UTF-8",
		"TZ":                      "UTC",
		"PYTHONDONTWRITEBYTECODE": "1",
		"PYTHONHASHSEED":          "0",
		"PYTHONIOENCODING":        "UTF-8",
		"PYTHONUNBUFFERED":        "1",
		"SM_INPUT":                "/opt/ml/input",
		"SM_MODEL_DIR":            "/opt/ml/model",
	}
	maps.Copy(all, declared)
	maps.Copy(all, service)
	list := make([]string, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		list = append(list, name+"="+all[name])
	}
	return list
}
