package pgtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
)

// places are where a server's programs are that are not in PATH: Debian and Red Hat keep
// them out of it, for they may be of several versions.
var places = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/opt/homebrew/opt/postgresql@*/bin",
	"/usr/local/opt/postgresql@*/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

// programs returns the directory of a server's programs, of SP_POSTGRES_BIN alone if that
// names one; "" where there are none.
var programs = sync.OnceValue(func() string {
	if named := os.Getenv("SP_POSTGRES_BIN"); named != "" {
		if !complete(named) {
			return ""
		}
		return named
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil && complete(filepath.Dir(path)) {
			return filepath.Dir(path)
		}
	}
	for _, place := range places {
		found, _ := filepath.Glob(place) // the patterns are well formed
		slices.SortFunc(found, func(a, b string) int { return version(b) - version(a) })
		for _, dir := range found {
			if complete(dir) {
				return dir
			}
		}
	}
	return ""
})

// complete tells a server's programs from those of a client alone.
func complete(dir string) bool {
	for _, name := range []string{"initdb", "postgres"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.IsDir() {
			return false
		}
	}
	return true
}

// version returns the first number in a path, as a server's programs have it.
func version(dir string) int {
	digit := func(r rune) bool { return r >= '0' && r <= '9' }
	runes := []rune(dir)
	start := slices.IndexFunc(runes, digit)
	if start < 0 {
		return 0
	}
	end := start
	for end < len(runes) && digit(runes[end]) {
		end++
	}
	n, _ := strconv.Atoi(string(runes[start:end])) // too long for a number: not the newest
	return n
}
