package torture

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/stretchr/testify/require"
)

// event is a system call that succeeded, with its arguments decoded.
type event struct {
	name string
	args []argument
	ret  int
}

// argument is a word, and the path or the text that strace wrote beside it.
type argument struct{ word, text string }

var (
	wholeCall = regexp.MustCompile(`^(\w+)\((.*)\) += (-?\d+|\?)`)
	threadOf  = regexp.MustCompile(`^(\d+) +(.*)$`)
	resumed   = regexp.MustCompile(`^<\.\.\. \w+ resumed>(.*)$`)
	described = regexp.MustCompile(`^([^<"]*)[<"]((?:\\x[0-9a-f]{2})*)[>"](\(deleted\))?$`)
)

// record runs a step with every byte that it writes told.
func (sc *scene) record(line string) []event {
	sc.T.Helper()
	o, log := sc.Traced(strings.Fields(line), "-y", "-xx", "-s", "100000000", "-e", "trace=exit_group,"+writes)
	require.Zero(sc.T, o.Exit, o.Stderr)
	events, err := parse(log)
	require.NoError(sc.T, err)
	return events
}

// parse puts the halves of calls together. A call counts where it ended.
func parse(text string) ([]event, error) {
	var events []event
	begun := map[string]string{}
	for line := range strings.Lines(text) {
		found := threadOf.FindStringSubmatch(strings.TrimSpace(line))
		if found == nil {
			return nil, fmt.Errorf("strace said %q", line)
		}
		thread, said := found[1], found[2]
		if half, yes := strings.CutSuffix(said, " <unfinished ...>"); yes {
			begun[thread] = half
			continue
		}
		if rest := resumed.FindStringSubmatch(said); rest != nil {
			said = begun[thread] + rest[1]
		}
		call := wholeCall.FindStringSubmatch(said)
		if call == nil || strings.HasPrefix(call[3], "-") {
			continue // a signal, or a call that failed
		}
		e := event{name: call[1]}
		e.ret, _ = strconv.Atoi(call[3]) // ? is the return of one that does not
		for _, arg := range strings.Split(call[2], ", ") {
			a, err := decode(arg)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", e.name, err)
			}
			e.args = append(e.args, a)
		}
		events = append(events, e)
	}
	return events, nil
}

func decode(arg string) (argument, error) {
	found := described.FindStringSubmatch(arg)
	if found == nil {
		if strings.ContainsAny(arg, `"<`) {
			return argument{}, fmt.Errorf("strace cut %.80q short", arg)
		}
		return argument{word: arg}, nil
	}
	text, err := hex.DecodeString(strings.ReplaceAll(found[2], `\x`, ""))
	if found[3] != "" { // as the system says it, and strace before 6
		text = append(text, " (deleted)"...)
	}
	return argument{word: found[1], text: string(text)}, err
}
