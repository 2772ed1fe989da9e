package pyenv

import (
	"context"
	"os/exec"
	"strings"
)

// A pipConfig is where and how pip would look for packages.
type pipConfig struct {
	indexURL, cert, clientCert, proxy, timeout, retries string
	extraIndexURLs, findLinks, trustedHosts             []string
	noIndex                                             bool
}

// readPipConfig asks pip, which knows its files, or without pip the environment.
func readPipConfig(ctx context.Context, p *interpreter, environ environment) pipConfig {
	var text string
	if p.Pip != "" {
		cmd := exec.CommandContext(ctx, p.Executable, "-m", "pip", "config", "list")
		cmd.Env = environ.clean()
		if out, err := cmd.Output(); err == nil {
			text = string(out)
		}
	}
	if text == "" {
		for _, v := range environ {
			if name, value, _ := strings.Cut(v, "="); strings.HasPrefix(name, "PIP_") {
				option := strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(name, "PIP_")), "_", "-")
				text += ":env:." + option + "='" + value + "'\n"
			}
		}
	}
	return parsePipConfig(text)
}

// parsePipConfig reads the output of "pip config list": lines such as
// global.index-url='https://...', where a variable (:env:) counts more than the
// section of the command (install), and that more than global.
func parsePipConfig(text string) pipConfig {
	values, ranks := map[string]string{}, map[string]int{}
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		section, option, dotted := strings.Cut(name, ".")
		rank := map[string]int{"global": 1, "install": 2, ":env:": 3}[section]
		if !ok || !dotted || rank == 0 || rank < ranks[option] {
			continue
		}
		values[option], ranks[option] = unquote(value), rank
	}
	return pipConfig{
		indexURL: values["index-url"], cert: values["cert"], clientCert: values["client-cert"],
		proxy: values["proxy"], timeout: values["timeout"] + values["default-timeout"], retries: values["retries"],
		extraIndexURLs: strings.Fields(values["extra-index-url"]),
		findLinks:      strings.Fields(values["find-links"]),
		trustedHosts:   strings.Fields(values["trusted-host"]),
		noIndex:        isTrue(values["no-index"]),
	}
}

// isTrue is how pip reads a switch.
func isTrue(value string) bool {
	switch strings.ToLower(value) {
	case "1", "true", "yes", "on", "y", "t":
		return true
	}
	return false
}

// unquote reads a Python string as repr writes it.
func unquote(text string) string {
	if len(text) < 2 || text[0] != text[len(text)-1] || !strings.ContainsAny(text[:1], `'"`) {
		return text
	}
	return strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\t`, "\t", `\'`, "'", `\"`, `"`).Replace(text[1 : len(text)-1])
}

// uv gives the configuration in uv's own terms: flags, and variables for what may
// hold a password. Variables of uv's that the user has set count more.
func (c pipConfig) uv(environ environment) (flags, variables []string) {
	set := func(name, value string) {
		if value != "" && environ.get(name) == "" {
			variables = append(variables, name+"="+value)
		}
	}
	if environ.get("UV_INDEX_URL") == "" {
		set("UV_DEFAULT_INDEX", c.indexURL)
	}
	set("UV_EXTRA_INDEX_URL", strings.Join(c.extraIndexURLs, " "))
	if len(c.extraIndexURLs) > 0 {
		// pip takes the best version of all indexes.
		set("UV_INDEX_STRATEGY", "unsafe-best-match")
	}
	for _, link := range c.findLinks {
		flags = append(flags, "--find-links", link)
	}
	if c.noIndex {
		flags = append(flags, "--no-index")
	}
	set("UV_INSECURE_HOST", strings.Join(c.trustedHosts, " "))
	set("SSL_CERT_FILE", c.cert)
	set("SSL_CLIENT_CERT", c.clientCert)
	set("ALL_PROXY", c.proxy)
	set("UV_HTTP_TIMEOUT", c.timeout)
	set("UV_HTTP_RETRIES", c.retries)
	return flags, variables
}
