package db

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// refused says what each file is, why it is refused, and how it comes to be at
// the path of a whole registry.
var refused = map[string]struct {
	why  error
	make func(t *testing.T, path string)
}{
	"missing": {ErrMissing, func(t *testing.T, path string) { require.NoError(t, os.Remove(path)) }},
	"empty":   {ErrForeign, func(t *testing.T, path string) { require.NoError(t, os.Truncate(path, 0)) }},
	"one byte": {ErrForeign, func(t *testing.T, path string) {
		require.NoError(t, os.WriteFile(path, []byte("x"), 0o600))
	}},
	"garbage": {ErrForeign, func(t *testing.T, path string) {
		require.NoError(t, os.WriteFile(path, bytes.Repeat([]byte{0xee, 0x01, 0x00, 0x7f}, 5000), 0o600))
	}},
	"text": {ErrForeign, func(t *testing.T, path string) {
		require.NoError(t, os.WriteFile(path, []byte("dear diary\n"), 0o600))
	}},
	"JSON": {ErrForeign, func(t *testing.T, path string) {
		require.NoError(t, os.WriteFile(path, []byte(`{"tenants":[],"synced_at":"2026-02-01T10:00:00Z"}`), 0o600))
	}},
	"another application's": {ErrForeign, func(t *testing.T, path string) {
		harness.Mess(t, path, "PRAGMA application_id = 7")
	}},
	"another application's, with a log of its own": {ErrForeign, func(t *testing.T, path string) {
		harness.Mess(t, path, "PRAGMA application_id = 7", "PRAGMA journal_mode = WAL")
	}},
	"another application's, with a log that it has not written back": {ErrForeign, func(t *testing.T, path string) {
		harness.Mess(t, path, "PRAGMA application_id = 7", "PRAGMA journal_mode = WAL")
		mustExec(t, harness.OpenSQLite(t, path), "CREATE TABLE theirs (x)") // and it stays open
	}},
	"another application's, killed while it wrote": {ErrForeign, func(t *testing.T, path string) {
		harness.Mess(t, path, "PRAGMA application_id = 7")
		mustSpill(t, path)
	}},
	"too short for a header": {ErrForeign, func(t *testing.T, path string) {
		require.NoError(t, os.Truncate(path, 99))
	}},
	"no application's": {ErrForeign, func(t *testing.T, path string) {
		harness.Mess(t, path, "PRAGMA application_id = 0", "PRAGMA user_version = 0")
	}},
	"newer": {ErrNewer, func(t *testing.T, path string) { harness.Mess(t, path, "PRAGMA user_version = 1000") }},
	"symbolic link": {ErrUnsafe, func(t *testing.T, path string) {
		require.NoError(t, os.Rename(path, path+".real"))
		require.NoError(t, os.Symlink(path+".real", path))
	}},
	"dangling symbolic link": {ErrUnsafe, func(t *testing.T, path string) {
		require.NoError(t, os.Remove(path))
		require.NoError(t, os.Symlink(path+".real", path))
	}},
	"directory": {ErrUnsafe, func(t *testing.T, path string) {
		require.NoError(t, os.Remove(path))
		require.NoError(t, os.Mkdir(path, 0o700))
	}},
	"fifo": {ErrUnsafe, func(t *testing.T, path string) {
		require.NoError(t, os.Remove(path))
		require.NoError(t, syscall.Mkfifo(path, 0o600))
	}},
	"a journal that is a link": {ErrUnsafe, func(t *testing.T, path string) {
		mustSpill(t, path)
		require.NoError(t, os.Rename(path+"-journal", path+".real"))
		require.NoError(t, os.Symlink(path+".real", path+"-journal"))
	}},
	"a journal that others can write": {ErrUnsafe, func(t *testing.T, path string) {
		mustSpill(t, path)
		require.NoError(t, os.Chmod(path+"-journal", 0o666))
	}},
	"a journal with another name": {ErrUnsafe, func(t *testing.T, path string) {
		mustSpill(t, path)
		require.NoError(t, os.Link(path+"-journal", path+".two"))
	}},
	"another owner's journal": {ErrUnsafe, func(t *testing.T, path string) {
		if os.Getuid() != 0 {
			t.Skip("only root can give a file away")
		}
		mustSpill(t, path)
		require.NoError(t, os.Chown(path+"-journal", 12345, 12345))
	}},
	"a log that is a link": {ErrUntrusted, func(t *testing.T, path string) { require.NoError(t, os.Symlink("x", path+"-wal")) }},
	"a shared memory of others": {ErrUntrusted, func(t *testing.T, path string) {
		require.NoError(t, os.WriteFile(path+"-shm", nil, 0o600))
		require.NoError(t, os.Chmod(path+"-shm", 0o644))
	}},
	"hard link":         {ErrUnsafe, func(t *testing.T, path string) { require.NoError(t, os.Link(path, path+".two")) }},
	"readable by all":   {ErrUnsafe, func(t *testing.T, path string) { require.NoError(t, os.Chmod(path, 0o644)) }},
	"readable by group": {ErrUnsafe, func(t *testing.T, path string) { require.NoError(t, os.Chmod(path, 0o640)) }},
	"writable by all":   {ErrUnsafe, func(t *testing.T, path string) { require.NoError(t, os.Chmod(path, 0o602)) }},
	"another owner's": {ErrUnsafe, func(t *testing.T, path string) {
		if os.Getuid() != 0 {
			t.Skip("only root can give a file away")
		}
		require.NoError(t, os.Chown(path, 12345, 12345))
	}},
}

