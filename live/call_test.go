package live

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// call is a system call as strace tells it. sp lets nobody look into it, so that strace sees
// neither the paths nor whose descriptors they are, but for those before it has said so.
type call struct {
	name string
	on   string
	// How many of this name there were until now: in its thread, as strace counts, and in all,
	// and of those on the same kind of thing.
	nth, all, rank int
	injected       bool
	row            bool // it comes right behind one of the same name
}

// place is what a call is the same by in each run.
func (c call) place() string { return fmt.Sprint(c.name, c.on, c.rank) }

// tries are the numbers at which a call is looked for: Go may have moved the command to another
// thread each time, which begins to count anew. What goes to a server is worth more of them: it
// is little, and moves most.
func (c call) tries() []int {
	tries := []int{c.nth, c.all, c.nth}
	for n := 1; c.on == aSocket && n <= 4; n++ {
		tries = append(tries, max(1, n*c.all/4-n%2))
	}
	return tries
}

// What a call is on.
const (
	aPath, aFile, aSocket = "path", "file", "socket"
	aStream               = "stream"  // standard input, output or error
	another               = "another" // of Go's runtime, of a child, or before sp began
)

// injected ends what strace tells of a call that it has tampered with.
const injected = "(INJECTED)"

var (
	callLine = regexp.MustCompile(`^(\d+) +(?:(\w+)\((\w*)|<\.\.\. (\w+) resumed>)(.*)$`)
	answered = regexp.MustCompile(`\) += (-?\d+)`)
)

// descriptors is what the open ones are, by their numbers.
type descriptors map[string]string

// callsIn parses what strace told. A call that did not end before another thread's is told
// twice and counts where it began.
func callsIn(log string) (calls []call) {
	counted, open, last, begun := map[string]int{}, descriptors{}, "", map[string]int{}
	for line := range strings.Lines(log) {
		found := callLine.FindStringSubmatch(strings.TrimSpace(line))
		if found == nil {
			continue // a signal, or an end
		}
		thread, name, first, rest := found[1], found[2], found[3], found[5]
		if name == "" {
			open.opened(found[4], "", rest)
			if at, ok := begun[thread]; ok && strings.HasSuffix(rest, injected) {
				calls[at].injected = true
			}
			continue
		}
		counted[name]++
		counted[thread+name]++
		on := open.on(name, first, rest)
		counted[name+" "+on]++
		calls = append(calls, call{
			name: name, on: on, nth: counted[thread+name], all: counted[name], rank: counted[name+" "+on],
			injected: strings.HasSuffix(rest, injected), row: name == last,
		})
		last, begun[thread] = name, len(calls)-1
		open.opened(name, first, rest)
	}
	return calls
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
