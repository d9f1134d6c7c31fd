package harness

// Refusals are what the system may answer to each call on files: no rights, no room, a broken
// or a read-only disk, no locks, too many files, and interruptions.
func Refusals() map[string][]string {
	return map[string][]string{
		"open":       {"EMFILE", "EACCES", "ENOSPC", "EIO", "EROFS"},
		"openat":     {"EMFILE", "EACCES", "ENOSPC", "EIO", "EROFS", "EINTR"},
		"mkdirat":    {"ENOSPC", "EACCES", "EDQUOT"},
		"write":      {"ENOSPC", "EIO", "EDQUOT", "EINTR"},
		"pwrite64":   {"ENOSPC", "EIO", "EDQUOT", "EINTR"},
		"pread64":    {"EIO", "ESTALE", "EINTR"},
		"ftruncate":  {"EIO", "EINTR"},
		"fsync":      {"EIO", "ENOSPC", "EDQUOT"},
		"renameat":   {"EIO", "EACCES", "ENOSPC", "EBUSY"},
		"renameat2":  {"EIO", "EACCES", "ENOSPC", "EBUSY", "EINVAL"},
		"linkat":     {"EPERM", "EIO", "ENOSPC"},
		"unlink":     {"EIO", "EACCES", "EBUSY"},
		"unlinkat":   {"EIO", "EACCES"},
		"fchmod":     {"EPERM", "EIO"},
		"flock":      {"ENOLCK", "EINTR"},
		"fcntl":      {"ENOLCK", "EINTR", "EIO"},
		"newfstatat": {"EIO", "EACCES"},
		"getdents64": {"EIO"},
	}
}
