package postgres

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/sp-registry/sp/internal/place"
)

// MoveTo moves a cluster, which is stopped for that, to another directory that is not there
// yet. On another file system it is copied, and removed only when the copy is the same.
func (c Cluster) MoveTo(ctx context.Context, dir string) error {
	info, err := os.Lstat(c.Dir)
	if err != nil {
		return err
	}
	if err := checkOwner(c.Dir, info, os.Geteuid()); err != nil {
		return err
	}
	held, err := acquire(ctx, c.Dir, c.say)
	if err != nil {
		return err
	}
	defer held.release()
	if err := c.stop(ctx); err != nil {
		return err
	}
	if err := c.sweep(); err != nil {
		return err
	}
	if c.Owner != "" {
		if err := writeFile(c.ownerFile(), []byte(c.Owner+"\n")); err != nil {
			return err
		}
	}
	err = os.Rename(c.Dir, dir)
	if errors.Is(err, syscall.EXDEV) {
		return c.copyTo(ctx, dir)
	}
	if err != nil {
		return err
	}
	return errors.Join(place.SyncDir(filepath.Dir(dir)), place.SyncDir(filepath.Dir(c.Dir)))
}

// copyTo copies the cluster aside, compares the copy with it, and gives it its name.
func (c Cluster) copyTo(ctx context.Context, dir string) error {
	aside := dir + ".new"
	if err := os.RemoveAll(aside); err != nil { // of a command that was killed
		return err
	}
	if err := copyTree(ctx, c.Dir, aside); err != nil {
		return errors.Join(err, os.RemoveAll(aside))
	}
	before, err := sumOf(ctx, c.Dir)
	if err != nil {
		return err
	}
	after, err := sumOf(ctx, aside)
	if err == nil && !bytes.Equal(before, after) {
		err = fmt.Errorf("%s: the copy is not the same: %w", aside, ErrUnusable)
	}
	if err != nil {
		return err
	}
	if err := os.Rename(aside, dir); err != nil {
		return err
	}
	if err := place.SyncDir(filepath.Dir(dir)); err != nil {
		return err
	}
	return os.RemoveAll(c.Dir)
}

// copyTree copies directories, files and links with their modes, and has them on the disk.
func copyTree(ctx context.Context, from, to string) error {
	var dirs []string
	err := walkTree(ctx, from, func(path, name string, info fs.FileInfo) error {
		target := filepath.Join(to, name)
		switch {
		case info.IsDir():
			dirs = append(dirs, target)
			return os.Mkdir(target, info.Mode().Perm())
		case info.Mode()&fs.ModeSymlink != 0:
			leads, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(leads, target)
		case info.Mode().IsRegular():
			return copyFile(path, target, info.Mode().Perm())
		}
		return nil // a socket, which a server makes anew
	})
	for _, dir := range dirs {
		err = errors.Join(err, place.SyncDir(dir))
	}
	return err
}

func copyFile(from, to string, mode fs.FileMode) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Sync(), target.Close())
}

// sumOf is a SHA-256 of all that copyTree copies.
func sumOf(ctx context.Context, dir string) ([]byte, error) {
	all := sha256.New()
	err := walkTree(ctx, dir, func(path, name string, info fs.FileInfo) error {
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			leads, err := os.Readlink(path)
			_, _ = fmt.Fprintf(all, "%q %v %q\n", name, info.Mode(), leads)
			return err
		case info.Mode().IsRegular():
			file, err := os.Open(path)
			if err != nil {
				return err
			}
			_, _ = fmt.Fprintf(all, "%q %v %d\n", name, info.Mode(), info.Size())
			_, err = io.Copy(all, file)
			return errors.Join(err, file.Close())
		case info.IsDir():
			_, _ = fmt.Fprintf(all, "%q %v\n", name, info.Mode())
		}
		return nil
	})
	return all.Sum(nil), err
}

// walkTree calls fn for all that is in a directory, itself first, by the name below it.
func walkTree(ctx context.Context, dir string, fn func(path, name string, info fs.FileInfo) error) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		return fn(path, name, info)
	})
}
