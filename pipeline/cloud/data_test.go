package cloud

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"github.com/mlmax/mlmax/internal/awsfake"
	"github.com/mlmax/mlmax/pipeline"
)

// file and folder are the parameters that data is given for.
var (
	file   = pipeline.Parameter{Key: "Data", Flag: "data", Location: true, File: true}
	folder = pipeline.Parameter{Key: "Data", Flag: "data", Location: true}
)

// large makes a file that goes in two parts.
func large(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "large table.csv")
	content := make([]byte, part+100)
	stream := rand.NewChaCha8([32]byte{1})
	if _, err := stream.Read(content); err != nil {
		t.Fatal(err)
	}
	write(t, name, string(content))
	return name
}

func TestUploadData(t *testing.T) {
	t.Parallel()
	w := awsfake.New(awsfake.Options{}, "data")
	p := open(t, w)
	small := filepath.Join(t.TempDir(), "census.csv")
	write(t, small, "age\n39\n")
	for _, c := range []struct {
		path  string
		first []string // calls of an upload, and of the next one
	}{
		{small, []string{"HeadObject", "PutObject"}},
		{large(t), []string{"HeadObject", "CreateMultipartUpload", "UploadPart", "UploadPart", "CompleteMultipartUpload", "ListMultipartUploads"}},
	} {
		before := len(w.Calls())
		var told []Progress
		uri, err := p.UploadData(t.Context(), file, c.path, func(p Progress) { told = append(told, p) })
		if err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(c.path)
		if err != nil {
			t.Fatal(err)
		}
		s, err := sumOf(bytes.NewReader(content), int64(len(content)))
		if err != nil {
			t.Fatal(err)
		}
		if want := "s3://data/ml/data/" + s.hex + "/" + filepath.Base(c.path); uri != want {
			t.Errorf("URI is %s, want %s", uri, want)
		}
		key := strings.TrimPrefix(uri, "s3://data/")
		if o := w.Object("data", key); o == nil || !bytes.Equal(o.Body, content) || !slices.Contains([]string{s.base64(), s.composite}, o.Checksums["sha256"]) {
			t.Errorf("%s is not what was uploaded", key)
		}
		if d := cmp.Diff(c.first, calls(w)[before:]); d != "" {
			t.Error(d)
		}
		if last := told[len(told)-1]; last.Done != int64(len(content)) || last.There || len(content) > part && len(told) != 2 {
			t.Errorf("told %+v", last)
		}
		before, told = len(w.Calls()), nil
		again, err := p.UploadData(t.Context(), file, c.path, func(p Progress) { told = append(told, p) })
		if err != nil || again != uri {
			t.Errorf("again: %s, %v", again, err)
		}
		if d := cmp.Diff([]string{"HeadObject"}, calls(w)[before:]); d != "" {
			t.Errorf("again: %s", d)
		}
		if len(told) != 1 || !told[0].There {
			t.Errorf("told %+v", told)
		}
	}
}

