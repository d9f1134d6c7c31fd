//go:build !linux

package project

// RemoteFileSystem knows nothing here; other systems tell it in other ways.
func (d Dir) RemoteFileSystem() (string, error) { return remoteName(0), nil }
