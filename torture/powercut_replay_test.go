package torture

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
)

// replay lets a disk follow what commands do in a directory.
type replay struct {
	*disk
	dir     string
	offsets map[string]int // of files written without saying where, by descriptor and path
}

// inside returns the path from the directory, if it is in there.
func (r *replay) inside(path string) (string, bool) {
	inside, err := filepath.Rel(r.dir, path)
	return inside, err == nil && filepath.IsLocal(inside) && !strings.HasSuffix(path, " (deleted)")
}

// paths are the arguments of a call that lead into the project.
func (r *replay) paths(e event) []string {
	var found []string
	args := e.args
	if e.name == "write" || e.name == "pwrite64" {
		args = args[:1] // what is written may read like a path
	}
	for _, a := range args {
		if path, yes := r.inside(a.text); yes && a.word != "AT_FDCWD" && filepath.IsAbs(a.text) {
			found = append(found, path)
		}
	}
	return found
}

func number(a argument) int {
	n, _ := strconv.ParseInt(a.word, 0, 64) // strace writes numbers; what is none is no number of ours
	return int(n)
}

func modeOf(a argument) fs.FileMode { return fs.FileMode(number(a)).Perm() &^ 0o077 }

// follow does to the disk what a call did. One that is not known here is an error.
func (r *replay) follow(e event) error {
	paths := r.paths(e)
	if len(paths) == 0 {
		return nil
	}
	switch at := r.at(paths[0]); e.name {
	case "open", "openat":
		return r.open(e, paths[0])
	case "mkdir", "mkdirat":
		r.name(paths[0], directory(fs.ModeDir|modeOf(e.args[len(e.args)-1])))
	case "write", "pwrite64":
		return r.write(e, paths[0])
	case "copy_file_range":
		return r.copy(e, paths)
	case "ftruncate":
		at.writes = append(at.writes, write{at: number(e.args[1]), cut: true})
	case "fsync", "fdatasync":
		at.sync()
	case "fchmod":
		at.mode = at.mode.Type() | fs.FileMode(number(e.args[1]))
	case "link", "linkat":
		r.name(paths[1], at)
	case "rename", "renameat", "renameat2":
		if e.args[len(e.args)-1].word == "RENAME_EXCHANGE" {
			return r.swap(paths[0], paths[1])
		}
		r.rename(paths[0], paths[1])
	case "unlink", "unlinkat":
		r.unlink(paths[0])
	default:
		return fmt.Errorf("what %s does to %s is not known here", e.name, paths[0])
	}
	return nil
}

// open makes the file if that is what it does.
func (r *replay) open(e event, path string) error {
	flags := ""
	for _, a := range e.args {
		if strings.HasPrefix(a.word, "O_") {
			flags = a.word
		}
	}
	i := r.at(path)
	switch {
	case i == nil && strings.Contains(flags, "O_CREAT"):
		i = &inode{mode: modeOf(e.args[len(e.args)-1])}
		r.name(path, i)
	case i == nil:
		return fmt.Errorf("%s was opened, and nothing made it", path)
	case strings.Contains(flags, "O_TRUNC"):
		i.writes = append(i.writes, write{cut: true})
	}
	r.offsets[fmt.Sprint(e.ret, path)] = 0
	if strings.Contains(flags, "O_APPEND") {
		r.offsets[fmt.Sprint(e.ret, path)] = i.size()
	}
	return nil
}

func (r *replay) write(e event, path string) error {
	i := r.at(path)
	if i == nil || len(e.args[1].text) != e.ret {
		return fmt.Errorf("%d bytes written to %s, of %d", e.ret, path, len(e.args[1].text))
	}
	offset := fmt.Sprint(number(e.args[0]), path)
	at := r.offsets[offset]
	if e.name == "pwrite64" {
		at = number(e.args[3])
	} else {
		r.offsets[offset] = at + e.ret
	}
	i.writes = append(i.writes, write{at: at, data: []byte(e.args[1].text)})
	return nil
}

// copy is a write of what another file of the project holds, each from where it is.
func (r *replay) copy(e event, paths []string) error {
	if _, kept := r.inside(e.args[2].text); !kept { // a file without a name takes it
		return nil
	}
	if len(paths) != 2 || e.args[1].word != "NULL" || e.args[3].word != "NULL" {
		return fmt.Errorf("a copy between %v at places of its own is not known here", paths)
	}
	from, to := fmt.Sprint(number(e.args[0]), paths[0]), fmt.Sprint(number(e.args[2]), paths[1])
	source, target := r.at(paths[0]), r.at(paths[1])
	start := r.offsets[from]
	data := source.with(source.writes)[start : start+e.ret]
	target.writes = append(target.writes, write{at: r.offsets[to], data: data})
	r.offsets[from] += e.ret
	r.offsets[to] += e.ret
	return nil
}
