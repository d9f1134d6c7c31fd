package postgres

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// postmaster is the server's process, as its file says:
//
//	1 its pid, 2 the data, 3 when it started, 4 its port, 5 the directory of its socket, …, 8 how far it is
type postmaster struct {
	pid, port int
	socket    string
	ready     bool
	starting  bool // or it recovers, and takes no connections yet
	stopping  bool
	runs      bool // the process is there, and is this cluster's
}

// PIDFile is where the server says which process it is.
func (c Cluster) PIDFile() string { return filepath.Join(c.data(), "postmaster.pid") }

// postmaster reads the file, which a server that was killed leaves behind.
func (c Cluster) postmaster(ctx context.Context) (m postmaster, err error) {
	text, err := os.ReadFile(c.PIDFile())
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return m, nil
	}
	if err != nil {
		return m, err
	}
	lines := append(strings.Split(string(text), "\n"), make([]string, 8)...)
	if m.pid, err = strconv.Atoi(strings.TrimSpace(lines[0])); err != nil || m.pid <= 1 {
		return postmaster{}, nil // it is being written, or a power cut emptied it: the server judges
	}
	if port, err := strconv.Atoi(strings.TrimSpace(lines[3])); err == nil {
		m.port = port
	}
	m.socket = lines[4]
	switch strings.TrimSpace(lines[7]) {
	case "ready":
		m.ready = true
	case "", "starting":
		m.starting = true
	case "stopping":
		m.stopping = true
	}
	m.runs, err = isServer(ctx, m.pid, c.data())
	return m, err
}

func (c Cluster) namespaceFile() string { return filepath.Join(c.Dir, "namespace") }

// isElsewhere tells whether the server was started where pids mean other processes.
func (c Cluster) isElsewhere() bool {
	text, err := os.ReadFile(c.namespaceFile())
	return err == nil && string(text) != namespace()
}

// namespace is where pids mean what they mean to this process, "" where there is only one.
func namespace() string {
	name, _ := os.Readlink("/proc/self/ns/pid")
	return name
}

// isAlive tells whether there is a process, whosever it is.
func isAlive(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}
