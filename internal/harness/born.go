package harness

import (
	"regexp"
	"strconv"
	"strings"
)

var (
	bornWith = regexp.MustCompile(`^(?:open.*O_CREAT.*|mkdir.*), 0([0-7]+)(?:\)| <unfinished)`)
	maskedBy = regexp.MustCompile(`^umask\(0?([0-7]+)(?:\)| <unfinished)`)
)

// BornOpen lists the calls that made what others could open, if only for an instant, and counts
// all that made something. The log is of a command under no umask, in which sp ran, with
// execve, umask and all that makes files. Threads, and programs that set no mask of their
// own, have the one of the sp that ran last.
func BornOpen(log, sp string) (open []string, made int) {
	masks, last := map[string]uint64{}, ""
	for line := range strings.Lines(log) {
		pid, call, _ := strings.Cut(line, " ")
		call = strings.TrimSpace(call)
		if strings.HasPrefix(call, `execve("`+sp+`"`) {
			last, masks[pid] = pid, 0
		}
		if set := maskedBy.FindStringSubmatch(call); set != nil {
			masks[pid] = octal(set[1])
		}
		if _, own := masks[pid]; !own {
			pid = last
		}
		if born := bornWith.FindStringSubmatch(call); born != nil {
			made++
			if octal(born[1])&^masks[pid]&0o077 != 0 {
				open = append(open, call)
			}
		}
	}
	return open, made
}

func octal(digits string) uint64 {
	n, _ := strconv.ParseUint(digits, 8, 32) // the expressions take no others
	return n
}
