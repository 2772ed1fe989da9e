// Command zones writes the names of all time zones, one a line, sorted: those of the
// IANA database that comes with the Go toolchain. The names are the same on every
// machine then, whatever its own database holds.
package main

import (
	"archive/zip"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	out := flag.String("o", "gen/limits/zones.txt", "the `file` to write")
	flag.Parse()
	if err := write(*out); err != nil {
		fmt.Fprintln(os.Stderr, "zones:", err)
		os.Exit(1)
	}
}

func write(out string) error {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("find the toolchain: %w", err)
	}
	all, err := zip.OpenReader(filepath.Join(strings.TrimSpace(string(root)), "lib", "time", "zoneinfo.zip"))
	if err != nil {
		return fmt.Errorf("open the toolchain's database: %w", err)
	}
	defer all.Close()
	var names []string
	for _, f := range all.File {
		if !strings.HasSuffix(f.Name, "/") && f.Name != "Factory" { // which stands for no zone
			names = append(names, f.Name)
		}
	}
	slices.Sort(names)
	return os.WriteFile(out, []byte(strings.Join(names, "\n")+"\n"), 0o644)
}
