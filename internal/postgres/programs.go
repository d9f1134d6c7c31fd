package postgres

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// needed are the programs without which there is no server.
var needed = []string{"postgres", "initdb", "pg_ctl"}

// oldest is the first major version that can do all that sp asks of a server.
const oldest = 13

// known are the places where systems put the programs without having them in PATH.
var known = []string{
	"/usr/lib/postgresql/*/bin",          // Debian and Ubuntu
	"/usr/pgsql-*/bin",                   // the project's own packages for Red Hat
	"/usr/libexec/postgresql*",           // Alpine
	"/opt/homebrew/opt/postgresql@*/bin", // Homebrew
	"/usr/local/opt/postgresql@*/bin",    // Homebrew on Intel
	"/Applications/Postgres.app/Contents/Versions/*/bin",
	"/Library/PostgreSQL/*/bin",
	"/usr/local/pgsql/bin",
}

// Programs are a PostgreSQL server's programs: the directory in which they are, and
// their major version.
type Programs struct{ Dir, Version string }

// Program returns the path of one of the programs.
func (p Programs) Program(name string) string { return filepath.Join(p.Dir, name) }

// Home is the place where the system has put the programs, if Dir only has links to them, as from one that a
// newer version takes over; else it is Dir.
func (p Programs) Home() string {
	own, err := os.Stat(p.Program("postgres"))
	if err != nil {
		return p.Dir
	}
	for _, dir := range places() {
		if there, err := os.Stat(filepath.Join(dir, "postgres")); err == nil && os.SameFile(own, there) {
			return dir
		}
	}
	return p.Dir
}

// FindPrograms returns the programs of this machine for the cluster in a directory: of the
// version that made it, for no other can use its data; without a cluster, or those, the
// newest. It looks in path and where systems put them, and takes the first of the same
// version. If a directory is named, it looks nowhere else. Without any the error is ErrNone.
func FindPrograms(named string, path []string, cluster string) (Programs, error) {
	if named != "" {
		return programsIn(named)
	}
	made := ""
	if cluster != "" { // what can't be read there is refused when the server is to start
		made, _ = Cluster{Dir: cluster}.madeBy()
	}
	var newest Programs
	for _, dir := range append(path[:len(path):len(path)], places()...) {
		found, err := programsIn(dir)
		if err != nil {
			continue
		}
		if found.Version == made {
			return found, nil
		}
		if newest.Dir == "" || found.major() > newest.major() {
			newest = found
		}
	}
	if newest.Dir == "" {
		return Programs{}, fmt.Errorf("the programs of PostgreSQL %d or newer: %w", oldest, ErrNone)
	}
	return newest, nil
}

// places are the known places of this machine.
func places() (dirs []string) {
	for _, pattern := range known {
		if found, err := filepath.Glob(pattern); err == nil {
			dirs = append(dirs, found...)
		}
	}
	return dirs
}

// programsIn returns the programs in a directory, if all are there.
func programsIn(dir string) (Programs, error) {
	if !filepath.IsAbs(dir) { // it would be another one elsewhere
		return Programs{}, fmt.Errorf("%s: not an absolute path: %w", dir, ErrNone)
	}
	p := Programs{Dir: dir}
	for _, name := range needed {
		if info, err := os.Stat(p.Program(name)); err != nil || !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
			return Programs{}, fmt.Errorf("%s: PostgreSQL's program %s: %w", dir, name, ErrNone)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	said, _, err := command{program: p.Program("postgres"), args: []string{"--version"}, env: []string{"LC_ALL=C"}}.run(ctx)
	if err != nil {
		return Programs{}, fmt.Errorf("%s: %w: %w", p.Program("postgres"), ErrNone, err)
	}
	if p.Version = majorOf(said); p.major() < oldest {
		return Programs{}, fmt.Errorf("%s: PostgreSQL %s, and %d is the oldest that will do: %w", dir, p.Version, oldest, ErrNone)
	}
	return p, nil
}

// majorOf finds the major version in `postgres (PostgreSQL) 15.18 (Debian 15.18-1)`, empty if
// none is there.
func majorOf(said string) string {
	_, after, _ := strings.Cut(said, ") ")
	end := strings.IndexFunc(after, func(r rune) bool { return r < '0' || r > '9' })
	return after[:max(end, 0)]
}

// DemandsSCRAM tells whether a psql can demand SCRAM of a server, by PGREQUIREAUTH.
func DemandsSCRAM(ctx context.Context, psql string, env []string) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	said, _, err := command{program: psql, args: []string{"--version"}, env: env}.run(ctx)
	return err == nil && Programs{Version: majorOf(said)}.major() >= 16
}

func (p Programs) major() int {
	n, err := strconv.Atoi(p.Version)
	if err != nil {
		return 0
	}
	return n
}
