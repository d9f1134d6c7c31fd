package history

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"filippo.io/age"
	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"golang.org/x/sys/unix"
)

// backupFile is what is to be restored.
type backupFile struct {
	path      string
	file      *os.File
	info      fs.FileInfo
	encrypted bool
	with      []age.Identity
	watch     func(of int64, r io.Reader) io.Reader
}

// openBackup opens the file that the arguments name, and says what is odd about it.
func openBackup(t *task.Task) (*backupFile, error) {
	word := *t.Arg(0)
	if word == "-" {
		return nil, cli.Hint(cli.Usage("restore: stdin is not a place for it"), "name a file")
	}
	if err := task.CheckFileWord("restore", word); err != nil {
		return nil, err
	}
	with, err := identities(t)
	if err != nil {
		return nil, err
	}
	path, err := t.Absolute(word)
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	b := &backupFile{path: path, file: file, with: with, watch: t.WatchReading}
	if err := b.look(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if !b.encrypted && b.info.Mode().Perm()&0o077 != 0 {
		t.Note("warning: others can read %s; consider its secrets known to them (chmod 600 %s)", path, cli.Quoted(path))
	}
	return b, nil
}

func (b *backupFile) source() db.Source { return db.Source{Name: b.path, Copy: b.copyTo} }

// look finds out what kind of file it is.
func (b *backupFile) look() (err error) {
	if b.info, err = b.file.Stat(); err != nil {
		return err
	}
	if !b.info.Mode().IsRegular() {
		return fmt.Errorf("%s: not a regular file: %w", b.path, cli.ErrFile)
	}
	start := make([]byte, 64)
	n, err := b.file.ReadAt(start, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	b.encrypted = isEncrypted(start[:n])
	switch {
	case b.encrypted && len(b.with) == 0:
		return cli.Hint(cli.Usage("restore: %s is encrypted", b.path), "--age-identity FILE decrypts it")
	case !b.encrypted && len(b.with) > 0:
		return cli.Usage("restore: --age-identity: %s is not encrypted", b.path)
	}
	return b.checkStart()
}

// checkStart refuses what is no registry at all before anything is made for it.
func (b *backupFile) checkStart() error {
	text, err := b.plain()
	if err == nil {
		err = db.CheckHeader(text)
	}
	if errors.Is(err, db.ErrForeign) {
		err = &db.BackupError{Name: b.path, Err: err}
	}
	return err
}

// copyTo copies the file, decrypted, or what SQLite left beside it: an automatic copy
// of a damaged registry may have its journal there.
func (b *backupFile) copyTo(side string, to io.Writer) (bool, error) {
	if side == "" {
		return true, b.copyFile(to)
	}
	if b.encrypted {
		return false, nil
	}
	file, err := os.OpenFile(b.path+side, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, err = io.Copy(to, file)
	return true, errors.Join(err, file.Close())
}

func (b *backupFile) copyFile(to io.Writer) error {
	text, err := b.plain()
	if err != nil {
		return err
	}
	_, err = io.Copy(to, b.watch(b.info.Size(), text))
	return err
}

// plain reads the file from its start, decrypted.
func (b *backupFile) plain() (io.Reader, error) {
	if _, err := b.file.Seek(0, io.SeekStart); err != nil || !b.encrypted {
		return b.file, err
	}
	text, err := decrypt(b.path, b.file, b.with)
	return decrypting{text, b.path}, err
}

// decrypting reads what is decrypted; where that ends too early or was changed, nothing
// of it can be used.
type decrypting struct {
	io.Reader
	name string
}

func (d decrypting) Read(p []byte) (int, error) {
	n, err := d.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = damagedFile(d.name)
	}
	return n, err
}
