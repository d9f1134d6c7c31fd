package pgtest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

// Pooling is how a pooler goes about it.
type Pooling struct {
	Mode  string         // session, transaction or statement
	Query bool           // it looks passwords up at the server (auth_query), beside those that it was told
	Size  int            // how many connections it has for a login to a database; 0 is 20
	As    *secret.Secret // as whom it logs in to the server; nil is each client's own role
}

// Pooler is a PgBouncer in front of the server of Server, which ends with its test.
type Pooler struct {
	t       testing.TB
	address string
	dir     string
	server  secret.Secret
	how     Pooling
	users   []string // lines of its auth_file
	pid     int
}

// NewPooler starts a pooler that checks passwords (SCRAM-SHA-256) and knows none yet.
func NewPooler(t testing.TB, how Pooling) *Pooler {
	t.Helper()
	server := Server(t)
	program := bouncer()
	switch {
	case program == "" && os.Getenv("SP_REQUIRE_POSTGRES") == "1":
		t.Fatal("pgtest: this machine has no pgbouncer, and SP_REQUIRE_POSTGRES demands it")
	case program == "":
		t.Skip("pgtest: this machine has no pgbouncer (apt-get install pgbouncer)")
	}
	var p *Pooler
	var err error
	for range 3 { // the port that was free may be somebody's meanwhile
		if p, err = startPooler(t, program, server, how); err == nil {
			return p
		}
	}
	t.Fatalf("pgtest: %v", err)
	return nil
}

// bouncer is the path of pgbouncer, "" where there is none. Debian keeps it where only root looks.
func bouncer() string {
	for _, name := range []string{"pgbouncer", "/usr/sbin/pgbouncer"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// poolerGuard runs a pooler until its standard input ends, as guard does a server.
const poolerGuard = `
"$1" "$2/ini" >>"$2/log" 2>&1 </dev/null &
echo $! >"$2/pid"
cat >/dev/null
kill -TERM $!
wait
rm -rf "$2"
`

func startPooler(t testing.TB, program string, server secret.Secret, how Pooling) (*Pooler, error) {
	h, err := newHome()
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	p := &Pooler{t: t, dir: h.dir, server: server, how: how, address: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}
	if err := p.configure(); err != nil {
		return nil, err
	}
	sh := exec.Command("/bin/sh", "-c", poolerGuard, "guard", program, p.dir)
	sh.Dir, sh.SysProcAttr = p.dir, h.as
	sh.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "HOME=" + p.dir}
	hold, err := sh.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := sh.Start(); err != nil {
		return nil, err
	}
	t.Cleanup(func() { p.end(hold, sh) })
	return p, p.wait()
}

// configure writes what the pooler reads, for whom it runs as.
func (p *Pooler) configure() error {
	u, err := pgurl.Parse(p.server)
	if err != nil {
		return err
	}
	at := u.Servers()[0]
	_, own, err := net.SplitHostPort(p.address)
	if err != nil {
		return err
	}
	database := fmt.Sprintf("* = host=%s port=%s", at.Target(), at.PortOr())
	if p.how.Query {
		user, password := loginOf(p.server)
		database += " auth_user=" + user
		p.users = append(p.users, userLine(user, password))
	}
	if p.how.As != nil {
		user, password := loginOf(*p.how.As)
		database += " user=" + user + " password=" + password
	}
	size := 20
	if p.how.Size > 0 {
		size = p.how.Size
	}
	ini := fmt.Sprintf("[databases]\n%s\n[pgbouncer]\nlisten_addr=127.0.0.1\nlisten_port=%s\nauth_type=scram-sha-256\nauth_file=%s\n"+
		"pool_mode=%s\ndefault_pool_size=%d\nserver_login_retry=1\nunix_socket_dir=\n", database, own, filepath.Join(p.dir, "users"), p.how.Mode, size)
	if err := os.WriteFile(filepath.Join(p.dir, "ini"), []byte(ini), 0o644); err != nil {
		return err
	}
	return p.writeUsers()
}

func (p *Pooler) writeUsers() error {
	return os.WriteFile(filepath.Join(p.dir, "users"), []byte(strings.Join(p.users, "")), 0o644)
}

func userLine(user, password string) string { return fmt.Sprintf("%q %q\n", user, password) }

// loginOf cuts the role and the password out of a URL of a test, which needs no escaping.
func loginOf(url secret.Secret) (user, password string) {
	_, rest, _ := strings.Cut(url.Reveal(), "://")
	login, _, _ := strings.Cut(rest, "@")
	user, password, _ = strings.Cut(login, ":")
	return user, password
}

func (p *Pooler) wait() error {
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		c, err := net.Dial("tcp", p.address)
		if err == nil {
			text, err := os.ReadFile(filepath.Join(p.dir, "pid"))
			if err == nil {
				p.pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
			}
			_ = c.Close()
			return err
		}
		if time.Now().After(deadline) {
			said, _ := os.ReadFile(filepath.Join(p.dir, "log"))
			return fmt.Errorf("the pooler does not start: %s", said)
		}
	}
}

func (p *Pooler) end(hold io.Closer, sh *exec.Cmd) {
	_ = hold.Close()
	_ = sh.Wait()
}

// URL is the login of a URL through the pooler.
func (p *Pooler) URL(url secret.Secret) secret.Secret {
	p.t.Helper()
	before, after, found := strings.Cut(url.Reveal(), "@")
	_, path, whole := strings.Cut(after, "/")
	if !found || !whole {
		p.t.Fatal("pgtest: that URL names no login and no database")
	}
	return secret.New(before + "@" + p.address + "/" + path)
}

// Said is what the pooler has written down of its work.
func (p *Pooler) Said() string {
	text, err := os.ReadFile(filepath.Join(p.dir, "log"))
	if err != nil {
		p.t.Error(err)
	}
	return string(text)
}

// Tell lets the pooler know a password for the role of a URL, in place of what it knew.
func (p *Pooler) Tell(url secret.Secret) {
	p.t.Helper()
	user, password := loginOf(url)
	line := userLine(user, password)
	known := func(line string) bool { return strings.HasPrefix(line, fmt.Sprintf("%q ", user)) }
	p.users = append(slices.DeleteFunc(p.users, known), line)
	const again = "got SIGHUP"
	before := strings.Count(p.Said(), again)
	if err := errors.Join(p.writeUsers(), syscall.Kill(p.pid, syscall.SIGHUP)); err != nil {
		p.t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); strings.Count(p.Said(), again) == before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatal("pgtest: the pooler does not read its files again")
		}
	}
}
