package cloud

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mlmax/mlmax/internal/awsfake"
	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/code"
)

func TestUploadOnce(t *testing.T) {
	t.Parallel()
	w := awsfake.New(awsfake.Options{}, "data")
	p := open(t, w)
	all := tree(t, p, module(t))
	if d := cmp.Diff(map[string]string{"PrepareCode": all[0].Digest, "TrainCode": all[1].Digest}, Digests(all)); d != "" {
		t.Error(d)
	}
	var told []Progress
	if err := p.Upload(t.Context(), all, func(p Progress) { told = append(told, p) }); err != nil {
		t.Fatal(err)
	}
	one, two := "ml/code/"+all[0].Digest, "ml/code/"+all[1].Digest
	want := []string{one + ".json", one + "/lib/a.py", one + "/prepare.py", two + ".json", two + ".tar.gz"}
	slices.Sort(want)
	if d := cmp.Diff(want, w.Keys("data", "")); d != "" {
		t.Error(d)
	}
	if err := code.Check(bytes.NewReader(w.GetObject("data", two+".tar.gz")), all[1].Files); err != nil {
		t.Error(err)
	}
	for _, key := range w.Keys("data", "") {
		if o := w.Object("data", key); o.Checksums["sha256"] == "" {
			t.Errorf("%s has no SHA-256 checksum", key)
		}
	}
	puts := slices.DeleteFunc(calls(w), func(a string) bool { return a != "PutObject" })
	if marks := w.Calls(); len(puts) != 5 || marks[len(marks)-1].Action != "PutObject" {
		t.Errorf("calls: %v", calls(w))
	}
	var m Mark
	if err := json.Unmarshal(w.GetObject("data", one+".json"), &m); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(Mark{
		Digest: all[0].Digest, Pipeline: "demo", Step: "Prepare", Holds: []string{"files"}, Files: []MarkFile{
			{Path: "lib/a.py", SHA256: all[0].Files[0].SHA256, Bytes: 6}, {Path: "prepare.py", SHA256: all[0].Files[1].SHA256, Bytes: 9},
		},
	}, m); d != "" {
		t.Error(d)
	}
	if last := told[len(told)-1]; last.What != "code of Train" || last.Done != last.Total || last.There {
		t.Errorf("told %+v", last)
	}

	before := len(w.Calls())
	told = nil
	if err := p.Upload(t.Context(), all, func(p Progress) { told = append(told, p) }); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"GetObject", "GetObject"}, calls(w)[before:]); d != "" {
		t.Errorf("a second upload: %s", d)
	}
	if d := cmp.Diff([]Progress{{"code of Prepare", 15, 15, true}, {"code of Train", 9, 9, true}}, told); d != "" {
		t.Error(d)
	}
}

// TestUploadAddsWhatIsMissing has code that was uploaded for a training step, and is now
// that of a processing step as well.
func TestUploadAddsWhatIsMissing(t *testing.T) {
	t.Parallel()
	w := awsfake.New(awsfake.Options{}, "data")
	p := open(t, w)
	all := tree(t, p, module(t))[1:]
	if err := p.Upload(t.Context(), all, nil); err != nil {
		t.Fatal(err)
	}
	all[0].Unpacked = true
	if err := p.Upload(t.Context(), all, nil); err != nil {
		t.Fatal(err)
	}
	at := "ml/code/" + all[0].Digest
	if d := cmp.Diff([]string{at + ".json", at + ".tar.gz", at + "/train.py"}, w.Keys("data", "")); d != "" {
		t.Error(d)
	}
	m, err := p.mark(t.Context(), p.storage(), codePrefix+all[0].Digest, all[0].Digest)
	if err != nil || !m.has([]string{formArchive, formFiles}) {
		t.Errorf("mark %+v, %v", m, err)
	}
	before := len(w.Calls())
	if err := p.Upload(t.Context(), all, nil); err != nil || len(w.Calls()) != before+1 {
		t.Errorf("the third time: %v, %v", calls(w)[before:], err)
	}
}

// TestUploadIsEncrypted has an environment with a key.
func TestUploadIsEncrypted(t *testing.T) {
	t.Parallel()
	w := awsfake.New(awsfake.Options{}, "data")
	p := open(t, w)
	p.KmsKey = w.ARN("kms", "key/1")
	if err := p.Upload(t.Context(), tree(t, p, module(t)), nil); err != nil {
		t.Fatal(err)
	}
	for _, key := range w.Keys("data", "") {
		o := w.Object("data", key)
		if got := o.Headers["x-amz-server-side-encryption"] + " " + o.Headers["x-amz-server-side-encryption-aws-kms-key-id"]; got != "aws:kms "+p.KmsKey {
			t.Errorf("%s is encrypted by %s", key, got)
		}
	}
}

