package db

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/sp-registry/sp/internal/place"
)

// journalSide is the journal of a change. It stays, empty, between changes, so that it is
// known for ours by its place.
const journalSide = "-journal"

// logs are what SQLite keeps beside a file in WAL mode, which sp's never are.
var logs = []string{"-wal", "-shm"}

// sides are all that SQLite keeps beside a file, and plays back into it when it is opened.
var sides = append([]string{journalSide}, logs...)

// checkFile looks at the file before SQLite does, whose one answer to most trouble
// is "unable to open database file", and which may write into what is not ours. It tells
// whether the file is in WAL mode. Whether it is trusted, and who can reach it, are left
// to accept and checkSafety: what is not trusted is to be left as it is.
func checkFile(path string) (info fs.FileInfo, logged bool, err error) {
	info, err = os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, false, fmt.Errorf("%s: %w", path, ErrMissing)
	case err != nil:
		return nil, false, denied(path, err)
	}
	if err := checkPlain(path, info); err != nil {
		return nil, false, err
	}
	if info.Size() == 0 {
		return nil, false, fmt.Errorf("%s: %w: it is empty, 0 bytes", path, ErrForeign)
	}
	logged, err = checkMark(path)
	if err != nil {
		return nil, false, named(path, err)
	}
	for _, side := range logs {
		if _, err := os.Lstat(path + side); err == nil {
			return nil, logged, untrusted(path+side, "another program made it, for sp makes no such file; if one has sp.db open, close it there")
		}
	}
	return info, logged, nil
}

// checkSafety refuses a file that others can reach, or whose journal is not a plain file
// of ours.
func checkSafety(path string, info fs.FileInfo, found acceptance) error {
	err := checkReach(path, info)
	if err == nil && found.journal != nil {
		err = checkSafe(path+journalSide, found.journal)
	}
	return err
}

// checkSafe refuses what others can reach and what is not a plain file of one name.
func checkSafe(path string, info fs.FileInfo) error {
	if err := checkPlain(path, info); err != nil {
		return err
	}
	return checkReach(path, info)
}

func checkReach(path string, info fs.FileInfo) error {
	if info.Mode().Perm()&0o077 != 0 {
		return unsafeError(path, fmt.Sprintf("others can reach it, mode %04o", info.Mode().Perm()), "chmod 600 "+quoted(path))
	}
	return nil
}

// checkPlain refuses what is not a plain file of this user's, with one name.
func checkPlain(path string, info fs.FileInfo) error {
	stat, _ := info.Sys().(*syscall.Stat_t)
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		return unsafeError(path, "it is a symbolic link", replaceLink(path))
	case !info.Mode().IsRegular():
		return unsafeError(path, "it is not a regular file", "mv "+quoted(path)+" "+quoted(path+".away"))
	case !place.IsOwn(info):
		return unsafeError(path, fmt.Sprintf("it belongs to user %d", place.Owner(info)), takeOver(path, place.Owner(info)))
	case stat != nil && stat.Nlink > 1:
		single := quoted(path + ".single")
		return unsafeError(path, "it has another name, a hard link", "cp -p "+quoted(path)+" "+single+" && mv "+single+" "+quoted(path))
	}
	return nil
}

// replaceLink is the command that puts what a link points to in its place.
func replaceLink(path string) string {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "rm " + quoted(path)
	}
	return "mv " + quoted(target) + " " + quoted(path)
}

// takeOver is what helps with a file of another user. Root is told to be that user,
// who could not use what root makes there.
func takeOver(path string, owner int) string {
	if os.Geteuid() == 0 {
		return fmt.Sprintf("run as that user: sudo -u '#%d' sp", owner)
	}
	return fmt.Sprintf("sudo chown %d %s", os.Geteuid(), quoted(path))
}

func unsafeError(path, why, remedy string) error {
	return fmt.Errorf("%s: %w: %s (%s)", path, ErrUnsafe, why, remedy)
}

// quoted writes a path so that a shell takes it literally.
func quoted(path string) string {
	const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:@%+,-"
	if strings.Trim(path, plain) == "" {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

// checkNoJournal refuses to make a registry beside the journal of one that is
// gone: SQLite would play it back into the new one. It is not ours to remove,
// for it may be all that can mend the other.
func checkNoJournal(path string) error {
	for _, journal := range []string{path + journalSide, path + "-wal"} {
		if info, err := os.Lstat(journal); err == nil && (info.Size() > 0 || !info.Mode().IsRegular()) {
			return unsafeError(journal, "it belongs to a registry that is gone", "put that back, or mv "+quoted(journal)+" "+quoted(journal+".away"))
		}
	}
	return nil
}

// makeFile makes an empty file that only its owner can reach, from its first
// instant; SQLite by itself would make it 0644.
func makeFile(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	return file.Close()
}

// syncFile makes what was written to the file at path outlast a power cut. No
// connection may have it open.
func syncFile(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}