func TestUploadFolder(t *testing.T) {
	t.Parallel()
	w := awsfake.New(awsfake.Options{}, "data")
	p := open(t, w)
	dir := filepath.Join(t.TempDir(), "extract")
	write(t, filepath.Join(dir, "b.csv"), "2")
	write(t, filepath.Join(dir, "sub", "a.csv"), "1")
	if err := os.Symlink("b.csv", filepath.Join(dir, "c.csv")); err != nil {
		t.Fatal(err)
	}
	uri, err := p.UploadData(t.Context(), folder, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	digest := pipeline.FolderDigest(map[string]string{"b.csv": hexOf("2"), "c.csv": hexOf("2"), "sub/a.csv": hexOf("1")})
	at := "ml/data/" + digest + "/extract"
	if uri != "s3://data/"+at+"/" {
		t.Errorf("URI is %s", uri)
	}
	if d := cmp.Diff([]string{at + ".json", at + "/b.csv", at + "/c.csv", at + "/sub/a.csv"}, w.Keys("data", "")); d != "" {
		t.Error(d)
	}
	before := len(w.Calls())
	if again, err := p.UploadData(t.Context(), folder, dir, nil); err != nil || again != uri || len(w.Calls()) != before+1 {
		t.Errorf("again: %s, %v, %v", again, err, calls(w)[before:])
	}
	other := filepath.Join(filepath.Dir(dir), "same")
	if err := os.Rename(dir, other); err != nil {
		t.Fatal(err)
	}
	if renamed, err := p.UploadData(t.Context(), folder, other, nil); err != nil || w.GetObject("data", strings.TrimPrefix(renamed, "s3://data/")+"b.csv") == nil {
		t.Errorf("under another name: %s, %v", renamed, err)
	}
}

func hexOf(text string) string {
	s, err := sumOf(strings.NewReader(text), int64(len(text)))
	if err != nil {
		panic(err)
	}
	return s.hex
}

// TestUploadDataFaults lets every fault hit every call of an upload in parts.
func TestUploadDataFaults(t *testing.T) {
	t.Parallel()
	name := large(t)
	tested := 0
	for on, count := range map[string]int{
		"s3.HeadObject": 1, "s3.CreateMultipartUpload": 1, "s3.UploadPart": 2, "s3.CompleteMultipartUpload": 1, "s3.ListMultipartUploads": 1,
	} {
		for nth := 1; nth <= count; nth++ {
			faults := awsfake.Faults
			if on == "s3.CompleteMultipartUpload" {
				faults = append(slices.Clone(faults), awsfake.Conflict)
			}
			for _, fault := range faults {
				for _, times := range []int{1, 100} {
					tested++
					t.Run(fmt.Sprintf("%s/%d/%s/%d", on, nth, fault, times), func(t *testing.T) {
						w := awsfake.New(awsfake.Options{}, "data")
						proxy := awsfake.NewProxy(w)
						p := open(t, proxy)
						proxy.Inject(awsfake.Rule{On: on, Nth: nth, Times: times, Fault: fault})
						uri, err := p.UploadData(t.Context(), file, name, nil)
						if err != nil {
							if !strings.Contains(err.Error(), "\n\thint: ") || strings.Contains(err.Error(), "operation error") {
								t.Errorf("in words: %v", err)
							}
							proxy.Clear()
							if uri, err = p.UploadData(t.Context(), file, name, nil); err != nil {
								t.Fatalf("run again: %v", err)
							}
						}
						if keys := w.Keys("data", ""); len(keys) != 1 || "s3://data/"+keys[0] != uri || len(w.GetObject("data", keys[0])) != part+100 {
							t.Errorf("keys %v, URI %s", keys, uri)
						}
						// A beginning whose answer was lost is seen by the upload that comes to its end.
						if n := w.Uploads("data"); n != 0 && on != "s3.ListMultipartUploads" {
							t.Errorf("%d uploads are left over", n)
						}
					})
				}
			}
		}
	}
	t.Logf("%d faults", tested)
}

// TestUploadDataSweeps has an upload that a killed process left over, and one of another key.
func TestUploadDataSweeps(t *testing.T) {
	t.Parallel()
	w := awsfake.New(awsfake.Options{}, "data")
	p := open(t, w)
	name := large(t)
	s, err := sumFile(t.Context(), name, part)
	if err != nil {
		t.Fatal(err)
	}
	key := "ml/data/" + s.hex + "/" + filepath.Base(name)
	for _, k := range []string{key, key + ".other"} {
		if _, err := S3(p).CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: aws.String("data"), Key: &k}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.UploadData(t.Context(), file, name, nil); err != nil {
		t.Fatal(err)
	}
	if n := w.Uploads("data"); n != 1 {
		t.Errorf("%d uploads are left over, want that of the other key", n)
	}
}

func TestUploadDataInterrupted(t *testing.T) {
	t.Parallel()
	w := awsfake.New(awsfake.Options{}, "data")
	p := open(t, w)
	in, err := os.Open(large(t))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	s, err := sumOf(in, part+100)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	_, err = p.put(ctx, p.storage(), object{key: "ml/data/x", kind: "text/csv", sum: s, open: func() (io.ReadCloser, error) {
		if _, err := in.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
		return io.NopCloser(&stopping{Reader: in, after: part + 1, stop: stop}), nil
	}})
	if err == nil || err.Error() != "uploading s3://data/ml/data/x: interrupted" {
		t.Errorf("error is %v", err)
	}
	if w.Uploads("data") != 0 || len(w.Keys("data", "")) != 0 {
		t.Errorf("%d uploads are left over, and %v", w.Uploads("data"), w.Keys("data", ""))
	}
}

// stopping is a reader during which a person interrupts.
type stopping struct {
	io.Reader
	after int
	stop  func()
}

func (r *stopping) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	if r.after -= n; r.after < 0 {
		r.stop()
	}
	return n, err
}

