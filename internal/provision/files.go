package provision

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"unicode"

	"github.com/sp-registry/sp/internal/pgurl"
)

// checkFiles refuses a URL that names a certificate or a key in a file which can't be read. The library reads them
// whole before it connects: from a device or a pipe, it would never come to an end.
func checkFiles(u pgurl.URL) error {
	said := u.Said()
	for _, name := range []string{"sslrootcert", "sslcert", "sslkey"} {
		path := said[name]
		switch {
		case path == "", u.IsForDriver(name), name == "sslrootcert" && path == "system":
			continue
		case name != "sslrootcert" && (said["sslmode"] == "disable" || said["sslcertmode"] == "disable"):
			continue
		}
		if err := checkFile(path); err != nil {
			return fmt.Errorf("database URL: %s%s: %w: %w", name, shownPath(path, said["password"]), err, pgurl.ErrInvalid)
		}
	}
	return nil
}

func checkFile(path string) error {
	info, err := os.Stat(path)
	if failed := (*fs.PathError)(nil); errors.As(err, &failed) {
		return failed.Err
	}
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return errors.New("no plain file")
	case info.Size() > largest:
		return errors.New("too large for a certificate or a key")
	case syscall.Access(path, 4) != nil: // R_OK
		return syscall.EACCES
	}
	return nil
}

// unusable names what of a URL that can be read the library does not take.
func unusable(u pgurl.URL) string {
	var found []string
	for _, name := range []string{"sslrootcert", "sslcert", "sslkey", "sslpassword"} {
		if u.Said()[name] != "" && !u.IsForDriver(name) {
			found = append(found, name)
		}
	}
	if found == nil {
		return "a parameter"
	}
	return "what is said by " + strings.Join(found, ", ") + " (certificates and a key in PEM, sslcert and sslkey both)"
}

// shownPath is a path for an error. Some drivers take the key itself there, which is not repeated.
func shownPath(path, password string) string {
	isKey := strings.Contains(path, "-----") || strings.ContainsFunc(path, func(r rune) bool { return !unicode.IsPrint(r) })
	if isKey || password != "" && strings.Contains(path, password) {
		return ""
	}
	return " " + path
}
