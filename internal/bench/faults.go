package main

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// faultsTried are the words of the test that tries them.
var faultsTried = regexp.MustCompile(`(\d+) of (\d+) faults: exactly one effect each`)

// faults lets every fault hit every call of every command for AWS, by the test that does
// so, and counts after how many of them exactly one effect was left.
func faults(ctx context.Context, b *bench) error {
	start := time.Now()
	out, failed := outputEnv(ctx, []string{"MLMAX_FAULTS=all"}, b.root, "go", "test", "-count=1", "-timeout=30m", "-v", "-run=^TestEveryCallEveryFault$", "./pipeline/cli")
	found := faultsTried.FindStringSubmatch(out)
	if found == nil {
		return fmt.Errorf("the test told no count: %w", failed)
	}
	good, err := strconv.Atoi(found[1])
	if err != nil {
		return err
	}
	all, err := strconv.Atoi(found[2])
	if err != nil {
		return err
	}
	b.count("faults that left exactly one effect each", good, all, fmt.Sprintf("every call of every command by every fault, in %.0f s", time.Since(start).Seconds()))
	if good == all {
		return failed
	}
	return nil
}
