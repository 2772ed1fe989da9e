package check

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/pipeline/code"
)

// contractFiles are the parts of the program that reads the scripts.
//
//go:embed contract/*.py
var contractFiles embed.FS

// contract is the program: its parts in the order of their names, since python3
// takes it as one text and finds no modules.
var contract = sync.OnceValue(func() string {
	parts, err := fs.Glob(contractFiles, "contract/*.py")
	if err != nil {
		panic(fmt.Sprintf("check: parts of the contract: %v", err))
	}
	var all strings.Builder
	for _, name := range parts {
		b, err := contractFiles.ReadFile(name)
		if err != nil {
			panic(fmt.Sprintf("check: part of the contract: %v", err))
		}
		all.Write(b)
		all.WriteString("\n\n")
	}
	return all.String()
})

// contractTime bounds the reading of scripts, by one process; contractMore is for
// each of them.
const (
	contractTime = 20 * time.Second
	contractMore = 50 * time.Millisecond
)

// A script so large, or a folder of so many, is not read.
const (
	maxSource  = 1 << 20
	maxSources = 200
)

// scriptFacts is what the scripts that one process read say, by step.
type scriptFacts struct {
	of map[*ir.Step]*script
	// trouble is why they could not be read, or empty.
	trouble string
}

// A script is what the program found in one. What it could not decide is absent.
type script struct {
	Syntax *struct {
		spot
		Message string
	}
	Parser *struct {
		Open, Known, Abbrev bool
		Options             []option
	}
	Reads []struct {
		spot
		Kind, Name, Option string
	}
	Dumps []struct {
		spot
		Target string // the name of the file, if it is known
	}
	Columns []columnNeed
	// Networked are imports of modules that talk to services.
	Networked []struct {
		spot
		Name string
	}
}

// A spot is a place in a file of the code folder.
type spot struct {
	File         string
	Line, Column int
}

// An option is one argument that the script's parser accepts.
type option struct {
	spot
	Flags      []string
	Dest       string // the name under which it is parsed, or empty
	Positional bool
	Sure       bool   // it is there in every run
	Takes      string // how many values: "one", "none" or "unknown"
	Type       string // float, int, str, bool or other
	Choices    []string
	Required   bool
	Default    any  // string, bool or float64; nil if there is none or it is not known
	NoDefault  bool // it is None where it is not given
}

// A scriptJob is one code folder to read, and the steps that have it: folders
// with the same text are read once.
type scriptJob struct {
	steps []*ir.Step
	Main  string            `json:"main"`
	Files map[string]string `json:"files"`
}

// scriptsAProcess is how many scripts make a second python3 worth its start.
const scriptsAProcess = 50

// startScripts begins to read the scripts of all steps, in as few processes as
// pay, and returns what waits for their end. Nothing of the scripts is executed:
// python3 gets their text, in isolated mode and without site packages.
func startScripts(ctx context.Context, passes []*pass) (wait func()) {
	total := 0
	for _, p := range passes {
		total += len(p.spec.Steps)
	}
	processes := min(runtime.GOMAXPROCS(0), total/scriptsAProcess+1)
	var done sync.WaitGroup
	for begin := 0; begin < len(passes); {
		end, steps := begin, 0
		for end < len(passes) && (steps == 0 || steps*processes < total) {
			steps += len(passes[end].spec.Steps)
			end++
		}
		group := passes[begin:end]
		done.Go(func() {
			facts := readScripts(ctx, scriptJobs(group))
			for _, p := range group {
				p.facts = facts
			}
		})
		begin = end
	}
	return done.Wait
}

// scriptJobs are the code folders of several specs. What has the same text is one.
func scriptJobs(passes []*pass) []*scriptJob {
	var jobs []*scriptJob
	known := map[string][]*scriptJob{} // by the text of the script
	for _, p := range passes {
		for _, s := range p.spec.Steps {
			c := p.code[s]
			if !c.usable() || !strings.HasSuffix(c.path, ".py") {
				continue
			}
			j := &scriptJob{[]*ir.Step{s}, filepath.Base(c.path), sources(c.dir)}
			text := j.Files[j.Main]
			if text == "" {
				continue
			}
			i := slices.IndexFunc(known[text], func(x *scriptJob) bool { return x.Main == j.Main && maps.Equal(x.Files, j.Files) })
			if i >= 0 {
				known[text][i].steps = append(known[text][i].steps, s)
				continue
			}
			known[text] = append(known[text], j)
			jobs = append(jobs, j)
		}
	}
	return jobs
}

// sources are the Python files of a code folder that are text, by slash path. A
// folder with too many is cut off; what is not there is not decided.
func sources(dir string) map[string]string {
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || len(files) == maxSources:
			return filepath.SkipAll
		case name != dir && code.Ignored(d.Name()):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case !d.Type().IsRegular() || !strings.HasSuffix(name, ".py"):
			return nil
		}
		info, err := d.Info()
		if err != nil || info.Size() > maxSource {
			return nil
		}
		b, err := os.ReadFile(name)
		rel, relErr := filepath.Rel(dir, name)
		if err == nil && relErr == nil && utf8.Valid(b) {
			files[filepath.ToSlash(rel)] = string(b)
		}
		return nil
	})
	if err != nil {
		return nil // the function above returns no other errors than those that skip
	}
	return files
}

// readScripts runs the program once for all.
func readScripts(ctx context.Context, jobs []*scriptJob) *scriptFacts {
	facts := &scriptFacts{of: map[*ir.Step]*script{}}
	if len(jobs) == 0 {
		return facts
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		facts.trouble = "python3 is not on the PATH"
		return facts
	}
	in, err := json.Marshal(map[string]any{"scripts": jobs})
	if err != nil {
		panic(fmt.Sprintf("check: scripts as JSON: %v", err))
	}
	ctx, stop := context.WithTimeout(ctx, contractTime+time.Duration(len(jobs))*contractMore)
	defer stop()
	cmd := exec.CommandContext(ctx, python, "-I", "-S", "-B", "-c", contract())
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "SYSTEMROOT=" + os.Getenv("SYSTEMROOT")}
	cmd.Stdin = bytes.NewReader(in)
	cmd.WaitDelay = time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		facts.trouble = fmt.Sprintf("%s failed: %v", python, err)
		if ctx.Err() != nil {
			facts.trouble = fmt.Sprintf("%s was stopped: %v", python, ctx.Err())
		} else if last := lastLine(stderr.String()); last != "" {
			facts.trouble += ": " + last
		}
		return facts
	}
	var answer struct {
		Version []int
		Old     bool
		Scripts []*script
	}
	switch err := json.Unmarshal(stdout.Bytes(), &answer); {
	case err != nil:
		facts.trouble = fmt.Sprintf("%s gave no answer: %v", python, err)
	case answer.Old:
		facts.trouble = fmt.Sprintf("%s is version %d.%d, and 3.9 or newer is needed", python, answer.Version[0], answer.Version[1])
	case len(answer.Scripts) != len(jobs):
		facts.trouble = fmt.Sprintf("%s answered for %d of %d scripts", python, len(answer.Scripts), len(jobs))
	default:
		for i, j := range jobs {
			for _, step := range j.steps {
				facts.of[step] = answer.Scripts[i]
			}
		}
		facts.forgiveNewer(answer.Version)
	}
	return facts
}

func lastLine(s string) string {
	s = strings.TrimSpace(s)
	return s[strings.LastIndexByte(s, '\n')+1:]
}
