package local

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/klauspost/compress/gzip"

	"github.com/mlmax/mlmax/pipeline/local/objects"
	"github.com/mlmax/mlmax/pipeline/record"
)

// expect lists the files that the run has of the step's outputs.
func (p *layout) expect(ctx context.Context) error {
	p.expected = map[string]string{}
	if p.job.kind == processingKind {
		for i, out := range p.job.outputs {
			bucket, key, err := objects.Parse(p.written[i])
			if err != nil {
				return err
			}
			prefix := strings.TrimSuffix(key, "/") + "/"
			list, err := p.store.List(ctx, bucket, prefix)
			if err != nil {
				return err
			}
			for _, o := range list {
				p.expected[out.port+"/"+strings.TrimPrefix(o.Key, prefix)] = o.Digest
			}
			p.folders = append(p.folders, out)
		}
	} else {
		p.folders = []output{{"model", modelDir}, {"data", outputDataDir}}
		links, err := p.db.LinksOfSteps(ctx, []int64{p.out.Step.ID}, "out")
		if err != nil {
			return err
		}
		for _, l := range links {
			folder := "data"
			if l.Artifact.Kind == record.Model {
				folder = "model"
			}
			if err := p.members(ctx, l.Artifact.URI, folder); err != nil {
				return fmt.Errorf("read %s: %w", l.Artifact.URI, err)
			}
		}
	}
	p.out.Files = len(p.expected)
	return nil
}

// members lists the files in an archive that a training job left: the archive is the
// service's work, and not the script's.
func (p *layout) members(ctx context.Context, uri, folder string) error {
	bucket, key, err := objects.Parse(uri)
	if err != nil {
		return err
	}
	file, _, err := p.store.Open(ctx, bucket, key)
	if err != nil {
		return err
	}
	defer file.Close()
	zip, err := gzip.NewReader(file)
	if err != nil {
		return err
	}
	archive := tar.NewReader(zip)
	for {
		header, err := archive.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		sum := sha256.New()
		if _, err := io.Copy(sum, archive); err != nil {
			return err
		}
		p.expected[folder+"/"+path.Clean(header.Name)] = hex.EncodeToString(sum.Sum(nil))
	}
}