func TestUploadDataRefuses(t *testing.T) {
	t.Parallel()
	w := awsfake.New(awsfake.Options{}, "data")
	p := open(t, w)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "empty.csv"), "")
	write(t, filepath.Join(dir, "bell\a.csv"), "1")
	for _, c := range []struct {
		parameter  pipeline.Parameter
		path, want string
	}{
		{file, filepath.Join(dir, "none.csv"), `data for "Data" is missing: ` + dir + `/none.csv does not exist; give another place with --data`},
		{file, dir, `data for "Data" is one file, but ` + dir + ` is a directory; give another place with --data`},
		{file, filepath.Join(dir, "empty.csv"), `data for "Data" is empty: ` + dir + `/empty.csv; give another place with --data`},
		{folder, filepath.Join(dir, "empty.csv"), `data for "Data" is a folder, but ` + dir + `/empty.csv is a file; give another place with --data`},
		{file, filepath.Join(dir, "bell\a.csv"), `data for "Data": "s3://data/ml/data/` + hexOf("1") + `/bell\a.csv" cannot be an S3 URI`},
	} {
		_, err := p.UploadData(t.Context(), c.parameter, c.path, nil)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("error is %v\nwant %s", err, c.want)
		}
	}
	if n := len(w.Keys("data", "")); n != 0 {
		t.Errorf("%d objects", n)
	}
}

// TestUploadOfChangingContent has files that are another when they are read again.
func TestUploadOfChangingContent(t *testing.T) {
	t.Parallel()
	w := awsfake.New(awsfake.Options{}, "data")
	p := open(t, w)
	content := bytes.Repeat([]byte("x"), 2*part)
	s, err := sumOf(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	for name, other := range map[string][]byte{"shorter": content[:len(content)-1], "longer": append(content, 'x'), "other": bytes.Repeat([]byte("y"), 2*part)} {
		_, err := p.put(t.Context(), p.storage(), object{key: "k", kind: "text/csv", sum: s, open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(other)), nil }})
		if err == nil || err.Error() != "uploading s3://data/k: it changed while it was read" && !strings.Contains(err.Error(), errChanged.Error()) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
	if w.Uploads("data") != 0 || len(w.Keys("data", "")) != 0 {
		t.Errorf("%d uploads are left over, and %v", w.Uploads("data"), w.Keys("data", ""))
	}
}

func TestUploadTemplate(t *testing.T) {
	t.Parallel()
	w := awsfake.New(awsfake.Options{}, "data")
	p := open(t, w)
	for range 2 {
		url, err := p.UploadTemplate(t.Context(), []byte("{}"))
		if err != nil {
			t.Fatal(err)
		}
		if want := "https://s3.eu-west-1.amazonaws.com/data/ml/templates/" + hexOf("{}") + ".json"; url != want {
			t.Errorf("URL is %s, want %s", url, want)
		}
	}
	p.Partition, p.Prefix = "aws-cn", "a+b/ä/"
	if got := p.url("a+b/ä c"); got != "https://s3.eu-west-1.amazonaws.com.cn/data/a%2Bb/%C3%A4%20c" {
		t.Errorf("URL is %s", got)
	}
}
