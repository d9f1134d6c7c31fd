package gen

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Sizes are the registries that are measured, in tenants.
var Sizes = []int{10, 1_000, 10_000, 100_000, 1_000_000}

// sums are the SHA-256 of the files of Sizes. With another, figures could not be
// compared with those of before.
var sums = map[int]string{
	10:      "37739e7569576642d2c38bde0c9594e8709fd3148f9f04a68af70a45e4d5ce05", // 4338 bytes
	1000:    "777e31b81d8172f4365c6968658513e5050a8ddca20cfd238d2b61528fbdd93e", // 449594 bytes
	10000:   "7a2871032ee738b4052f214aa228668269d6b654dd7c7bbe1b4bead8fcf121a9", // 4475887 bytes
	100000:  "7f4810b9b30f2fa70ee60cf3dcd35371c333b34c7527b8646b6faafb31025b60", // 44745261 bytes
	1000000: "b70fc32e05f610dd933035734f84f83e2d5f29d03865835b632c8c328b0b3dd2", // 447397310 bytes
}

// File is a registry in a file.
type File struct {
	Path   string
	Size   int64
	SHA256 string
}

// Make makes the registry of n tenants in dir, unless it is there, and makes sure that
// it is the very one.
func Make(dir string, n int) (File, error) {
	f := File{Path: filepath.Join(dir, fmt.Sprintf("tenants-%d.json", n))}
	err := f.look(n)
	if err != nil {
		if err = f.write(n); err == nil {
			err = f.look(n)
		}
	}
	return f, err
}

func (f *File) write(n int) (err error) {
	file, err := os.OpenFile(f.Path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := Write(file, n); err != nil {
		return err
	}
	return file.Sync() // or it would be written while something is measured
}

// look hashes the file.
func (f *File) look(n int) error {
	file, err := os.Open(f.Path)
	if err != nil {
		return err
	}
	defer file.Close()
	hash := sha256.New()
	if f.Size, err = io.Copy(hash, file); err != nil {
		return err
	}
	f.SHA256 = hex.EncodeToString(hash.Sum(nil))
	if want, known := sums[n]; known && f.SHA256 != want {
		return fmt.Errorf("%s: SHA-256 %s, not %s", f.Path, f.SHA256, want)
	}
	return nil
}
