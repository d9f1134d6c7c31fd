package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/sp-registry/sp/internal/place"
)

// settings end the configuration that initdb makes. A path of over 107 bytes can't be a
// socket's, so there is none. What goes wrong in a statement is its client's to know: it
// would be logged with the statement, passwords and all.
const settings = `
# Made by sp; what stands below has the last word. The port is given at the start.
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 400
shared_buffers = 16MB
max_wal_size = 256MB
min_wal_size = 32MB
log_destination = 'stderr'
logging_collector = off
log_min_messages = fatal
log_min_error_statement = panic
log_statement = none
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
	if err := os.WriteFile(c.passwordFile(), line("", c.Password), 0o600); err != nil {
		return err
	}
	initdb := command{program: c.Programs.Program("initdb"), dir: c.Dir, env: c.env(), files: []*os.File{held.file}, args: []string{
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
	if err := appendTo(filepath.Join(c.unfinished(), "postgresql.conf"), settings); err != nil {
		return err
	}
	if err := os.Rename(c.unfinished(), c.data()); err != nil {
		return err
	}
	return place.SyncDir(c.Dir)
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

func appendTo(path, text string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	return errors.Join(err, file.Sync(), file.Close())
}
