// Package peers gathers the programs that are compared: sp itself, and those that it is
// measured against as far as this machine has them.
package peers

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Peer is a program that can be measured.
type Peer struct {
	Name    string // with its version, where that matters
	Path    string
	Version string
}

// Set is the peers that are there.
type Set struct {
	SP, Twin     Peer // Twin is a second copy of SP: a run against it must show nothing
	Empty        Peer // a program in Go that does nothing
	Gauge        Peer // measures the others
	Writer       Peer // changes a registry without pause
	Serde        *Peer
	SQLite       *Peer
	Copy         *Peer // cp
	JQ           []Peer
	Linked       []Peer // sp with libraries that it does not have yet
	WithoutAge   *Peer  // sp with one that it has taken out
	Dir, builtIn string // Dir holds them all
}

// Workshop is where peers are built.
type Workshop struct {
	Root  string   // of the module
	Dir   string   // to build in, emptied by who made it
	Cache string   // what is slow to build is kept there
	Extra string   // a directory of further ones: jq-1.7.1, …
	Env   []string // of the builds
	Note  func(format string, args ...any)
}

// Gather builds and finds the peers, and copies every one of them into one directory in
// the same way: two files of the same bytes differed by 12 % because the linker wrote one
// and cp the other. What this machine lacks is noted and left out.
func (w Workshop) Gather() (Set, error) {
	s := Set{Dir: filepath.Join(w.Dir, "bin"), builtIn: filepath.Join(w.Dir, "built")}
	if err := errors.Join(os.MkdirAll(s.Dir, 0o700), os.MkdirAll(s.builtIn, 0o700)); err != nil {
		return s, err
	}
	if err := w.ours(&s); err != nil {
		return s, err
	}
	w.linked(&s)
	s.Serde = w.optional(s, "serde", w.serde)
	s.SQLite = w.optional(s, "sqlite3", w.onPath("sqlite3"))
	s.Copy = w.optional(s, "cp", w.onPath("cp"))
	w.jq(&s)
	return s, nil
}

// ours builds what is always there.
func (w Workshop) ours(s *Set) error {
	for _, p := range []struct {
		to        *Peer
		name, pkg string
	}{
		{&s.SP, "sp", "./cmd/sp"},
		{&s.Twin, "sp-twin", "./cmd/sp"},
		{&s.Empty, "empty", "./bench/peers/empty"},
		{&s.Gauge, "gauge", "./bench/gauge"},
		{&s.Writer, "writer", "./bench/peers/writer"},
	} {
		built := filepath.Join(s.builtIn, p.name)
		if err := w.goBuild(built, p.pkg); err != nil {
			return err
		}
		peer, err := s.take(p.name, built)
		if err != nil {
			return err
		}
		*p.to = peer
	}
	return nil
}

// goBuild builds with the flags of `make build`.
func (w Workshop) goBuild(to, pkg string, flags ...string) error {
	_, err := w.tool(w.Root, "make", "-s", "build-like", "TO="+to, "PACKAGE="+pkg, "FLAGS="+strings.Join(flags, " "))
	return err
}

// tool runs what builds peers.
func (w Workshop) tool(dir, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, w.Env
	out, err := cmd.CombinedOutput()
	text := strings.TrimSpace(string(out))
	if err != nil {
		return text, fmt.Errorf("%s: %w: %s", name, err, text[max(0, len(text)-400):])
	}
	return text, nil
}

// optional takes a peer, or notes why it is not there.
func (w Workshop) optional(s Set, name string, find func(Set) (string, error)) *Peer {
	path, err := find(s)
	if err == nil {
		var peer Peer
		if peer, err = s.take(name, path); err == nil {
			peer.Version = w.version(peer.Path)
			return &peer
		}
	}
	w.Note("skipped: %s: %v", name, err)
	return nil
}

func (w Workshop) onPath(name string) func(Set) (string, error) {
	return func(Set) (string, error) { return exec.LookPath(name) }
}

// version is the first line of what --version answers; serde's is in its lock file.
func (w Workshop) version(path string) string {
	text, err := w.tool(w.Dir, path, "--version")
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(text, "\n")
	return strings.Join(strings.Fields(line)[:min(2, len(strings.Fields(line)))], " ")
}

// Fresh copies a program once more. It is removed before another one is copied.
func (s Set) Fresh(p Peer) (Peer, error) { return s.take(p.Name, p.Path) }

// Remove removes a copy.
func (p Peer) Remove() error { return os.Remove(p.Path) }

// Forget has the page cache forget a program and read it by running it once, as after a reboot.
func (p Peer) Forget() error {
	file, err := os.Open(p.Path)
	if err != nil {
		return err
	}
	err = errors.Join(unix.Fadvise(int(file.Fd()), 0, 0, unix.FADV_DONTNEED), file.Close())
	if err != nil {
		return err
	}
	return exec.Command(p.Path, "version").Run()
}

// take copies a program to the others. All paths are of one length: five letters more
// on the stack of a new process cost sp a page fault and two per cent.
func (s Set) take(name, from string) (Peer, error) {
	there, err := os.ReadDir(s.Dir)
	to := filepath.Join(s.Dir, fmt.Sprintf("p%02d", len(there)))
	return Peer{Name: name, Path: to}, errors.Join(err, copyProgram(to, from))
}

func copyProgram(to, from string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o700)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	return out.Sync()
}
