package live

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/sp-registry/sp/internal/harness"
)

// What a call is on. sp lets nobody look into it, so that strace sees neither the paths nor whose
// descriptors they are, but for those before it has said so.
const (
	aPath, aFile, aSocket = "path", "file", "socket"
	aStream               = "stream"  // standard input, output or error
	another               = "another" // of Go's runtime, of a child, or before sp began
)

// placeOf is what a call is the same by in each run.
func placeOf(c harness.Call) string { return fmt.Sprint(c.Name, c.On, c.Rank) }

// tries are the numbers at which a call is looked for: Go may have moved the command to another
// thread each time, which begins to count anew. What goes to a server is worth more of them: it
// is little, and moves most.
func tries(c harness.Call) []int {
	tries := []int{c.Nth, c.All, c.Nth}
	for n := 1; c.On == aSocket && n <= 4; n++ {
		tries = append(tries, max(1, n*c.All/4-n%2))
	}
	return tries
}

var (
	firstWord = regexp.MustCompile(`^\w*`)
	answered  = regexp.MustCompile(`\) += (-?\d+)`)
)

// descriptors is what the open ones are, by their numbers.
type descriptors map[string]string

// see is told of a call, and says what it is on.
func (d descriptors) see(name, args string, begins bool) (on string) {
	first := ""
	if begins {
		first = firstWord.FindString(args)
		on = d.on(name, first, args)
	}
	d.opened(name, first, args)
	return on
}

// opened notes what a call makes of a descriptor.
func (d descriptors) opened(name, first, rest string) {
	if name == "close" {
		delete(d, first)
		return
	}
	answer := answered.FindStringSubmatch(rest)
	if answer == nil || strings.HasPrefix(answer[1], "-") {
		return
	}
	switch name {
	case "socket":
		d[answer[1]] = aSocket
	case "open", "openat":
		d[answer[1]] = aFile
	}
}

// withPaths are calls that name a file by its path.
var withPaths = []string{"open", "openat", "mkdirat", "renameat", "renameat2", "linkat", "unlink", "unlinkat", "newfstatat"}

// on tells what a call is on. A path that can be read is not sp's, or from before it began.
func (d descriptors) on(name, first, rest string) string {
	number, err := strconv.Atoi(first)
	switch {
	case slices.Contains(withPaths, name):
		if strings.Contains(rest, `"`) {
			return another
		}
		return aPath
	case name == "socket":
		return aSocket
	case err == nil && number <= 2:
		return aStream
	case d[first] != "":
		return d[first]
	case slices.Contains([]string{"pread64", "pwrite64", "fsync", "ftruncate", "fchmod", "flock", "getdents64"}, name):
		return aFile
	}
	return another
}