// tries are all the ways to get at a registry that is there.
var tries = map[string]func(t *testing.T, path string) error{
	"Read": func(t *testing.T, path string) error {
		d, err := Open(t.Context(), path, hasty)
		if err != nil {
			return err
		}
		defer func() { require.NoError(t, d.Close()) }()
		read, err := d.Read(t.Context())
		if err == nil {
			read.Close()
		}
		return err
	},
	"Write": func(t *testing.T, path string) error {
		d, err := Open(t.Context(), path, hasty)
		if err != nil {
			return err
		}
		defer func() { require.NoError(t, d.Close()) }()
		w, err := d.Write(t.Context())
		if err == nil {
			err = w.Close()
		}
		return err
	},
	"Create": func(t *testing.T, path string) error {
		d, _, err := Create(t.Context(), path, hasty, seed)
		if err != nil {
			return err
		}
		defer func() { require.NoError(t, d.Close()) }()
		read, err := d.Read(t.Context())
		if err == nil {
			read.Close()
		}
		return err
	},
}

func TestWhatIsNotARegistryIsRefusedAndLeftUntouched(t *testing.T) {
	t.Parallel()
	for what, r := range refused {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			path := mustCreate(t)
			r.make(t, path)
			before := fingerprint(t, path)
			for how, try := range tries {
				if r.why == ErrMissing && how == "Create" {
					continue // makes it, as another test shows
				}
				result := make(chan error, 1)
				go func() { result <- try(t, path) }()
				select {
				case err := <-result:
					require.ErrorIs(t, Explain(err), r.why, how)
				case <-time.After(10 * time.Second):
					t.Fatal(how, "blocks")
				}
				require.Equal(t, unsigned(before), unsigned(fingerprint(t, path)), how)
			}
		})
	}
}

// mends are unsafe files whose message holds a command that a shell runs.
var mends = map[string]func(t *testing.T, path string){
	"mode":      func(t *testing.T, path string) { require.NoError(t, os.Chmod(path, 0o644)) },
	"hard link": func(t *testing.T, path string) { require.NoError(t, os.Link(path, path+".two")) },
	"link": func(t *testing.T, path string) {
		require.NoError(t, os.Rename(path, path+".real"))
		require.NoError(t, os.Symlink(path+".real", path))
	},
	"journal": func(t *testing.T, path string) {
		mustSpill(t, path)
		require.NoError(t, os.Chmod(path+"-journal", 0o604))
	},
	"lock": func(t *testing.T, path string) {
		lock := filepath.Join(filepath.Dir(path), lockName)
		require.NoError(t, os.Remove(lock))
		require.NoError(t, os.Symlink(path, lock))
	},
}

func TestWhatIsUnsafeIsMendedByTheCommandInTheMessage(t *testing.T) {
	t.Parallel()
	for what, spoil := range mends {
		dir := filepath.Join(t.TempDir(), "it's a dir")
		require.NoError(t, os.Mkdir(dir, 0o700))
		path := filepath.Join(dir, "sp.db")
		home := patient // a copy that takes the name is accepted for its receipt
		receipts := t.TempDir()
		home.Trust.Receipts = func() string { return receipts }
		d, _, err := Create(t.Context(), path, home, seed)
		require.NoError(t, err)
		require.NoError(t, d.Close())
		spoil(t, path)
		_, err = Open(t.Context(), path, home)
		if err == nil {
			err = tries["Write"](t, path)
		}
		require.ErrorIs(t, err, ErrUnsafe, what)
		_, command, _ := strings.Cut(strings.TrimSuffix(err.Error(), ")"), " (")
		out, err := exec.Command("sh", "-c", command).CombinedOutput()
		require.NoError(t, err, "%s: %s: %s", what, command, out)
		require.NoError(t, addOne(t.Context(), mustOpen(t, path, home)), what)
		require.Equal(t, 1, mustRevision(t, path), what)
	}
}

func TestOpenSaysHowToMendWhatIsUnsafe(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	require.NoError(t, os.Chmod(path, 0o644))
	_, err := Open(t.Context(), path, hasty)
	require.EqualError(t, err, path+": refused as unsafe: others can reach it, mode 0644 (chmod 600 "+path+")")
	require.NoError(t, os.Chmod(path, 0o600))
	require.Equal(t, 0, mustRevision(t, path))
}

func TestOpenTakesAFileThatItsOwnerMadeReadOnly(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	require.NoError(t, os.Chmod(path, 0o400))
	require.Equal(t, 0, mustRevision(t, path))
}

func TestPathsMayHoldAnything(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"with space", "what?", "a#b", "%41", "100%", `quote"d'`, "back\\slash", "new\nline", "non-UTF-8 \xff\xfe", "ümläut", "a&mode=ro", ":memory:", "~",
	} {
		dir := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.Mkdir(dir, 0o700), name)
		path := filepath.Join(dir, name+".db")
		mustCreateAt(t, path)
		require.NoError(t, addOne(t.Context(), mustOpen(t, path, patient)), name)
		require.Equal(t, 1, mustRevision(t, path), name)
		require.ElementsMatch(t, []string{".lock", ".place", name + ".db", name + ".db-journal", name + ".db.sum"}, names(t, dir))
	}
}
