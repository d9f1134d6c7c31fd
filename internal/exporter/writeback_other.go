//go:build !linux

package exporter

import "os"

func startWriting(*os.File, int64, int64) {}
