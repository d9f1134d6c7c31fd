package project

// remote are the file systems, by the number that statfs gives them in Linux, on
// which a lock may not reach other machines, or be no lock at all.
// https://man7.org/linux/man-pages/man2/statfs.2.html and the kernel's magic.h.
var remote = map[uint32]string{
	0x6969:     "NFS",
	0x517b:     "SMB",
	0xff534d42: "CIFS",
	0xfe534d42: "SMB2",
	0x01021997: "9P",
	0x65735546: "FUSE",
	0x00c36400: "Ceph",
	0x5346414f: "AFS",
	0x6b414653: "AFS",
	0x73757245: "Coda",
	0x0bd00bd0: "Lustre",
	0x47504653: "GPFS",
	0x786f4256: "VirtualBox shared folder",
	0xbacbacbc: "VMware shared folder",
}

// remoteName returns the name of a file system whose locks are not to be relied
// on, nothing for others.
func remoteName(magic uint32) string { return remote[magic] }
