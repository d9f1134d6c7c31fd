package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/sp-registry/sp/internal/place"
)

// A server's programs refuse to run as root, and root's sp runs them as another user, who owns the data and
// nothing else of a cluster: its directory stays root's, and that user only gets through it. So nobody but
// root says what lies there, and whom sp follows when it reads it.

// Account is the user as whom a server's programs run. The zero Account is sp's own user.
type Account struct {
	name     string
	uid, gid int
	lent     bool // root lends the programs to it
}

// AccountFor returns as whom a user's sp runs the programs of a server: only root's as another user, and that
// is `postgres`. Nothing that the environment says of who became root counts. Where there is no such user the
// error is ErrRoot.
func AccountFor(self int) (Account, error) {
	if self != 0 {
		return Account{}, nil
	}
	found, err := user.Lookup(image)
	if err != nil {
		return Account{}, fmt.Errorf("%w, and there is no user %s", ErrRoot, image)
	}
	return accountOf(found)
}

// account is as whom this cluster's programs run: as the owner of its data, which root alone can have put
// there, or as who is to own them.
func (c Cluster) account() (Account, error) {
	info, err := os.Lstat(c.data())
	if os.Geteuid() != 0 || err != nil || place.Owner(info) <= 0 {
		return AccountFor(os.Geteuid())
	}
	id := strconv.Itoa(place.Owner(info))
	found, err := user.LookupId(id)
	if err != nil { // as of a volume that another container made
		found = &user.User{Uid: id, Gid: id, Username: id}
	}
	return accountOf(found)
}

func accountOf(found *user.User) (Account, error) {
	uid, bad := strconv.Atoi(found.Uid)
	gid, worse := strconv.Atoi(found.Gid)
	if err := errors.Join(bad, worse); err != nil {
		return Account{}, err
	}
	if uid <= 0 {
		return Account{}, fmt.Errorf("%w, and user %s is root by another name", ErrRoot, found.Username)
	}
	if gid <= 0 { // root's group opens what is root's
		gid = uid
	}
	return Account{name: found.Username, uid: uid, gid: gid, lent: true}, nil
}

// owner is whom the data belong to.
func (a Account) owner() int {
	if a.lent {
		return a.uid
	}
	return os.Geteuid()
}

// attributes has a process be the account's, in none of the groups that sp is in.
func (a Account) attributes(attr syscall.SysProcAttr) *syscall.SysProcAttr {
	if a.lent {
		attr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
	return &attr
}

// env is what of sp's own environment the programs are given. Another user's processes can be read by that
// user: root's secrets stay out, and so does root's home.
func (a Account) env(env []string) []string {
	if !a.lent {
		return env
	}
	return slices.DeleteFunc(slices.Clone(env), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return !slices.Contains([]string{"PATH", "TZ", "LD_LIBRARY_PATH"}, name)
	})
}

// own gives the account a file or a directory that sp has just made where nobody else can make any.
func (a Account) own(path string) error {
	if !a.lent {
		return nil
	}
	return os.Lchown(path, a.uid, a.gid)
}

// refuseUnreached refuses a place for data, or programs, to which the account does not get.
func (a Account) refuseUnreached(ctx context.Context, base string, programs Programs) error {
	if !a.lent {
		return nil
	}
	try := command{program: programs.Program("postgres"), args: []string{"--version"}, dir: base, env: []string{"LC_ALL=C"}, as: a}
	_, said, err := try.run(ctx)
	if err == nil || ctx.Err() != nil {
		return err
	}
	if said = lastLine(said); said != "" {
		said = ": " + said
	}
	for _, way := range [][2]string{{base, "SP_DATA_DIR"}, {programs.Dir, "SP_POSTGRES_BIN"}} {
		if closed := a.closed(way[0]); closed != "" && errors.Is(err, fs.ErrPermission) {
			return fmt.Errorf("%s: user %s, as whom root's sp runs PostgreSQL, can't enter it: %w (name another place in %s, or chmod o+x %s)",
				closed, a.name, ErrUnusable, way[1], closed)
		}
	}
	return fmt.Errorf("postgres as user %s: %w: %w%s", a.name, ErrUnusable, err, said)
}

// closed is the first directory on the way to a path that the account can't enter, as far as modes tell.
func (a Account) closed(path string) string {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return ""
	}
	at := "/"
	for _, name := range append(strings.Split(path, "/"), ".") {
		at = filepath.Join(at, name)
		if info, err := os.Stat(at); err == nil && info.IsDir() && !a.mayEnter(info) {
			return at
		}
	}
	return ""
}

func (a Account) mayEnter(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok:
		return true
	case int(stat.Uid) == a.uid:
		return info.Mode()&0o100 != 0
	case int(stat.Gid) == a.gid:
		return info.Mode()&0o010 != 0
	}
	return info.Mode()&0o001 != 0
}
