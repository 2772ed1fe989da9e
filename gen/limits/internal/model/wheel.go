package model

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"
)

// maxModel bounds what one model may unpack to; SageMaker's has 2.5 MB.
const maxModel = 64 << 20

var wheelName = regexp.MustCompile(`^botocore-([0-9][0-9A-Za-z.]*)-.*\.whl$`)

// Wheel makes the table from a wheel of botocore, whose file name says its
// version. Of each service it takes the newest model.
func Wheel(name string, wheel []byte) ([]byte, error) {
	m := wheelName.FindStringSubmatch(path.Base(name))
	if m == nil {
		return nil, fmt.Errorf("read the wheel: %q is not the name of a wheel of botocore", name)
	}
	z, err := zip.NewReader(bytes.NewReader(wheel), int64(len(wheel)))
	if err != nil {
		return nil, fmt.Errorf("open the wheel %s: %w", name, err)
	}
	models := map[string][]byte{}
	for _, s := range Services {
		f := newest(z, s.Name)
		if f == nil {
			return nil, fmt.Errorf("read the wheel %s: no model of %s in it", name, s.Name)
		}
		if models[s.Name], err = unpack(f); err != nil {
			return nil, fmt.Errorf("read %s in the wheel %s: %w", f.Name, name, err)
		}
	}
	return Table("botocore "+m[1], models)
}

// newest is the model with the latest date in its path,
// botocore/data/NAME/DATE/service-2.json or .json.gz.
func newest(z *zip.Reader, service string) *zip.File {
	var found []*zip.File
	for _, f := range z.File {
		rest, ok := strings.CutPrefix(f.Name, "botocore/data/"+service+"/")
		base := path.Base(rest)
		if ok && strings.Count(rest, "/") == 1 && (base == "service-2.json" || base == "service-2.json.gz") {
			found = append(found, f)
		}
	}
	if len(found) == 0 {
		return nil
	}
	return slices.MaxFunc(found, func(x, y *zip.File) int { return strings.Compare(x.Name, y.Name) })
}

func unpack(f *zip.File) ([]byte, error) {
	in, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	var r io.Reader = in
	if strings.HasSuffix(f.Name, ".gz") {
		if r, err = gzip.NewReader(in); err != nil {
			return nil, err
		}
	}
	b, err := io.ReadAll(io.LimitReader(r, maxModel+1))
	if err == nil && len(b) > maxModel {
		err = fmt.Errorf("the model is larger than %d bytes", maxModel)
	}
	return b, err
}
