package harness

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Snapshot lists the names, modes and contents of what is at and below path, but for what is
// left out, if a function says that. What a lock holds is who held it last, and never counts.
func Snapshot(path string, leftOut func(path string) bool) string {
	var list strings.Builder
	_ = filepath.WalkDir(path, func(file string, entry fs.DirEntry, err error) error { // errors are listed
		if err != nil {
			fmt.Fprintln(&list, err)
			return nil
		}
		if leftOut != nil && leftOut(file) {
			return nil
		}
		var content []byte
		if entry.Type().IsRegular() && entry.Name() != ".lock" {
			content, err = os.ReadFile(file)
		}
		mode := "gone"
		if info, gone := entry.Info(); gone == nil {
			mode = info.Mode().String()
		}
		fmt.Fprintf(&list, "%s %s %x %v\n", strings.TrimPrefix(file, path), mode, sha256.Sum256(content), err)
		return nil
	})
	return list.String()
}
