package pyenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
)

// An installer is uv or pip, with how to tell it where packages are.
type installer struct {
	// name is for people: "uv", "pip 24.0".
	name string
	// uv is its path, or empty for pip.
	uv string
	// ownPip says that the environment has a pip of its own, because the
	// interpreter's cannot install into another environment.
	ownPip    bool
	flags     []string
	variables []string
	// index is where packages are looked for, for messages.
	index string
}

// pipPython is the first pip that has --python.
const pipPython = 22.3

// chooseInstaller prefers uv, which takes a tenth of pip's time.
func (b *build) chooseInstaller(ctx context.Context) (*installer, error) {
	config := readPipConfig(ctx, b.base, b.environ)
	index := redact(config.indexURL)
	switch {
	case config.noIndex:
		index = redact(strings.Join(config.findLinks, " "))
	case index == "":
		index = "https://pypi.org/simple"
	}
	uv, err := b.environ.look("uv")
	if err != nil && b.base.Pip != "" {
		uv, err = b.fetchUV(ctx)
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err == nil {
		flags, variables := config.uv(b.environ)
		return &installer{name: "uv", uv: uv, flags: flags, variables: append(variables, "UV_PYTHON_DOWNLOADS=never", "UV_NO_PROGRESS=1"), index: index}, nil
	}
	switch {
	case b.base.Pip != "" && b.base.Venv && pipVersion(b.base.Pip) >= pipPython:
		return &installer{name: "pip " + b.base.Pip, index: index}, nil
	case b.base.Venv && b.base.EnsurePip:
		return &installer{name: "pip", ownPip: true, index: index}, nil
	}
	return nil, fmt.Errorf("%s (Python %s) %w: Debian and Ubuntu ship them apart; run: sudo apt install python3-venv python3-pip (or install uv: https://docs.astral.sh/uv)", b.base.Executable, b.base.Full, ErrNoInstaller)
}

func pipVersion(version string) float64 {
	var major, minor int
	if _, err := fmt.Sscanf(version, "%d.%d", &major, &minor); err != nil {
		return 0
	}
	return float64(major) + float64(minor)/10
}

// fetchUV gets uv as a wheel, once for all environments of the folder.
func (b *build) fetchUV(ctx context.Context) (string, error) {
	home := filepath.Join(b.tools, "uv")
	program := filepath.Join(home, "bin", "uv")
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	if err := os.MkdirAll(b.tools, 0o755); err != nil {
		return "", err
	}
	temp, err := os.MkdirTemp(b.tools, "uv-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(temp)
	b.progress("getting uv, which installs packages, from the package index")
	out, err := b.command(ctx, nil, b.base.Executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
		"--no-input", "--retries", "1", "--no-deps", "--no-compile", "--only-binary", ":all:", "--target", temp, "uv")
	if err != nil {
		b.progress("uv cannot be had; installing with pip")
		return "", fmt.Errorf("get uv with pip: %w%s", err, indent(tail(out)))
	}
	if _, err := os.Stat(filepath.Join(temp, "bin", "uv")); err != nil {
		return "", err
	}
	// Another process may have been quicker.
	if err := os.Rename(temp, home); err != nil {
		if _, there := os.Stat(program); there != nil {
			return "", err
		}
	}
	return program, nil
}

// install installs into the environment, from wheels only.
func (i *installer) install(ctx context.Context, b *build, what string, packages []string) error {
	var args []string
	switch {
	case i.uv != "":
		args = append([]string{i.uv, "pip", "install", "--quiet", "--python", b.python(), "--only-binary", ":all:"}, i.flags...)
	case i.ownPip:
		args = []string{b.python(), "-m", "pip"}
	default:
		args = []string{b.base.Executable, "-m", "pip", "--python", b.python()}
	}
	if i.uv == "" {
		args = append(args, "install", "--quiet", "--disable-pip-version-check", "--no-input", "--retries", "1", "--no-compile", "--only-binary", ":all:")
	}
	out, err := b.command(ctx, i.variables, append(args, packages...)...)
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	said := tail(redact(out))
	if offline().MatchString(out) {
		return fmt.Errorf("install %s: %w (%s tried %s)%s\ncheck the network, or set PIP_INDEX_URL to an index that can be reached, then run again",
			what, ErrUnreachable, i.name, i.index, indent(named(out, packages)+said))
	}
	var missing error = errors.New("no wheel could be installed")
	if !refused().MatchString(out) {
		missing = err
	}
	return fmt.Errorf("install %s on Python %s with %s from %s: %w%s\nset %s to another Python, or change what is required, then run again",
		what, b.base.Full, i.name, i.index, missing, indent(said), Variable)
}

// offline is how uv and pip say that there is no network.
var offline = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)failed to fetch|error sending request|dns error|name resolution|name or service not known|getaddrinfo|connection refused|connection reset|network is unreachable|no route to host|timed out|NewConnectionError|ProxyError|SSLError|CERTIFICATE_VERIFY_FAILED|invalid peer certificate`)
})

// refused is how they say that a package is not there, or not as a wheel.
var refused = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)no solution found|no matching distribution|could not find a version|no usable wheels|no wheels with a matching`)
})

// named is a line with the first package, where the tool's own words hold none.
func named(out string, packages []string) string {
	for _, p := range packages {
		name, _, _ := strings.Cut(p, "==")
		if strings.Contains(out, name) {
			return ""
		}
	}
	return "packages: " + strings.Join(packages, " ") + "\n"
}

// redact removes passwords from URLs.
func redact(text string) string { return credentials().ReplaceAllString(text, "://***@") }

var credentials = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`://[^/@\s]+@`)
})

// tail is the last lines of a tool's output.
func tail(out string) string {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return strings.Join(lines[max(0, len(lines)-8):], "\n")
}

// indent puts text on lines of its own below a message.
func indent(text string) string {
	if strings.TrimSpace(text) == "" {
		return ""
	}
	return "\n\t" + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n\t")
}
