package storytest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/mlmax/mlmax/internal/censustest"
	"github.com/mlmax/mlmax/internal/pythontest"
	"github.com/mlmax/mlmax/pipeline"
)

// An account is where the story takes place.
type account struct {
	// env are the variables by which a command finds the account and its credentials.
	env []string
	// bucket is one that holds nothing else, where flags name account and Region.
	bucket string
	flags  []string
	s3     *s3.Client
	// runs says that the account executes machines and their jobs; without it the story
	// leaves out what needs an execution's end.
	runs bool
	// same says that jobs run on this machine, so that what they write is the same to the
	// last digit.
	same bool
	// hold, if it is there, lets jobs wait before they begin, until it is called again.
	hold func(bool)
	// patience is how long one command may take.
	patience time.Duration
}

// A story is a work tree and an account, and the commands between them.
type story struct {
	*account
	t *testing.T
	// module is a copy of what a person edits, bin holds the commands.
	module, bin string
	// local are the variables of commands that run jobs here.
	local []string

	// trained and predicted are the outcomes of runs on AWS, trainedHere and predictedHere of the same here.
	trained, trainedHere, predicted, predictedHere pipeline.Outcome
}

// TestMain removes what the tests have built.
func TestMain(m *testing.M) {
	code := m.Run()
	if err := os.RemoveAll(built); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// built is the folder of the commands, once they were built.
var built string

// build builds the commands as a person does.
var build = sync.OnceValue(func() (err error) {
	if built, err = os.MkdirTemp("", "storytest"); err != nil {
		return err
	}
	out, err := exec.Command("go", "build", "-o", built, "../../generated/training", "../../generated/inference").CombinedOutput()
	if err != nil {
		return fmt.Errorf("build the commands: %w\n%s", err, out)
	}
	return nil
})

// commands is the folder in which the commands are.
func commands(t *testing.T) string {
	t.Helper()
	if err := build(); err != nil {
		t.Fatal(err)
	}
	return built
}

// newStory copies the work tree. Without python jobs do not run here.
func newStory(t *testing.T, a *account, python string) *story {
	t.Helper()
	s := &story{account: a, t: t, module: t.TempDir(), bin: commands(t)}
	if python != "" {
		s.local = []string{"MLMAX_PYTHON=" + python, "MLMAX_PACKAGES=installed"}
	}
	census := filepath.Join(s.module, "specs", "census")
	if err := errors.Join(
		os.WriteFile(filepath.Join(s.module, "go.mod"), []byte("module github.com/mlmax/mlmax\n"), 0o600),
		os.MkdirAll(census, 0o700),
		os.CopyFS(filepath.Join(census, "steps"), os.DirFS("../../specs/census/steps")),
		os.CopyFS(filepath.Join(census, "testdata"), os.DirFS("../../specs/census/testdata")),
		os.RemoveAll(filepath.Join(census, "steps", "preprocess", "__pycache__")),
	); err != nil {
		t.Fatal(err)
	}
	return s
}

// python is an interpreter with the packages of the example's image, made where a local
// run makes it. Without Python or its packages the test is skipped.
func python(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("the whole story takes a minute")
	}
	return pythontest.Interpreter(t, "sklearn:1.4-2")
}

// command is a command line, such as "training plan --env dev", in the work tree. With --env
// it acts in the account, else here.
func (s *story) command(ctx context.Context, line string) *exec.Cmd {
	words := strings.Fields(line)
	env := s.local
	for _, w := range words {
		if w == "--env" {
			words, env = append(words, s.flags...), s.env
		}
	}
	c := exec.CommandContext(ctx, filepath.Join(s.bin, words[0]), words[1:]...)
	c.Dir = s.module
	c.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.module, "TZ=UTC"}, env...)
	return c
}

// does runs a command line, which must exit with a code and write what patterns say, to
// either stream.
func (s *story) does(code int, line string, patterns ...string) (stdout, stderr string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), s.patience)
	defer cancel()
	var out, told bytes.Buffer
	c := s.command(ctx, line)
	c.Stdout, c.Stderr = &out, &told
	began := time.Now()
	err := c.Run()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		s.t.Fatalf("%s: %v", line, err)
	}
	s.t.Logf("%6.1fs %s", time.Since(began).Seconds(), line)
	if got := c.ProcessState.ExitCode(); got != code {
		s.t.Errorf("%s: exit code %d, want %d\n%s%s", line, got, code, out.String(), told.String())
	}
	s.wrote(line, out.String()+told.String(), patterns...)
	return out.String(), told.String()
}

// wrote demands patterns of what a command line wrote.
func (s *story) wrote(line, text string, patterns ...string) {
	s.t.Helper()
	for _, p := range patterns {
		if !regexp.MustCompile("(?m)" + p).MatchString(text) {
			s.t.Errorf("%s: no %s in\n%s", line, p, text)
		}
	}
	if strings.ContainsAny(text, "\x1b\x07") {
		s.t.Errorf("%s: a control character was written:\n%q", line, text)
	}
}

// outcome runs a command line that prints an outcome, which must have a status.
func (s *story) outcome(line string, want pipeline.Status) pipeline.Outcome {
	s.t.Helper()
	code := 0
	if want != pipeline.Succeeded {
		code = 1
	}
	out, told := s.does(code, line+" --json")
	var o pipeline.Outcome
	if err := json.Unmarshal([]byte(out), &o); err != nil {
		s.t.Fatalf("%s: %v in\n%s%s", line, err, out, told)
	}
	if o.Status != want {
		s.t.Fatalf("%s: %s, want %s: %s\n%s", line, o.Status, want, o.Cause, told)
	}
	return o
}

// interrupted runs a command line and interrupts it once it has written a text to standard
// error. It returns all that was written there.
func (s *story) interrupted(line, at string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), s.patience)
	defer cancel()
	c := s.command(ctx, line)
	said := censustest.NewUntil(at)
	c.Stdout, c.Stderr = io.Discard, said
	if err := c.Start(); err != nil {
		s.t.Fatal(err)
	}
	select {
	case <-said.Seen:
		if err := c.Process.Signal(os.Interrupt); err != nil {
			s.t.Error(err)
		}
	case <-ctx.Done():
	}
	_ = c.Wait() // its exit code says more
	if code := c.ProcessState.ExitCode(); code != 130 {
		s.t.Fatalf("%s: exit code %d, want 130\n%s", line, code, said)
	}
	return said.String()
}

// object is one that the account's bucket holds, by its s3:// URI.
func (s *story) object(uri string) []byte {
	s.t.Helper()
	bucket, key, ok := strings.Cut(strings.TrimPrefix(uri, "s3://"), "/")
	if !ok {
		s.t.Fatalf("%q is no s3:// URI", uri)
	}
	out, err := s.s3.GetObject(s.t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		s.t.Fatalf("read %s: %v", uri, err)
	}
	defer out.Body.Close()
	content, err := io.ReadAll(out.Body)
	if err != nil {
		s.t.Fatalf("read %s: %v", uri, err)
	}
	return content
}

// keys are those of the account's bucket below a prefix.
func (s *story) keys(prefix string) []string {
	s.t.Helper()
	var keys []string
	pages := s3.NewListObjectsV2Paginator(s.s3, &s3.ListObjectsV2Input{Bucket: &s.bucket, Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(s.t.Context())
		if err != nil {
			s.t.Fatal(err)
		}
		for _, o := range page.Contents {
			keys = append(keys, *o.Key)
		}
	}
	return keys
}
