package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestEveryRowHasItsTests holds the page's table of faults to the tests that it names: each
// row is there, and so is each test.
func TestEveryRowHasItsTests(t *testing.T) {
	t.Parallel()
	var tests strings.Builder
	for _, pattern := range []string{"*_test.go", "../cloud/*_test.go", "../cloud/*/*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			tests.Write(text)
		}
	}
	page, err := os.ReadFile("../../docs/aws.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| (\\d+|Ctrl-C) \\|.*\\| ((?:`Test\\w+` ?)+) \\|$").FindAllStringSubmatch(string(page), -1)
	named := map[string]bool{}
	for _, row := range rows {
		named[row[1]] = true
		for _, name := range strings.Fields(strings.ReplaceAll(row[2], "`", "")) {
			if !strings.Contains(tests.String(), "\nfunc "+name+"(t *testing.T) {") {
				t.Errorf("row %s names %s, which does not exist", row[1], name)
			}
		}
	}
	for n := 18; n <= 35; n++ {
		if !named[strconv.Itoa(n)] {
			t.Errorf("row %d names no test", n)
		}
	}
}