// TestUploadFaults lets every fault hit every call of an upload: it succeeds or says in
// words what happened, and run again it leaves what an undisturbed one leaves, once.
func TestUploadFaults(t *testing.T) {
	t.Parallel()
	dir := module(t)
	undisturbed := awsfake.New(awsfake.Options{}, "data")
	proxy := awsfake.NewProxy(undisturbed)
	p := open(t, proxy)
	upload := func(p *Place) error {
		if err := p.Preflight(context.Background()); err != nil {
			return err
		}
		return p.Upload(context.Background(), tree(t, p, dir), nil)
	}
	if err := upload(p); err != nil {
		t.Fatal(err)
	}
	counts, want := proxy.Counts(), contents(undisturbed)
	tested := 0
	for _, on := range []string{"s3.HeadBucket", "s3.GetObject", "s3.PutObject"} {
		for nth := 1; nth <= counts[on]; nth++ {
			faults := awsfake.Faults
			if on == "s3.PutObject" {
				faults = append(slices.Clone(faults), awsfake.Conflict)
			}
			for _, fault := range faults {
				for _, times := range []int{1, 100} {
					t.Run(fmt.Sprintf("%s/%d/%s/%d", on, nth, fault, times), func(t *testing.T) {
						w := awsfake.New(awsfake.Options{}, "data")
						proxy := awsfake.NewProxy(w)
						p := open(t, proxy)
						proxy.Inject(awsfake.Rule{On: on, Nth: nth, Times: times, Fault: fault})
						err := upload(p)
						if len(proxy.Struck()) == 0 {
							t.Fatal("nothing was struck")
						}
						if err != nil {
							if !strings.Contains(err.Error(), "\n\thint: ") || strings.Contains(err.Error(), "operation error") {
								t.Errorf("in words: %v", err)
							}
							proxy.Clear()
							if err := upload(p); err != nil {
								t.Fatalf("run again: %v", err)
							}
						} else if times > 1 && fault != awsfake.LostAnswer && fault != awsfake.Truncated {
							t.Error("it went well although every try was hit")
						}
						if d := cmp.Diff(want, contents(w)); d != "" {
							t.Error(d)
						}
					})
					tested++
				}
			}
		}
	}
	t.Logf("%d faults", tested)
}

// contents are all objects of the account.
func contents(w *awsfake.World) map[string]string {
	all := map[string]string{}
	for _, key := range w.Keys("data", "") {
		all[key] = string(w.GetObject("data", key))
	}
	return all
}

func TestUploadRefusesChangingCode(t *testing.T) {
	t.Parallel()
	w := awsfake.New(awsfake.Options{}, "data")
	p := open(t, w)
	for _, step := range []string{"prepare", "train"} {
		dir := module(t)
		all := tree(t, p, dir)
		for _, change := range []func(string){
			func(name string) { write(t, name, "print(3)\n") },
			func(name string) { write(t, name, "print(3)\nprint(4)\n") },
			func(name string) { _ = os.Remove(name) },
		} {
			change(filepath.Join(dir, "steps", step, step+".py"))
			err := p.Upload(t.Context(), all, nil)
			if want := "changed while it was uploaded: steps/" + step + "/" + step + ".py\n\thint: run again"; err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error is %v", step, err)
			}
		}
		for _, key := range w.Keys("data", "") {
			if step == "prepare" && strings.HasSuffix(key, ".json") {
				t.Errorf("%s was marked", key)
			}
		}
	}
}

