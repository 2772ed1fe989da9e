package local

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/local/sandbox"
)

// The files of a step that has been laid out, besides the folder inputs.
const (
	scriptName       = "run.sh"
	readmeName       = "README.txt"
	requirementsName = "requirements.txt"
	expectedName     = "expected.sha256"
)

// write makes the folder's content.
func (p *layout) write(ctx context.Context) error {
	j := p.job
	// Words that nothing in the job holds stand for places until the script runs.
	work, bin := marker(j, "work"), marker(j, "bin")
	s := j.sandbox
	s.Dir, s.Files, s.Argv, s.WorkDir = filepath.Join(p.dir, "inputs"), j.files, j.argv, j.workDir
	python := ""
	if p.environment != nil {
		python = bin + "/python3"
	}
	s.Env = variables(python, work+"/tmp", j.service, j.declared)
	laid, err := sandbox.LayOut(ctx, s, work)
	if err != nil {
		return err
	}
	script := p.script(laid, strings.NewReplacer(work, `'"$work"'`, bin, `'"$bin"'`))
	files := []struct {
		name, text string
		mode       os.FileMode
	}{
		{scriptName, script, 0o755}, {readmeName, p.readme(), 0o644}, {expectedName, p.sums(), 0o644},
	}
	if p.environment != nil {
		files = append(files, struct {
			name, text string
			mode       os.FileMode
		}{requirementsName, strings.Join(p.environment.Packages, "\n") + "\n", 0o644})
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(p.dir, f.name), []byte(f.text), f.mode); err != nil {
			return fmt.Errorf("write %s of the step: %w", f.name, err)
		}
	}
	return nil
}

// marker is a path that no word of a job holds.
func marker(j *job, what string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %q %q %q", what, j.argv, j.service, j.declared))
	return "/@" + what + hex.EncodeToString(sum[:8])
}

// quote is a word for the shell, to the byte, with the markers replaced.
func quote(word string, places *strings.Replacer) string {
	return places.Replace("'" + strings.ReplaceAll(word, "'", `'\''`) + "'")
}

// script is run.sh.
func (p *layout) script(l *sandbox.Layout, places *strings.Replacer) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("#!/bin/sh")
	line("# Runs step %s of run %s alone, and compares what it writes: see README.txt.", comment(p.job.task.State), p.out.Step.Run)
	line("set -eu")
	line(`here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd -P)`)
	line(`case $here in *[\"\\]*)`)
	line(`  echo "the path of this folder holds a quote or a backslash, which does not fit into the job's variables: move it" >&2`)
	line("  exit 2 ;;")
	line("esac")
	line("work=$here/work")
	if p.environment != nil {
		line("python=${PYTHON:-%s}", quote(p.out.Python, places))
		line(`bin=$(CDPATH= cd -- "$(dirname -- "$python")" 2>/dev/null && pwd) || bin=`)
		line(`if [ ! -x "$bin/python3" ]; then`)
		line("  echo \"the run's Python environment is gone: README.txt says how to make one\" >&2")
		line("  exit 2")
		line("fi")
	}
	line(`rm -rf -- "$work" "$here/outputs"`)
	line(`cp -R -- "$here/inputs" "$work"`)
	line("cd -- %s", quote(l.WorkDir, places))
	line("code=0")
	line("env -i \\")
	for _, v := range l.Env {
		line("  %s \\", quote(v, places))
	}
	for i, a := range l.Argv {
		end := ` \`
		if i == len(l.Argv)-1 {
			end = " </dev/null || code=$?"
		}
		line("  %s%s", quote(a, places), end)
	}
	line(`cd -- "$here"`)
	line("mkdir outputs")
	// What lies in another goes first.
	slices.SortStableFunc(p.folders, func(a, b output) int { return len(b.target) - len(a.target) })
	for _, f := range p.folders {
		line("mv -- %s outputs/%s", quote("work"+f.target, places), quote(f.port, places))
	}
	p.compare(line)
	return b.String()
}

// compare is the end of run.sh.
func (p *layout) compare(line func(string, ...any)) {
	recorded := fmt.Sprintf("in run %s it ended with exit code %d", p.out.Step.Run, p.out.Step.ExitCode)
	if p.out.Step.Status != string(pipeline.Succeeded) {
		recorded += ", " + p.out.Step.Status
	}
	line(`if [ "$code" -ne 0 ]; then`)
	line(`  echo "the step ended with exit code $code; %s" >&2`, recorded)
	line(`  exit "$code"`)
	line("fi")
	if len(p.expected) == 0 {
		line(`echo "the step ended with exit code 0; %s and the workspace has no outputs of it to compare with"`, recorded)
		return
	}
	line("if command -v sha256sum >/dev/null 2>&1; then sum='sha256sum'; else sum='shasum -a 256'; fi")
	line("if ! (cd outputs && $sum -c) <%s >work/compared 2>&1; then", expectedName)
	line("  grep -v ': OK$' work/compared >&2")
	line(`  echo "the outputs differ from those of run %s" >&2`, p.out.Step.Run)
	line("  exit 1")
	line("fi")
	line(`if [ "$(find outputs -type f -exec printf x \; | wc -c)" -ne %d ]; then`, len(p.expected))
	line(`  echo "the outputs hold other files than the %d of run %s: see %s" >&2`, len(p.expected), p.out.Step.Run, expectedName)
	line("  exit 1")
	line("fi")
	line(`echo "outputs equal those of run %s (files compared: %d)"`, p.out.Step.Run, len(p.expected))
}

// sums is expected.sha256, as sha256sum -c reads it.
func (p *layout) sums() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(p.expected)) {
		// A line that begins with a backslash has the name escaped.
		if escaped := strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`).Replace(name); escaped != name {
			fmt.Fprintf(&b, "\\%s  %s\n", p.expected[name], escaped)
			continue
		}
		fmt.Fprintf(&b, "%s  %s\n", p.expected[name], name)
	}
	return b.String()
}

