package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/sp-registry/sp/internal/place"
)

// settings end the configuration that initdb makes. What it logs and where it has a
// socket is said at the start (arguments).
const settings = `
# Made by sp; what stands below has the last word. The port is given at the start.
listen_addresses = '127.0.0.1'
max_connections = 400
superuser_reserved_connections = 20
shared_buffers = 16MB
max_wal_size = 256MB
min_wal_size = 32MB
log_destination = 'stderr'
logging_collector = off
log_checkpoints = off
log_autovacuum_min_duration = -1
`

func (c Cluster) unfinished() string { return filepath.Join(c.Dir, "data.new") }

func (c Cluster) ownerFile() string { return filepath.Join(c.Dir, "project") }

func (c Cluster) passwordFile() string { return filepath.Join(c.Dir, "password") }

// sweep removes what a command left that was killed while it made the cluster. None is
// at it now: whoever holds the lock is alone, initdb included.
func (c Cluster) sweep() error {
	return errors.Join(os.RemoveAll(c.passwordFile()), os.RemoveAll(c.unfinished()))
}

// make makes the cluster aside, and gives it its name when it is whole. initdb holds the
// lock, too: should sp be killed, the next command waits for its end.
func (c Cluster) make(ctx context.Context, held lock) (err error) {
	if _, err := os.Lstat(c.data()); err == nil {
		return fmt.Errorf("%s: it holds no cluster: %w (move it away)", c.data(), ErrUnusable)
	}
	if !isPlain(c.Password) {
		return fmt.Errorf("the password of the cluster: %w", ErrUnusable)
	}
	// Whoever listens may be the server of data that were moved away while it ran: at its end
	// it writes to where they stood.
	if err := checkPort(c.Port); err != nil {
		return err
	}
	if c.Owner != "" {
		if err := writeFile(c.ownerFile(), []byte(c.Owner+"\n")); err != nil {
			return err
		}
	}
	defer func() { err = errors.Join(err, c.sweep()) }()
	if err := c.prepare(); err != nil {
		return err
	}
	initdb := command{program: c.Programs.Program("initdb"), dir: c.Dir, env: c.env(), as: c.as, files: []*os.File{held.file}, args: []string{
		"--pgdata=" + c.unfinished(), "--username=" + admin, "--pwfile=" + c.passwordFile(), "--auth=scram-sha-256",
		"--encoding=UTF8", "--locale=" + locale(runtime.GOOS), "--lc-messages=C", "--text-search-config=english",
	}}
	_, said, err := initdb.run(ctx)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("initdb: %w", err)
	case err != nil:
		return fmt.Errorf("initdb: %s: %w", c.complaint(said, err), ErrUnusable)
	}
	if err := c.appendTo(filepath.Join(c.unfinished(), "postgresql.conf"), settings); err != nil {
		return err
	}
	if err := os.Rename(c.unfinished(), c.data()); err != nil {
		return err
	}
	return place.SyncDir(c.Dir)
}

// prepare makes what initdb is given: a file with the password and, for an account that may make nothing in
// the cluster's directory, the one for the data.
func (c Cluster) prepare() error {
	if err := os.WriteFile(c.passwordFile(), line("", c.Password), 0o600); err != nil {
		return err
	}
	if !c.as.lent {
		return nil
	}
	return errors.Join(c.as.own(c.passwordFile()), os.Mkdir(c.unfinished(), 0o700), c.as.own(c.unfinished()))
}

// locale is one that the system has without asking for it to be installed.
func locale(system string) string {
	if system == "linux" {
		return "C.UTF-8"
	}
	return "en_US.UTF-8"
}

// complaint is what a program says is wrong, in a line.
func (c Cluster) complaint(said string, err error) string {
	var worst string
	for text := range strings.Lines(said) {
		for _, level := range []string{"PANIC:", "FATAL:", "ERROR:", "error:"} {
			if _, after, found := strings.Cut(text, level); found {
				worst = strings.TrimSpace(after)
			}
		}
	}
	if worst == "" {
		worst = lastLine(said)
	}
	if worst == "" {
		worst = err.Error()
	}
	return without(c.Password, worst)
}

// appendTo appends to a file of whose directory the account is the owner: what it put there must not lead
// root to write elsewhere.
func (c Cluster) appendTo(path, text string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err == nil && (!info.Mode().IsRegular() || place.Owner(info) != c.as.owner()) {
		err = fmt.Errorf("%s: it is not what initdb made: %w", path, ErrUnusable)
	}
	if err == nil {
		_, err = file.WriteString(text)
	}
	return errors.Join(err, file.Sync(), file.Close())
}
