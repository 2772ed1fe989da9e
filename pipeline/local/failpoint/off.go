//go:build !failpoint

package failpoint

// Hit does nothing: the program is not built for tests.
func Hit(Point) {}