// TestUploadVerifiesWhatIsThere has somebody else's objects under the names of ours.
func TestUploadVerifiesWhatIsThere(t *testing.T) {
	t.Parallel()
	w := awsfake.New(awsfake.Options{}, "data")
	p := open(t, w)
	all := tree(t, p, module(t))
	one, two := "ml/code/"+all[0].Digest, "ml/code/"+all[1].Digest
	var packed bytes.Buffer
	if err := code.Archive(&packed, all[1].fsys(), all[1].Files); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, key string
		body      []byte
		want      string
	}{
		{"the file without a checksum", one + "/prepare.py", []byte("print(1)\n"), ""},
		{"another file", one + "/prepare.py", []byte("print(0)\n"), "s3://data/" + one + "/prepare.py has other content than its name says"},
		{"a longer file", one + "/prepare.py", []byte("print(10)\n"), "has other content than its name says"},
		{"the archive, packed otherwise", two + ".tar.gz", append(packed.Bytes(), packed.Bytes()[:0]...), ""},
		{"no archive", two + ".tar.gz", []byte("x"), "has other content than its name says, and was left as it is: read the code archive"},
		{"no mark", two + ".json", []byte("{}"), "has other content than its name says"},
	} {
		w.DeleteObject("data", one+".json")
		w.DeleteObject("data", two+".json")
		if err := w.PutObject("data", c.key, c.body); err != nil {
			t.Fatal(err)
		}
		err := p.Upload(t.Context(), all, nil)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error is %v, want %q", c.name, err, c.want)
		}
		if err != nil && !strings.Contains(err.Error(), "\n\thint: find out who wrote it, then remove it: aws s3 rm s3://data/"+c.key) {
			t.Errorf("%s: no hint in %v", c.name, err)
		}
		w.DeleteObject("data", c.key)
	}
}

// TestUploadVerifiesWholeAnswers cuts off what is read to verify: that says nothing about
// what is there, and is asked for again.
func TestUploadVerifiesWholeAnswers(t *testing.T) {
	t.Parallel()
	w := awsfake.New(awsfake.Options{}, "data")
	proxy := awsfake.NewProxy(w)
	p := open(t, proxy)
	p.Clock = asl.NewVirtualClock(time.Now())
	all := tree(t, p, module(t))
	one, two := "ml/code/"+all[0].Digest, "ml/code/"+all[1].Digest
	var packed bytes.Buffer
	if err := code.Archive(&packed, all[1].fsys(), all[1].Files); err != nil {
		t.Fatal(err)
	}
	for key, body := range map[string][]byte{one + "/prepare.py": []byte("print(1)\n"), two + ".tar.gz": packed.Bytes()} {
		if err := w.PutObject("data", key, body); err != nil {
			t.Fatal(err)
		}
	}
	// The first is for the mark, which is not there.
	proxy.Inject(awsfake.Rule{On: "s3.GetObject", Nth: 2, Fault: awsfake.Truncated}, awsfake.Rule{On: "s3.GetObject", Nth: 4, Fault: awsfake.Truncated},
		awsfake.Rule{On: "s3.GetObject", Nth: 5, Fault: awsfake.Truncated})
	if err := p.Upload(t.Context(), all, nil); err != nil {
		t.Error(err)
	}
	if n := len(proxy.Struck()); n != 3 {
		t.Errorf("%d were hit: %v", n, proxy.Hits())
	}
}

// TestUploadTwiceAtOnce has two people who deploy the same.
func TestUploadTwiceAtOnce(t *testing.T) {
	t.Parallel()
	w := awsfake.New(awsfake.Options{}, "data")
	p, q := open(t, w), open(t, w)
	dir := module(t)
	errs := make(chan error)
	for _, place := range []*Place{p, q} {
		all := tree(t, place, dir)
		go func() { errs <- place.Upload(context.Background(), all, nil) }()
	}
	for range 2 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if n := len(w.Keys("data", "")); n != 5 {
		t.Errorf("%d objects", n)
	}
}

func TestUploadInterrupted(t *testing.T) {
	t.Parallel()
	w := awsfake.New(awsfake.Options{}, "data")
	p := open(t, w)
	all := tree(t, p, module(t))
	ctx, stop := context.WithCancel(t.Context())
	err := p.Upload(ctx, all[:1], func(Progress) { stop() })
	if err == nil || !strings.Contains(err.Error(), "code of Prepare: interrupted") && !strings.Contains(err.Error(), ".json: interrupted") {
		t.Errorf("error is %v", err)
	}
	if w.GetObject("data", "ml/code/"+all[0].Digest+".json") != nil {
		t.Error("it was marked")
	}
}

func TestTreeSharesCode(t *testing.T) {
	t.Parallel()
	p := open(t, awsfake.New(awsfake.Options{}, "data"))
	p.Definition.Jobs[1].CodeDir = "steps/prepare/"
	all := tree(t, p, module(t))
	if len(all) != 1 || !all[0].Packed || !all[0].Unpacked || strings.Join(all[0].Names, " ") != "PrepareCode TrainCode" {
		t.Errorf("%+v", all)
	}
	p.Definition.Jobs[0].CodeDir = "steps/none"
	if _, err := Tree(p.Definition, module(t)); err == nil || err.Error() != "the code of step Prepare is missing: steps/none does not exist" {
		t.Errorf("error is %v", err)
	}
}
