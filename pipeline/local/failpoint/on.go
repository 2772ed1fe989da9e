//go:build failpoint

package failpoint

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

var (
	mu   sync.Mutex
	hits = map[Point]int{}
)

// Hit marks that the process has come to a point, and kills it if it was asked to.
func Hit(p Point) {
	mu.Lock()
	defer mu.Unlock()
	hits[p]++
	if file := os.Getenv("MLMAX_FAILPOINT_TRACE"); file != "" {
		trace(file, p)
	}
	name, at, _ := strings.Cut(os.Getenv("MLMAX_FAILPOINT"), ":")
	if n, err := strconv.Atoi(at); Point(name) != p || err != nil || n != hits[p] {
		return
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // not one more instruction of the caller
}

// trace adds a line to a file. A trace that cannot be written is of no use.
func trace(file string, p Point) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = fmt.Fprintln(f, p)
	}
	if err != nil {
		panic(err)
	}
	f.Close()
}
