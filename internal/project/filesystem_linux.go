package project

import "golang.org/x/sys/unix"

// RemoteFileSystem names the directory's file system if it is one of a network or
// of another program, on which locks are not to be relied on; otherwise it returns
// nothing.
func (d Dir) RemoteFileSystem() (string, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(d.path, &stat); err != nil {
		return "", err
	}
	return remoteName(uint32(stat.Type)), nil // the numbers have 32 bits
}
