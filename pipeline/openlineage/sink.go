package openlineage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// A Sink takes events, one JSON text each.
type Sink interface {
	Send(ctx context.Context, event []byte) error
	// String says where they go, without secrets.
	String() string
	Close() error
}

// endpoint is where a server takes events whose address has no path (OpenLineage,
// "Python client": it is what the clients take, too).
const endpoint = "/api/v1/lineage"

// Open opens a file that events are appended to, a line each, or makes a client of an
// http(s) endpoint. The key, if not empty, is sent to the endpoint as bearer token.
func Open(target, key string) (Sink, error) {
	if !strings.Contains(target, "://") {
		f, err := os.OpenFile(target, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, fmt.Errorf("open the file for OpenLineage events: %w", err)
		}
		return &file{f}, nil
	}
	u, err := url.Parse(target)
	if err != nil {
		return nil, errors.New("the OpenLineage endpoint is not a URL") // it may hold a secret
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, fmt.Errorf("the OpenLineage endpoint %s is neither an http(s) URL nor a file", u.Redacted())
	case u.User != nil:
		return nil, fmt.Errorf("the OpenLineage endpoint %s holds a user; give a key in the variable OPENLINEAGE_API_KEY instead", u.Redacted())
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = endpoint
	}
	return &server{
		url: u.String(), shown: u.Scheme + "://" + u.Host + u.Path, key: key,
		client: &http.Client{
			Timeout: requestTimeout, Transport: http.DefaultTransport.(*http.Transport).Clone(),
			// An event, and the key, go where they were sent and nowhere else.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// requestTimeout is how long one request may take.
const requestTimeout = 5 * time.Second

type file struct{ *os.File }

// Send writes a line in one call, so that several runs can share a file.
func (f *file) Send(_ context.Context, event []byte) error {
	_, err := f.Write(append(event, '\n'))
	return err
}

func (f *file) String() string { return f.Name() }

type server struct {
	url, shown, key string
	client          *http.Client
}

// Send posts an event.
func (s *server) Send(ctx context.Context, event []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(event))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	if s.key != "" {
		request.Header.Set("Authorization", "Bearer "+s.key)
	}
	response, err := s.client.Do(request)
	if err != nil {
		if e := (*url.Error)(nil); errors.As(err, &e) {
			err = e.Err // without the URL, which may hold a secret
		}
		return err
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<16)) // for the connection to be used again
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return fmt.Errorf("it answered %s", response.Status)
	}
	return nil
}

func (s *server) String() string { return s.shown }

// Close lets go of the connections.
func (s *server) Close() error {
	s.client.CloseIdleConnections()
	return nil
}
