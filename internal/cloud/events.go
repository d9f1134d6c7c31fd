package cloud

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/sp-registry/sp/internal/secret"
)

// Event is a step of a tenant's making.
type Event struct {
	// Type is what happened, such as database_created; empty if only the status was looked at.
	Type    string
	State   State
	Message string
}

// Events follows the making of a tenant, calls each for every step, and returns the status when the
// tenant is ready, failed or being deleted. It reads a stream, takes it up again where it was cut, and
// looks at the status every two seconds if there is no stream to be had.
func (c *Client) Events(ctx context.Context, id string, each func(Event)) (Status, error) {
	s := stream{Client: c, id: id, each: each}
	for quiet := 0; quiet < mostReconnect && !s.ended; quiet++ {
		taken := s.taken
		err := s.read(ctx)
		switch {
		case ctx.Err() != nil:
			return Status{}, c.failed(ctx, err)
		case isFinal(err):
			return Status{}, err
		case errors.Is(err, errNoStream):
			return c.poll(ctx, id, s.latest, each)
		case s.taken > taken:
			quiet = -1
		}
		pause, err := c.jitter(firstPause << (quiet + 1))
		if err != nil {
			return Status{}, err
		}
		if err := c.Sleep(ctx, pause); err != nil {
			return Status{}, c.failed(ctx, err)
		}
	}
	return c.poll(ctx, id, s.latest, each)
}

// isFinal tells of an error of a stream that looking at the status would not help.
func isFinal(err error) bool {
	return errors.Is(err, ErrAnswer) || errors.Is(err, ErrUnauthenticated) || errors.Is(err, ErrDenied) || errors.Is(err, ErrNotFound) || errors.Is(err, ErrNotLoggedIn)
}

// poll looks at the status until it is final, and tells each what is new.
func (c *Client) poll(ctx context.Context, id string, latest Event, each func(Event)) (Status, error) {
	for {
		status, err := c.Status(ctx, id)
		if err != nil {
			return status, err
		}
		now := Event{State: status.State, Message: status.Message}
		if now.State != latest.State || now.Message != latest.Message && !isOver(now.State) {
			each(now)
		}
		if isOver(status.State) {
			return status, nil
		}
		latest = now
		if err := c.Sleep(ctx, streamPause); err != nil {
			return status, c.failed(ctx, err)
		}
	}
}

func isOver(s State) bool { return s == Ready || s == Failed || s == Deleting }

// stream is a stream of events, which may be cut and taken up again.
type stream struct {
	*Client
	id     string // of the tenant
	each   func(Event)
	last   string // the id of the last event
	latest Event
	taken  int  // how many events came
	ended  bool // an event said that nothing more comes
}

// errNoStream is returned if the control plane offers no stream of events.
var errNoStream = errors.New("no stream of events")

// read reads events until the stream ends.
func (s *stream) read(ctx context.Context) error {
	r := request{method: http.MethodGet, path: tenantPath(s.id, "/events"), stream: true, header: http.Header{"Accept": {"text/event-stream"}}}
	if s.last != "" {
		r.header.Set("Last-Event-Id", s.last)
	}
	response, err := s.open(ctx, r)
	if errors.Is(err, ErrAnswer) {
		return errNoStream
	}
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	if kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")); kind != "text/event-stream" {
		return errNoStream
	}
	return s.readEvents(response.Body)
}

// readEvents reads events: lines of fields, and an empty line behind each.
func (s *stream) readEvents(body io.Reader) error {
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, 64<<10)
	var data []string
	id, kind := s.last, ""
	for !s.ended && lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case lines.Text() == "":
			if kind != "heartbeat" { // which says no more than that somebody is there
				if err := s.take(strings.Join(data, "\n")); err != nil {
					return err
				}
			}
			s.last, data, kind = id, nil, ""
		case name == "event":
			kind = value
		case name == "data" && len(data) < 100:
			data = append(data, value)
		case name == "id" && !strings.ContainsFunc(value, isUnprintable):
			id = value
		}
	}
	return lines.Err()
}

// take takes the data of an event.
func (s *stream) take(data string) error {
	var told struct {
		Tenant  string `json:"tenant_id"`
		Type    string `json:"event_type"`
		Status  State
		Message string
	}
	if json.Unmarshal([]byte(data), &told) != nil || told.Type == "" && told.Status == "" {
		return nil
	}
	if told.Tenant != "" && told.Tenant != s.id {
		return s.noAnswer("its answer is about another tenant")
	}
	s.latest = Event{shown(told.Type, secret.Secret{}), told.Status, shown(told.Message, secret.Secret{})}
	s.each(s.latest)
	s.taken++
	s.ended = isOver(told.Status) || told.Type == "tenant_ready" || told.Type == "provisioning_failed"
	return nil
}

func isUnprintable(r rune) bool { return r < ' ' || r > '~' }
