package db

import (
	"errors"
	"net/url"
	"strconv"
	"time"

	"modernc.org/sqlite"
)

// These hold for every connection: SQLite's own advice for a file that another
// hand may have written. _dqs=0 makes a misspelt "column" an error instead of a string.
var wary = []string{"trusted_schema(0)", "cell_size_check(1)", "mmap_size(0)"}

// Temporary tables are kept off the disk, but for what sorts very many rows.
var (
	inMemory = append([]string{"temp_store(2)"}, wary...)
	onDisk   = append([]string{"temp_store(1)", "threads(1)", "cache_size(-1000)"}, wary...)
)

// readDSN opens for reading. It is mode=rw with query_only and not mode=ro,
// because only so can SQLite roll back what a killed writer left. It never waits:
// a reader that meets BUSY queues on the lock instead (see Read).
func readDSN(path string) string {
	return dsn(path, url.Values{
		"_busy_timeout": {"0"},
		"_query_only":   {"1"},
	}, inMemory)
}

// writeDSN opens for writing under the lock. The journal is emptied at a commit, and not
// removed: it is the file that .place records, and no before-image with a secret stays.
func writeDSN(path string, wait time.Duration, foreignKeys bool) string {
	return changeDSN(path, wait, foreignKeys, "TRUNCATE", inMemory)
}

// stagedDSN is writeDSN for a file that is about to get the registry's name, and whose
// journal would be left behind. EXTRA, not FULL: FULL does not sync the directory after
// the journal is unlinked, so a power cut could take back the commit.
func stagedDSN(path string, wait time.Duration, foreignKeys bool) string {
	return changeDSN(path, wait, foreignKeys, "DELETE", inMemory)
}

// bulkDSN is writeDSN for very many new rows, whose names and ids are sorted for their
// indexes on the disk, in files without a name, instead of in memory, and with a second
// thread, which takes a tenth off an import of a million tenants. Half of the usual cache
// does as well there, for each page is filled once.
func bulkDSN(path string, wait time.Duration) string {
	return changeDSN(path, wait, true, "TRUNCATE", onDisk)
}

func changeDSN(path string, wait time.Duration, foreignKeys bool, journal string, pragmas []string) string {
	return dsn(path, url.Values{
		"_busy_timeout": {milliseconds(wait)},
		"_foreign_keys": {flag(foreignKeys)},
		"_journal_mode": {journal},
		"_synchronous":  {"EXTRA"},
		"_txlock":       {"immediate"},
	}, append([]string{"secure_delete(1)"}, pragmas...))
}

// bornDSN opens such a file for the change that makes it, of very many rows or few.
func bornDSN(path string, bulk bool) string {
	pragmas := inMemory
	if bulk {
		pragmas = onDisk
	}
	return dsn(path, url.Values{
		"_foreign_keys": {"1"}, "_journal_mode": {"MEMORY"}, "_synchronous": {"OFF"}, "_txlock": {"immediate"},
	}, append([]string{"secure_delete(1)"}, pragmas...))
}

// newDSN opens a file that nobody else knows yet, and that is synced when it is whole.
func newDSN(path string) string {
	return dsn(path, url.Values{"_foreign_keys": {"1"}, "_journal_mode": {"MEMORY"}, "_synchronous": {"OFF"}}, inMemory)
}

// recheckDSN opens for reading under the lock, on which nobody can queue then.
func recheckDSN(path string, wait time.Duration) string {
	return dsn(path, url.Values{"_busy_timeout": {milliseconds(wait)}, "_query_only": {"1"}}, inMemory)
}

// copyDSN opens for VACUUM INTO, which only reads the file but is a writing
// statement to query_only.
func copyDSN(path string, wait time.Duration) string {
	return dsn(path, url.Values{"_busy_timeout": {milliseconds(wait)}}, inMemory)
}

// dsn builds a `file:` URI; a plain path would lose `mode`, and `?` or `%` in it.
func dsn(path string, values url.Values, pragmas []string) string {
	values.Set("mode", "rw")
	values.Set("_defensive", "1")
	values.Set("_dqs", "0")
	values.Set("_error_rc", "1")
	values["_pragma"] = pragmas
	return (&url.URL{Scheme: "file", Path: path, RawQuery: values.Encode()}).String()
}

func milliseconds(wait time.Duration) string {
	return strconv.FormatInt(max(wait.Milliseconds(), 0), 10)
}

func flag(on bool) string {
	if on {
		return "1"
	}
	return "0"
}

// Harden sets what holds for the whole process, before anything is opened. Open
// file description locks are not lost when some other code here opens and closes
// the same file; pragmas that SQLite does not know become errors.
func Harden() error {
	sqlite.StrictPragmas(true)
	_, err := sqlite.OFDLocking(true)
	if errors.Is(err, sqlite.ErrOFDLockingUnavailable) {
		return nil // no such locks on this system; then nothing else may open the file, and nothing does
	}
	mayOpen.Store(err == nil)
	return err
}
