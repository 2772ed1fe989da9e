package awsfake

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
)

// A Fault is what a [Proxy] does to a call.
type Fault string

// The faults. Those of the first group are answers of the service, each in its protocol
// and with its words, and the call has no effect.
const (
	Throttle    Fault = "Throttle"    // too many calls
	ServerError Fault = "ServerError" // 500
	Unavailable Fault = "Unavailable" // 503
	Expired     Fault = "Expired"     // the credentials' time is over
	Denied      Fault = "Denied"      // no policy allows the call
	Conflict    Fault = "Conflict"    // of S3 only: 409, a conflicting operation

	Reset      Fault = "Reset"      // the connection breaks before the service has the call
	LostAnswer Fault = "LostAnswer" // the call has its effect, then the connection breaks
	Truncated  Fault = "Truncated"  // the call has its effect, and half of the answer arrives
)

// Faults are all that can hit any call.
var Faults = []Fault{Throttle, ServerError, Unavailable, Expired, Denied, Reset, LostAnswer, Truncated}

// A Rule says which calls a fault hits.
type Rule struct {
	// On is "service.Action" with the names of [Call], "service.*" or "*".
	On string
	// Nth is the first of the matching calls that is hit, from 1; 0 is the first.
	Nth int
	// Times is how many from there on are hit; 0 is one, less than 0 all.
	Times int
	Fault Fault
}

// A Hit is a call that came to the proxy. Nth counts the calls of its service and action,
// from 1. Fault is empty if it went through.
type Hit struct {
	Service, Action string
	Nth             int
	Fault           Fault
}

// On is the name by which a [Rule] finds a hit's service and action.
func (h Hit) On() string { return h.Service + "." + h.Action }

func (h Hit) String() string {
	return strings.TrimSuffix(fmt.Sprintf("%s #%d %s", h.On(), h.Nth, h.Fault), " ")
}

// A Proxy stands before an account and lets scripted faults hit its calls. The same
// rules and calls lead to the same faults. A repetition by the SDK is a call of its own.
type Proxy struct {
	target http.Handler
	caller string

	mu      sync.Mutex
	rules   []Rule
	matched []int // calls by rule
	seen    map[string]int
	hits    []Hit
}

// NewProxy stands before a handler, such as a [World] or [Forward]'s.
func NewProxy(target http.Handler) *Proxy {
	p := &Proxy{target: target, caller: "arn:aws:iam::123456789012:user/ada", seen: map[string]int{}}
	if w, ok := target.(*World); ok {
		p.caller = w.Caller()
	}
	return p
}

// Forward is a handler that hands requests to a server of AWS's protocols, as they were
// signed.
func Forward(server string) (http.Handler, error) {
	to, err := url.Parse(server)
	if err != nil {
		return nil, err
	}
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host
	}}, nil
}

// Serve starts to answer on loopback. The server is the caller's to close.
func (p *Proxy) Serve() *httptest.Server { return httptest.NewServer(p) }

// Inject adds rules. The first that matches a call hits it.
func (p *Proxy) Inject(rules ...Rule) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range rules {
		if r.Fault == Conflict && !strings.HasPrefix(r.On, "s3.") {
			panic("awsfake: only S3 answers with a conflict")
		}
		p.rules, p.matched = append(p.rules, r), append(p.matched, 0)
	}
}

// Clear forgets rules and calls.
func (p *Proxy) Clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rules, p.matched, p.hits = nil, nil, nil
	clear(p.seen)
}

// Hits are the calls so far with the faults that hit them, in the order in which they came.
func (p *Proxy) Hits() []Hit {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Hit(nil), p.hits...)
}

// Struck are the calls that a fault has hit.
func (p *Proxy) Struck() []Hit {
	var struck []Hit
	for _, h := range p.Hits() {
		if h.Fault != "" {
			struck = append(struck, h)
		}
	}
	return struck
}

// Counts are how often each service and action was called. With it, a test that has run a
// command undisturbed goes through every call and every fault.
func (p *Proxy) Counts() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.seen)
}

// ServeHTTP passes one request on, or lets a fault hit it.
func (p *Proxy) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	// ContentLength stays what the client said, so that a target can refuse its absence.
	r.Body = io.NopCloser(bytes.NewReader(body))
	service, action := Identify(r)
	hit := p.strike(service, action)
	switch hit.Fault {
	case "":
		p.target.ServeHTTP(rw, r)
	case Reset:
		reset(rw)
	case LostAnswer:
		p.target.ServeHTTP(httptest.NewRecorder(), r)
		reset(rw)
	case Truncated:
		answer := httptest.NewRecorder()
		p.target.ServeHTTP(answer, r)
		truncate(rw, answer)
	default:
		refuse(rw, r, hit.answer(r, body, p.caller))
	}
}

// strike notes a call and says which fault hits it.
func (p *Proxy) strike(service, action string) Hit {
	p.mu.Lock()
	defer p.mu.Unlock()
	hit := Hit{Service: service, Action: action}
	p.seen[hit.On()]++
	hit.Nth = p.seen[hit.On()]
	for i, rule := range p.rules {
		if rule.On != "*" && rule.On != service+".*" && rule.On != hit.On() {
			continue
		}
		p.matched[i]++
		from := max(1, rule.Nth)
		if n := p.matched[i]; hit.Fault == "" && n >= from && (rule.Times < 0 || n < from+max(1, rule.Times)) {
			hit.Fault = rule.Fault
		}
	}
	p.hits = append(p.hits, hit)
	return hit
}

// reset breaks the connection off, so that the client sees a reset.
func reset(rw http.ResponseWriter) {
	if conn := hijack(rw); conn != nil {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // then it ends by FIN, which is a broken connection as well
		}
		conn.Close()
	}
}

// truncate sends the head and half of the body of an answer, or half of the head if
// there is no body, and ends the connection in an orderly way: a reset could overtake what
// was sent, and the fault would not be the same each time.
func truncate(rw http.ResponseWriter, answer *httptest.ResponseRecorder) {
	conn := hijack(rw)
	if conn == nil {
		return
	}
	defer conn.Close()
	var head bytes.Buffer
	fmt.Fprintf(&head, "HTTP/1.1 %d %s\r\n", answer.Code, http.StatusText(answer.Code))
	header := answer.Header().Clone()
	body := answer.Body.Bytes()
	if header.Get("Content-Length") == "" {
		header.Set("Content-Length", strconv.Itoa(len(body)))
	}
	_ = header.Write(&head) // a Buffer takes all
	if len(body) == 0 {
		_, _ = conn.Write(head.Bytes()[:head.Len()/2]) // a client that went away is no concern
		return
	}
	head.WriteString("\r\n")
	_, _ = conn.Write(append(head.Bytes(), body[:len(body)/2]...)) // likewise
}

// hijack takes the connection over.
func hijack(rw http.ResponseWriter) net.Conn {
	conn, _, err := http.NewResponseController(rw).Hijack()
	if err != nil {
		panic("awsfake: a proxy needs connections of its own: " + err.Error())
	}
	return conn
}
