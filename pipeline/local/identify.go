package local

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/mlmax/mlmax/pipeline/dataset"
	"github.com/mlmax/mlmax/pipeline/local/objects"
	"github.com/mlmax/mlmax/pipeline/record"
)

// Identify is the digest by which the record would know a file or folder, whatever it
// is called and wherever it lies: "sha256:" and hex.
func Identify(name string) (string, error) {
	absolute, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(absolute)
	if err != nil {
		return "", err
	}
	if !info.IsDir() && !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is neither a file nor a folder", name)
	}
	files, err := dataset.List(absolute, info)
	if err != nil {
		return "", err
	}
	list := make([]record.Object, len(files))
	for i, f := range files {
		digest, err := objects.Digest(f.Path)
		if err != nil {
			return "", err
		}
		list[i] = record.Object{Key: f.Name, Digest: digest}
	}
	if !info.IsDir() {
		return "sha256:" + list[0].Digest, nil
	}
	return objects.TreeDigest(list, ""), nil
}
