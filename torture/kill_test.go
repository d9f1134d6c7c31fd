package torture

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// kills is a loop of changes that are ended from outside at random times. Each change
// writes the next number into one tenant, and in ways that take turns.
type kills struct {
	place
	dice         *rand.Rand
	began, acked atomic.Int64  // the numbers that were begun and acknowledged last
	took         time.Duration // by a change that nobody ended, lately
	problems     []string
	outcomes     map[string]int
}

func newKills(t *testing.T) *kills {
	t.Helper()
	k := &kills{place: newPlace(t), dice: dice(1), outcomes: map[string]int{}}
	k.writeDocument(0)
	k.Must("import", "in.json")
	k.Must("export")
	for range 10 {
		require.Empty(t, k.change(0, nil))
	}
	return k
}

// crowd is how many tenants an import changes besides: its pages must take long enough
// to write for some of the kills to come in between.
const crowd = 80

// writeDocument makes the file that an import would take.
func (k *kills) writeDocument(number int64) {
	var more strings.Builder
	for i := range crowd {
		fmt.Fprintf(&more, `, {"id": "m%d", "name": "m%d", "hostname": "%d%s"}`, i, i, number, strings.Repeat("x", 250))
	}
	text := fmt.Sprintf(`{"tenants": [{"id": "n", "name": "n", "database_url": %q, "region": "%d"}, {"id": "other", "name": "other"}%s], "synced_at": "2026-02-01T10:00:00Z"}`,
		numberedURL(number), number, more.String())
	require.NoError(k.T, os.WriteFile(filepath.Join(k.Dir, "in.json"), []byte(text), 0o600))
}

func numberedURL(number int64) string { return fmt.Sprintf("postgres://u:s3cret@h/n-%d", number) }

// command is the change that writes a number.
func (k *kills) args(number int64) []string {
	n := strconv.FormatInt(number, 10)
	if number%3 == 0 {
		k.writeDocument(number)
		return []string{"import", "in.json"}
	}
	return []string{"tenant", "edit", "n", "--region", n, "--database-url", numberedURL(number)}
}

// change writes the next number and, after a while, sends the signal, if there is one.
// It returns what is wrong.
func (k *kills) change(after time.Duration, end os.Signal) string {
	number := k.began.Add(1)
	cmd := k.Command(k.args(number)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	start, before := time.Now(), k.written()
	if err := cmd.Start(); err != nil {
		return err.Error()
	}
	if end != nil {
		k.await(after, before)
		_ = cmd.Process.Signal(end) // it may be gone
	}
	_ = cmd.Wait()
	if end == nil {
		k.took = (3*k.took + time.Since(start)) / 4
	}
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	switch {
	case status.Exited() && status.ExitStatus() == 0:
		k.acked.Store(number)
		k.outcomes["done"]++
		return ""
	case status.Signaled() && end == status.Signal():
		k.outcomes["died"]++
		return ""
	case end != nil && status.ExitStatus() == 128+int(end.(syscall.Signal)):
		k.outcomes["ended"]++
		if there, err := k.there(); err != nil || there == number {
			return fmt.Sprintf("exit %d, and the change was made: %v", status.ExitStatus(), err)
		}
		return ""
	}
	return fmt.Sprintf("%v: %s", cmd.ProcessState, stderr.String())
}

// asItWrites stands for the time at which a change begins to write into the registry's
// file: that takes so little of the whole that hardly a random instant falls into it.
const asItWrites = time.Duration(-1)

// await returns after that long, or at a random instant while the file is written.
func (k *kills) await(after time.Duration, before time.Time) {
	if after != asItWrites {
		time.Sleep(after)
		return
	}
	for start := time.Now(); k.written().Equal(before) && time.Since(start) < 3*k.took; {
	}
	for start, more := time.Now(), time.Duration(k.dice.IntN(500))*time.Microsecond; time.Since(start) < more; {
	}
}

// written is when the registry's file was written last.
func (k *kills) written() time.Time {
	info, err := os.Stat(k.Store("sp.db"))
	require.NoError(k.T, err)
	return info.ModTime()
}

// there is the number in the registry.
func (k *kills) there() (int64, error) {
	o, err := harness.Run(k.Command("tenant", "list", "--json"))
	if err != nil || o.Exit != 0 {
		return 0, fmt.Errorf("a read right after: exit %d: %s%s %w", o.Exit, o.Stdout, o.Stderr, err)
	}
	return numberIn([]byte(o.Stdout))
}

// numberIn reads the number in a list of tenants or an export, which shows it twice.
func numberIn(text []byte) (int64, error) {
	var document struct {
		Tenants []struct {
			ID, Region, Hostname string
			URL                  string `json:"database_url"`
		}
	}
	if err := json.Unmarshal(text, &document); err != nil {
		return 0, err
	}
	all := document.Tenants
	if len(all) != 2+crowd || !strings.HasSuffix(all[0].URL, "/n-"+all[0].Region) {
		return 0, fmt.Errorf("neither old nor new: %.300s", text)
	}
	for _, t := range all[3:] {
		if t.Hostname != all[2].Hostname {
			return 0, fmt.Errorf("half of an import: %.300s", t.Hostname)
		}
	}
	return strconv.ParseInt(document.Tenants[0].Region, 10, 64)
}

// poll reads tenants.json until it is told to stop, and says what is wrong with what
// it saw, and how often it looked.
func (k *kills) poll(stop chan struct{}) (problems []string, looks int) {
	for last := int64(0); ; looks++ {
		select {
		case <-stop:
			return problems, looks
		case <-time.After(time.Millisecond): // the machine is for what is tested
		}
		least := k.acked.Load()
		text, err := os.ReadFile(k.Store("tenants.json"))
		info, gone := os.Lstat(k.Store("tenants.json"))
		most := k.began.Load()
		number, wrong := numberIn(text)
		switch {
		case err != nil || gone != nil || wrong != nil:
			problems = append(problems, fmt.Sprintf("tenants.json: %v %v %v", err, gone, wrong))
		case info.Mode() != 0o600:
			problems = append(problems, fmt.Sprintf("tenants.json has mode %v", info.Mode()))
		case number < least || number > most || number < last:
			problems = append(problems, fmt.Sprintf("tenants.json shows %d, where %d was acknowledged, %d seen before and %d begun last", number, least, last, most))
		}
		last = number
	}
}