// readme is README.txt.
func (p *layout) readme() string {
	var b strings.Builder
	step := &p.out.Step
	fmt.Fprintf(&b, "Step %s of run %s, attempt %d, which ended %s with exit code %d.\n", comment(step.Name), step.Run, step.Attempt+1, step.Status, step.ExitCode)
	fmt.Fprintf(&b, `
    sh run.sh

runs it alone: with the inputs, code, arguments, variables and configuration files of
the run, and nothing of your own environment. The exit code is the step's; or 1 if
what it wrote differs from what the run recorded, 2 if it could not be run.

  inputs/          what the step finds below /opt/ml; it is copied to work/ for
                   each time, so change it as you like, code included
  work/            the copy that the step ran in
  outputs/         what it wrote, a folder for each output
  expected.sha256  what the run recorded of that: %d files
`, len(p.expected))
	if p.job.kind == trainingKind {
		fmt.Fprintf(&b, "\nThe archive model.tar.gz was packed by the service and not by the script: its files\nare compared.\n")
	}
	fmt.Fprintf(&b, "\nInputs\n")
	for _, in := range p.out.Inputs {
		fmt.Fprintf(&b, "  %s  %s  %s\n", comment(in.Name), comment(in.URI), in.Digest)
	}
	fmt.Fprintf(&b, "\nThe job ran in image %s", comment(p.job.image))
	if e := p.environment; e != nil {
		state := "It is " + p.out.Python + "."
		if p.out.Gone {
			state = "It is no longer in the workspace."
		}
		fmt.Fprintf(&b, `, for which Python %s stood, with the packages
of requirements.txt. %s To make it anew:

    python%s -m venv env
    env/bin/python -m pip install --no-deps -r requirements.txt
    PYTHON=$PWD/env/bin/python sh run.sh
`, e.Python, comment(state), e.Python)
	} else {
		fmt.Fprintf(&b, "; its script needs no Python.\n")
	}
	return b.String()
}

// comment is text that stays on its line.
func comment(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
}

// ShellWord is a word as a person would write it in a shell.
func ShellWord(word string) string { return shellQuote(word) }
