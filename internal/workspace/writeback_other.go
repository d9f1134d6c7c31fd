//go:build !linux

package workspace

import "os"

func startWriting(*os.File, int64, int64) {}
