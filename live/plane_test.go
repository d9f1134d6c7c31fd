package live

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/sp-registry/sp/internal/harness"
)

// plane is a control plane that runs as a process, in a directory of its own.
type plane struct {
	url  string
	cmd  *exec.Cmd
	said *said
	end  chan struct{} // closed when it has ended
}

// said is what a process says to standard error, as far as it got.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func spd() string { return filepath.Join(os.Getenv(homeVariable), "bin", "spd") }

// startPlane starts a command that is, or becomes, spd, and waits until it listens.
func startPlane(cmd *exec.Cmd) (*plane, error) {
	p := &plane{cmd: cmd, said: &said{}, end: make(chan struct{})}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // what it started ends with it
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	listens := make(chan string, 1)
	go func() {
		defer close(p.end)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			_, _ = fmt.Fprintln(p.said, lines.Text())
			if _, url, found := strings.Cut(lines.Text(), "listening on "); found {
				listens <- url
			}
		}
		_ = cmd.Wait()
	}()
	select {
	case p.url = <-listens:
		return p, nil
	case <-p.end:
		return nil, fmt.Errorf("spd ended before it listened: %s", p.said)
	case <-time.After(time.Minute):
		return nil, errors.Join(fmt.Errorf("spd does not listen: %s", p.said), p.kill())
	}
}

// kill ends it as a power cut would.
func (p *plane) kill() error { return p.signal(syscall.SIGKILL) }

// stop ends it as its operator does.
func (p *plane) stop() error { return p.signal(syscall.SIGTERM) }

func (p *plane) signal(s syscall.Signal) error {
	if err := syscall.Kill(-p.cmd.Process.Pid, s); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	select {
	case <-p.end:
		return nil
	case <-time.After(time.Minute):
		return fmt.Errorf("spd does not end: %s", p.said)
	}
}

// answer is what a control plane answered.
type answer struct {
	status int
	header http.Header
	text   []byte
}

// member is one of the answer.
func (a answer) member(path string) string {
	var document any
	if json.Unmarshal(a.text, &document) != nil {
		return ""
	}
	return fmt.Sprint(harness.Member(document, path))
}

// callPlane asks a control plane: headers are words such as "If-Match: *".
func callPlane(ctx context.Context, url, token, method, path, body string, headers ...string) (a answer, err error) {
	r, err := http.NewRequestWithContext(ctx, method, url+path, strings.NewReader(body))
	if err != nil {
		return a, err
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	response, err := planeClient.Do(r)
	if err != nil {
		return a, err
	}
	defer func() { _ = response.Body.Close() }()
	a.status, a.header = response.StatusCode, response.Header
	a.text, err = io.ReadAll(response.Body)
	return a, err
}

// planeClient keeps enough connections for many who ask at once, and knows no proxy.
var planeClient = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}

// The commands of scripts.

type planeKey struct{}

// runPlane starts the script's control plane, and puts its URL into PLANE, or ends it: `plane
// [ARGUMENT...]`, `plane stop`, `plane kill`, `plane again` where it was. It ends with the script.
func runPlane(ts *testscript.TestScript, neg bool, args []string) {
	held := ts.Value(planeKey{}).(*plane)
	if neg {
		ts.Fatalf("usage: plane [stop | kill | again | argument...]")
	}
	if len(args) == 1 && args[0] == "kill" {
		ts.Check(held.kill())
		return
	}
	if len(args) == 1 && args[0] == "stop" {
		ts.Check(held.stop())
		return
	}
	listen := "127.0.0.1:0"
	if len(args) == 1 && args[0] == "again" {
		listen, args = strings.TrimPrefix(held.url, "http://"), nil
	}
	cmd := exec.Command(spd(), append([]string{"--dir", ts.Getenv("SPD_DIR"), "--listen", listen}, args...)...)
	cmd.Dir, cmd.Env = ts.MkAbs("."), plainEnvironment(ts.Getenv("WORK"))
	started, err := startPlane(cmd)
	ts.Check(err)
	*held = *started
	ts.Defer(func() { ts.Check(started.stop()) })
	ts.Setenv("PLANE", started.url)
}

// call asks the control plane at PLANE with the token in TOKEN, and wants a status: `call STATUS
// METHOD PATH [BODY [HEADER...]]`. With ! it may take a while until the status is that.
func call(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: call status method path [body [header...]]")
	}
	body, headers := "", []string(nil)
	if len(args) > 3 {
		body, headers = args[3], args[4:]
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		a, err := callPlane(ctx, ts.Getenv("PLANE"), ts.Getenv("TOKEN"), args[1], args[2], body, headers...)
		ts.Check(err)
		if fmt.Sprint(a.status) != args[0] && neg {
			time.Sleep(20 * time.Millisecond)
			continue
		}
		_, err = ts.Stdout().Write(a.text)
		ts.Check(err)
		for _, name := range []string{"Content-Type", "Retry-After", "Location", "Allow"} {
			if value := a.header.Get(name); value != "" {
				_, err = fmt.Fprintf(ts.Stderr(), "%s: %s\n", name, value)
				ts.Check(err)
			}
		}
		if fmt.Sprint(a.status) != args[0] {
			ts.Fatalf("%s %s: %d, want %s: %s", args[1], args[2], a.status, args[0], a.text)
		}
		return
	}
}
