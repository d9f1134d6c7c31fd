package postgres

import (
	"fmt"
	"syscall"
)

// Free returns how many bytes the file system of the data has left for the server.
func (c Cluster) Free() (int64, error) {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(c.data(), &disk); err != nil {
		return 0, fmt.Errorf("%s: free disk: %w", c.data(), err)
	}
	return int64(disk.Bavail) * int64(disk.Bsize), nil
}
