package cli

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/mlmax/mlmax/internal/awsfake"
)

// interruptedCommands are those that hear an interrupt: each has work that goes on for a
// while. The others end as any process does.
var interruptedCommands = []string{
	"package", "deploy, the first", "deploy, an update", "deploy --recreate", "plan, an update", "run", "run --data", "watch", "resume", "destroy", "destroy --delete-data",
}

// interrupts are the words of a command that was interrupted.
var interrupts = regexp.MustCompile(`interrupted|stopped following; CloudFormation goes on|goes on, and is no longer watched`)

// TestInterruptAtEveryCall interrupts each command while each of its calls is under way:
// before the service has it, and after it had its effect. The command says so and exits with
// 130, or was past the point where it could be stopped; the same command again ends with
// the same effect as one that was left alone.
func TestInterruptAtEveryCall(t *testing.T) {
	t.Parallel()
	for i := range disturbedCommands {
		c := &disturbedCommands[i]
		if !slices.Contains(interruptedCommands, c.name) {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			usual := newFaultAccount(t)
			c.prepare(usual)
			code, _, _ := usual.run(c.line)
			want, counts := usual.effects(), usual.proxy.Counts()
			n, tried, stopped := 0, 0, 0
			for _, on := range slices.Sorted(maps.Keys(counts)) {
				for nth := 1; nth <= min(2, counts[on]); nth++ {
					for _, after := range []bool{false, true} {
						if n++; n%sampled() != 0 {
							continue
						}
						tried++
						t.Run(fmt.Sprintf("%s %d, after it %v", on, nth, after), func(t *testing.T) {
							if c.interrupt(t, &interrupting{on: on, nth: nth, after: after}, code, want) {
								stopped++
							}
						})
					}
				}
			}
			t.Logf("%d interrupts, of which %d stopped it; the others came too late", tried, stopped)
		})
	}
}

// interrupt interrupts the command in one call, and says whether that stopped it.
func (c *disturbed) interrupt(t *testing.T, at *interrupting, wantCode int, want []string) bool {
	a := newFaultAccount(t)
	c.prepare(a)
	at.World, at.signals = a.World, a.signals
	server := httptest.NewServer(at)
	t.Cleanup(server.Close)
	untouched := a.options
	a.options = a.at(server.URL)
	code, out, said := a.run(c.line)
	a.options = untouched
	select {
	case <-a.signals: // it came too late to be heard
	default:
	}
	switch {
	case code == exitInterrupted && interrupts.MatchString(said):
		again, out, said := a.run(c.line)
		if over := again == exitTrouble && c.over != "" && regexp.MustCompile(c.over).MatchString(said); again != wantCode && !over {
			t.Errorf("once more: exit code %d\n%s%s", again, out, said)
		}
	case code == wantCode:
	default:
		t.Errorf("exit code %d\n%s%s", code, out, said)
	}
	if got := a.effects(); !slices.Equal(got, want) {
		t.Errorf("the account has %q\nwant %q\n%s", without(got, want), without(want, got), said)
	}
	return code == exitInterrupted
}

// An interrupting is an account whose user presses Ctrl-C during one call.
type interrupting struct {
	*awsfake.World
	on      string
	nth     int
	after   bool
	signals chan<- os.Signal

	mu   sync.Mutex
	seen int
}

// ServeHTTP lets the call wait until the client has given it up, unless it does not.
func (i *interrupting) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	service, action := awsfake.Identify(r)
	if service+"."+action != i.on || !i.hit() {
		i.World.ServeHTTP(rw, r)
		return
	}
	answer := httptest.NewRecorder()
	if i.after {
		i.World.ServeHTTP(answer, r)
	}
	i.signals <- os.Interrupt
	select {
	case <-r.Context().Done():
		return
	case <-time.After(100 * time.Millisecond): // it waits for this answer, whoever interrupts
	}
	if !i.after {
		i.World.ServeHTTP(rw, r)
		return
	}
	maps.Copy(rw.Header(), answer.Header())
	rw.WriteHeader(answer.Code)
	_, _ = rw.Write(answer.Body.Bytes()) // a client that went away is no concern
}

// hit says whether this is the call.
func (i *interrupting) hit() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.seen++
	return i.seen == i.nth
}
