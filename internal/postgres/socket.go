package postgres

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/sp-registry/sp/internal/place"
)

// A container reaches the server by a socket in a directory that is mounted there. Unlike an address on a
// bridge it is open to no network, and it is there whether or not the engine runs. Whoever gets to it needs a
// password, as on the port.

// socketFile says in which directory the server has its socket; without it there is none.
func (c Cluster) socketFile() string { return filepath.Join(c.Dir, "socket") }

// Socket is the directory of the server's socket, "" if it has none.
func (c Cluster) Socket() (string, error) {
	text, err := os.ReadFile(c.socketFile())
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSuffix(string(text), "\n"), err
}

// listen keeps where the server is to have its socket from the next start on.
func (c Cluster) listen(dir string) error {
	if dir == "" {
		return ignoring(fs.ErrNotExist, os.Remove(c.socketFile()))
	}
	const longest = 107 // bytes of a socket's path
	switch longer := len(dir) + len("/.s.PGSQL.65535") - longest; {
	case longer > 0:
		return fmt.Errorf("%s: %w: %d bytes too long for a socket", dir, ErrInvalid, longer)
	case !filepath.IsAbs(dir), strings.ContainsAny(dir, ",\n"), strings.TrimSpace(dir) != dir:
		return fmt.Errorf("%q: %w for a socket", dir, ErrInvalid)
	}
	if err := c.openSocketDir(dir); err != nil {
		return err
	}
	return writeFile(c.socketFile(), []byte(dir+"\n"))
}

// openSocketDir makes the directory of the socket, as after a reboot in /run, or makes sure that nobody but
// the server's user can put another socket there.
func (c Cluster) openSocketDir(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if err == nil {
		return errors.Join(c.as.own(dir), os.Chmod(dir, 0o711))
	}
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(dir)
	switch {
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s: %w: no directory", dir, ErrUnusable)
	case place.Owner(info) != c.as.owner(): // it may be /run or /tmp, which nobody is told to give away
		return fmt.Errorf("%s: %w: it belongs to user %d (name a directory that is not there yet)", dir, ErrUnusable, place.Owner(info))
	case info.Mode().Perm()&0o022 != 0:
		return fmt.Errorf("%s: others could put another socket there: %w (chmod go-w %s)", dir, ErrUnusable, dir)
	}
	return nil
}
