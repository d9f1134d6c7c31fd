package pgtest

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/sp-registry/sp/internal/secret"
)

// cluster is a server that lives as long as the test process.
type cluster struct {
	url  secret.Secret // of its superuser
	log  string
	hold io.Closer // the guard's standard input; nothing else closes it
}

var (
	checking = sync.OnceValues(func() (*cluster, error) { return startCluster("scram-sha-256") })
	trusting = sync.OnceValues(func() (*cluster, error) { return startCluster("trust") })
)

// startCluster makes a cluster in a directory of its own and starts it.
func startCluster(auth string) (c *cluster, err error) {
	for range 3 { // the port that was free may be somebody's meanwhile
		var h home
		if h, err = newHome(); err != nil {
			return nil, err
		}
		if c, err = h.serve(auth, rand.Text()); err == nil {
			return c, nil
		}
	}
	return nil, err
}

// home is the directory of a cluster, and who owns it: a server refuses to run as root.
type home struct {
	dir string
	as  *syscall.SysProcAttr
}

func (h home) data() string { return filepath.Join(h.dir, "data") }
func (h home) log() string  { return filepath.Join(h.dir, "log") }

func newHome() (home, error) {
	dir, err := os.MkdirTemp(searchable(os.TempDir()), "sp-pgtest-")
	// A session of its own: what the terminal interrupts is the test, which then ends the server.
	h := home{dir: dir, as: &syscall.SysProcAttr{Setsid: true}}
	if err != nil || os.Geteuid() != 0 {
		return h, err
	}
	uid, gid := nobody()
	h.as.Credential = &syscall.Credential{Uid: uid, Gid: gid}
	return h, os.Chown(dir, int(uid), int(gid))
}

func nobody() (uid, gid uint32) {
	const usual = 65534
	found, err := user.Lookup("nobody")
	if err != nil {
		return usual, usual
	}
	u, errUser := strconv.ParseUint(found.Uid, 10, 32)
	g, errGroup := strconv.ParseUint(found.Gid, 10, 32)
	if errUser != nil || errGroup != nil {
		return usual, usual
	}
	return uint32(u), uint32(g)
}

// searchable returns a directory for temporary files that others than root get to.
func searchable(dir string) string {
	for at := dir; os.Geteuid() == 0; at = filepath.Dir(at) {
		if info, err := os.Stat(at); err != nil || info.Mode().Perm()&0o001 == 0 {
			return "/tmp"
		}
		if at == filepath.Dir(at) {
			break
		}
	}
	return dir
}

// guard makes a cluster and runs its server until its standard input ends, which it does when
// the test process does, however that comes about; then it takes the directory away.
// A server without its signal handlers yet ignores what a shell makes it ignore, which SIGTERM is not.
const guard = `
bin=$1 dir=$2 auth=$3 port=$4 server=
exec >>"$dir/log" 2>&1
if "$bin/initdb" --no-sync -A "$auth" --pwfile "$dir/password" -U pgtest -E UTF8 --locale C -D "$dir/data"; then
	"$bin/postgres" -D "$dir/data" -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories="$dir" \
		-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off -c shared_buffers=16MB \
		-c log_statement=all -c log_connections=on -c max_prepared_transactions=10 </dev/null &
	server=$!
fi
cat >/dev/null
if [ -n "$server" ]; then
	kill -TERM "$server"
	kill -QUIT "$server"
	wait "$server"
fi
rm -rf "$dir"
`

// serve starts the guard and waits until the server takes connections.
func (h home) serve(auth, password string) (*cluster, error) {
	// A file, not a descriptor: initdb opens it anew, as another user.
	if err := os.WriteFile(filepath.Join(h.dir, "password"), []byte(password), 0o644); err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	sh := exec.Command("/bin/sh", "-c", guard, "guard", programs(), h.dir, auth, strconv.Itoa(port))
	sh.Dir, sh.SysProcAttr = h.dir, h.as
	sh.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "HOME=" + h.dir} // no PG* variable of who tests
	hold, err := sh.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err = errors.Join(sh.Start(), h.wait(port)); err != nil {
		return nil, errors.Join(err, hold.Close())
	}
	url := fmt.Sprintf("postgres://pgtest:%s@127.0.0.1:%d/postgres", password, port)
	return &cluster{url: secret.New(url), log: h.log(), hold: hold}, nil
}

func (h home) wait(port int) error {
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		if h.ready(port) {
			return nil
		}
		said, _ := os.ReadFile(h.log()) // it comes later than its directory
		if time.Now().After(deadline) || bytes.Contains(said, []byte("FATAL")) || bytes.Contains(said, []byte("error")) {
			return fmt.Errorf("the server does not start: %s", said)
		}
	}
}

// ready tells whether the server has written that it takes connections, in the file in which
// pg_ctl looks for it.
func (h home) ready(port int) bool {
	text, err := os.ReadFile(filepath.Join(h.data(), "postmaster.pid"))
	lines := strings.Split(string(text), "\n")
	return err == nil && len(lines) > 7 && lines[3] == strconv.Itoa(port) && strings.TrimSpace(lines[7]) == "ready"
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}
