// Command fetch makes the table of service limits anew. It downloads botocore's
// wheel with pip into a temporary folder, or reads the one that -wheel names,
// and writes the table to the file that -o names. It executes nothing of the
// wheel.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"

	"github.com/mlmax/mlmax/gen/limits/internal/model"
)

// version is the release of botocore that the committed table is made from.
const version = "1.43.11"

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("fetch", flag.ContinueOnError)
	flags.SetOutput(stderr)
	out := flags.String("o", "gen/limits/limits.json", "write the table to `FILE`")
	wheel := flags.String("wheel", "", "read `FILE`, a wheel of botocore, instead of downloading one")
	want := flags.String("version", version, "download this `VERSION` of botocore, or \"latest\"")
	python := flags.String("python", "python3", "run this `PROGRAM`, a Python with pip, to download")
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 {
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := fetch(ctx, *out, *wheel, *python, *want, stderr); err != nil {
		fmt.Fprintln(stderr, "fetch:", err)
		return 2
	}
	fmt.Fprintln(stdout, *out)
	return 0
}

func fetch(ctx context.Context, out, wheel, python, want string, stderr io.Writer) error {
	if wheel == "" {
		dir, err := os.MkdirTemp("", "mlmax-limits-")
		if err != nil {
			return fmt.Errorf("make a temporary folder: %w", err)
		}
		defer os.RemoveAll(dir)
		if wheel, err = download(ctx, dir, python, want, stderr); err != nil {
			return err
		}
	}
	b, err := os.ReadFile(wheel)
	if err != nil {
		return fmt.Errorf("read the wheel: %w", err)
	}
	table, err := model.Wheel(wheel, b)
	if err != nil {
		return err
	}
	if err := os.WriteFile(out, table, 0o644); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	return nil
}

// download has pip fetch the wheel: the wanted version, or the newest there is
// if the package index no longer has it.
func download(ctx context.Context, dir, python, want string, stderr io.Writer) (string, error) {
	tries := []string{"botocore==" + want, "botocore"}
	if want == "latest" {
		tries = tries[1:]
	}
	var last error
	for _, requirement := range tries {
		cmd := exec.CommandContext(ctx, python, "-m", "pip", "download", "--quiet", "--no-deps",
			"--only-binary", ":all:", "--dest", dir, requirement)
		cmd.Stdout, cmd.Stderr = stderr, stderr
		if last = cmd.Run(); last != nil {
			continue
		}
		found, err := filepath.Glob(filepath.Join(dir, "botocore-*.whl"))
		if err != nil || len(found) != 1 {
			return "", fmt.Errorf("download %s: pip left %d wheels", requirement, len(found))
		}
		return found[0], nil
	}
	return "", fmt.Errorf("download botocore with pip: %w; download the wheel elsewhere and name it with -wheel", last)
}
