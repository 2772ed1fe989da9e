package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/mlmax/mlmax/internal/killtest"
	"github.com/mlmax/mlmax/pipeline/local/failpoint"
)

// randomKills is how many kills at random times are promised to do no harm.
const randomKills = 200

// kills kills a run at every hit of every failpoint, and at random times, and counts
// after how many of them everything was as it should be.
func kills(ctx context.Context, b *bench) error {
	dir := filepath.Join(b.tmp, "kills")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	lab, err := killtest.New(ctx, b.root, dir)
	if err != nil {
		return err
	}
	var named []killtest.Kill
	for _, p := range failpoint.Points() {
		for n := range lab.Hits[p] {
			named = append(named, killtest.Kill{Point: p, N: n + 1, Isolation: "auto", Resume: true})
		}
	}
	seed := uint64(time.Now().UnixNano())
	b.count("kills at failpoints", whole(ctx, lab, named), len(named), fmt.Sprintf("%d points, in a run of 3 steps", len(failpoint.Points())))
	b.count("kills at random times", whole(ctx, lab, killtest.Random(seed, randomKills, lab.Took)), randomKills,
		fmt.Sprintf("within %.0f ms, seed %d", 1000*lab.Took.Seconds(), seed))
	return nil
}

// whole tries kills, two at a time, and says after how many nothing was wrong.
func whole(ctx context.Context, lab *killtest.Lab, all []killtest.Kill) int {
	next := make(chan killtest.Kill)
	var mu sync.Mutex
	var good int
	var working sync.WaitGroup
	for range 2 {
		working.Go(func() {
			for k := range next {
				err := lab.Try(ctx, k)
				mu.Lock()
				if err == nil {
					good++
				} else {
					fmt.Printf("       %+v: %v\n", k, err)
				}
				mu.Unlock()
			}
		})
	}
	for _, k := range all {
		next <- k
	}
	close(next)
	working.Wait()
	return good
}
