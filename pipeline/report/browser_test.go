package report_test

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// browsers are the names under which systems install Chromium.
var browsers = []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"}

// render opens a page in a headless browser. It returns what the page asked for over
// a network, and what the browser complained about.
func render(t *testing.T, text string) (requests, complaints []string) {
	t.Helper()
	browser := ""
	for _, name := range browsers {
		if path, err := exec.LookPath(name); err == nil {
			browser = path
			break
		}
	}
	if browser == "" {
		t.Skipf("no browser here: none of %s is on the PATH", strings.Join(browsers, ", "))
	}
	dir := t.TempDir()
	file, log, shot := filepath.Join(dir, "page.html"), filepath.Join(dir, "net.json"), filepath.Join(dir, "page.png")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
		"--disable-component-update", "--no-first-run", "--host-resolver-rules=MAP * 127.0.0.1", "--user-data-dir="+filepath.Join(dir, "profile"),
		"--enable-logging=stderr", "--v=0", "--log-net-log="+log, "--screenshot="+shot, "file://"+file)
	cmd.Env = append(os.Environ(), "HOME="+dir)
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", browser, err, said)
	}
	if info, err := os.Stat(shot); err != nil || info.Size() < 1000 {
		t.Errorf("the picture of the page: %v, %v", info, err)
	}
	for line := range strings.Lines(string(said)) {
		if strings.Contains(line, "CONSOLE") {
			complaints = append(complaints, strings.TrimSpace(line))
		}
	}
	return asked(t, log), complaints
}

// asked are the addresses in a browser's log of its network: a line an event.
func asked(t *testing.T, log string) (all []string) {
	t.Helper()
	f, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var event struct{ Params struct{ URL string } }
		if json.Unmarshal([]byte(strings.TrimRight(lines.Text(), ", ")), &event) == nil && strings.HasPrefix(event.Params.URL, "http") {
			all = append(all, event.Params.URL)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestBrowser: a browser shows the page without a complaint, and without a request.
func TestBrowser(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a browser takes a few seconds")
	}
	text, _ := page(t, "bbbb")
	if requests, complaints := render(t, text); len(requests)+len(complaints) > 0 {
		t.Errorf("requests: %q\ncomplaints: %q", requests, complaints)
	}
}

// TestBrowserTells: the test above would see a request and a script's error.
func TestBrowserTells(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a browser takes a few seconds")
	}
	requests, complaints := render(t, `<!DOCTYPE html><title>x</title><img src="http://127.0.0.1:9/x.png"><script>nothing.here()</script>`)
	if len(requests) == 0 || len(complaints) == 0 {
		t.Errorf("requests: %q\ncomplaints: %q", requests, complaints)
	}
}
