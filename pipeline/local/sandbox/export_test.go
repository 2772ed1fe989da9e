package sandbox

import "github.com/google/go-cmp/cmp"

// WireRoundTrip says how a command and a report differ from what arrives of them,
// and whether a command cut off is accepted. The test that calls it is outside the
// package: what a test inside imports is initialized by every helper, too.
func WireRoundTrip(argv, env, keep []string, dir string, layers [][4]string, check, rooted bool, cut, code, signal int, rss int64, spent bool) string {
	c := &command{Argv: argv, Env: env, WorkDir: dir, Check: check}
	if rooted {
		c.Root = &root{Temp: dir + "/tmp", Base: dir, Keep: keep}
		for _, l := range layers {
			c.Root.Layers = append(c.Root.Layers, layer{l[0], l[1], l[2], l[3]})
		}
	}
	text := c.marshal()
	got, err := unmarshalCommand(text)
	if err != nil {
		return err.Error()
	}
	if _, err := unmarshalCommand(text[:cut%len(text)]); err == nil {
		return "a message that is cut off was accepted"
	}
	r := report{Trouble: dir, Stage: dir, Code: code, Signal: signal, MaxRSS: rss, Spent: spent}
	back, err := unmarshalReport(r.marshal())
	if err != nil {
		return err.Error()
	}
	equateEmpty := cmp.FilterValues(func(a, b []string) bool { return len(a)+len(b) == 0 }, cmp.Ignore())
	return cmp.Diff(c, got, equateEmpty, cmp.FilterValues(func(a, b []layer) bool { return len(a)+len(b) == 0 }, cmp.Ignore())) + cmp.Diff(r, back)
}
