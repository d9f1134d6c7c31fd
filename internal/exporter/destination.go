package exporter

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// ErrUnsafe is returned for a destination that is not a plain file.
var ErrUnsafe = errors.New("refused as unsafe: not a regular file")

// destination is what stands where a file will be put; the zero one is nothing.
type destination struct {
	hash    string
	size    int64
	private bool // only the owner can reach it
}

func lookAt(path string) (destination, error) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return destination{}, nil
	}
	if err != nil {
		return destination{}, err
	}
	if !info.Mode().IsRegular() {
		return destination{}, fmt.Errorf("%s: %w", path, ErrUnsafe)
	}
	hash, err := HashFile(path)
	return destination{hash: hash, size: info.Size(), private: info.Mode().Perm()&0o077 == 0}, err
}

// HashFile returns the SHA-256 of a file's content in hexadecimal.
func HashFile(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	_, err = io.Copy(sum, file)
	return hexOf(sum.Sum(nil)), errors.Join(err, file.Close())
}

func hexOf(sum []byte) string { return hex.EncodeToString(sum) }

func removeAll(paths []string) []error {
	var errs []error
	for _, path := range paths {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errs
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
