package local

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Alive says whether the process that the record names is still running: the one
// of that PID, started at that time, which tells it from a later one.
func Alive(pid int, start string) bool {
	if pid <= 0 {
		return false
	}
	err := syscall.Kill(pid, 0)
	if err != nil && !errors.Is(err, fs.ErrPermission) {
		return false
	}
	state, now := statOf(strconv.Itoa(pid))
	if state == "Z" {
		return false // nobody has waited for it yet
	}
	return start == "" || now == "" || now == start
}

// processStart tells this process from an earlier one of the same PID.
func processStart() string {
	_, start := statOf("self")
	return start
}

// statOf is the state of a process, and when it started, in clock ticks since boot,
// where /proc has them; else nothing.
func statOf(process string) (state, start string) {
	stat, err := os.ReadFile("/proc/" + process + "/stat")
	if err != nil {
		return "", ""
	}
	// The command's name is in parentheses and may hold anything; field 3 is the
	// first after it, and field 22 the 20th.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 20 {
		return "", ""
	}
	return fields[0], fields[19]
}
