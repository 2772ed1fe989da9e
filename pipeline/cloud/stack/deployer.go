package stack

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/mlmax/mlmax/pipeline/cloud"
)

// A Deployer works on the stack of one place, for one invocation of a command.
type Deployer struct {
	// Verb is the command by which a person goes on following what was begun; deploy if it
	// is empty.
	Verb string

	place   *cloud.Place
	display Display
	// nonce tells this invocation's requests from those of another one; a request that is
	// sent again within an invocation is the same.
	nonce string
}

// New is a deployer that shows its work on d, or nowhere if that is nil.
func New(p *cloud.Place, d Display) *Deployer {
	if d == nil {
		d = Plain(io.Discard)
	}
	return &Deployer{place: p, display: d, nonce: rand.Text()}
}

// onward is how a person goes on following.
func (d *Deployer) onward() string { return d.place.Next(cmp.Or(d.Verb, "deploy")) }

// token names a request: 1 to 128 letters, digits and dashes that begin with a letter
// (CloudFormation's ClientRequestToken, and the name of a change set). Whoever reads the
// stack's events sees who asked for what.
func (d *Deployer) token(verb string, parts ...string) string {
	h := sha256.New()
	for _, p := range append([]string{d.place.StackName(), verb, d.nonce}, parts...) {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return tokenStart + verb + "-" + hex.EncodeToString(h.Sum(nil))[:32]
}

// tokenStart begins the tokens of this program.
const tokenStart = "mlmax-"

// by is who is at work, as far as a token tells.
func by(token string) string {
	switch {
	case strings.HasPrefix(token, tokenStart):
		if request := strings.SplitN(token, "-", 3)[1]; request != "execute" {
			return "another " + request + " of mlmax"
		}
		return "another deploy of mlmax"
	case strings.HasPrefix(token, "Console-"):
		return "somebody in the console"
	case token == "":
		return "somebody"
	}
	return "the request " + token
}

// A Detached is the error of a command that was interrupted while CloudFormation went on.
type Detached struct {
	// Stack goes on to be worked on; Next is how to follow it.
	Stack, Next string
}

func (e *Detached) Error() string {
	return fmt.Sprintf("stopped following; CloudFormation goes on with stack %s\n\thint: follow it: %s", e.Stack, e.Next)
}

// patience is how long what must be cleaned up is tried after an interrupt.
const patience = 20 * time.Second

// afterwards is a context for cleaning up: it outlives the interrupt.
func afterwards(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), patience)
}
