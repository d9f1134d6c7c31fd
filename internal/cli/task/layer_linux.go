package task

import "golang.org/x/sys/unix"

// isLayer tells whether a path is in a container's own layer, which goes with the container.
func isLayer(path string) bool {
	var fs unix.Statfs_t
	return unix.Statfs(path, &fs) == nil && fs.Type == unix.OVERLAYFS_SUPER_MAGIC
}
