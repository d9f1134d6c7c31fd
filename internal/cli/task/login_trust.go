package task

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cloud"
	"github.com/sp-registry/sp/internal/place"
	"github.com/sp-registry/sp/internal/project"
)

// ErrStrangeLogin is returned for a login that came with an archive or a copy, for all that is known:
// it would fill the registry with the tenants of whoever made it.
var ErrStrangeLogin = fmt.Errorf("%w: nothing shows that this login is yours", db.ErrUntrusted)

// checkOwnLogin refuses a login to which this user has no receipt. A receipt is for a user at a control
// plane and the tokens of the login: with another's tokens, what is done is done in another's account. It
// stays when the project moves, and is renewed with the tokens. Where there can be none, the registry beside
// the login vouches for it, which is trusted by now.
func (t *Task) checkOwnLogin(dir project.Dir, l cloud.Login) error {
	named, err := t.isTrustNamed(dir)
	if err != nil || named {
		return err
	}
	path := t.loginReceipt(l)
	if path == "" && HasRegistry(dir) {
		return nil
	}
	if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() && place.IsOwn(info) {
		return nil
	}
	return cli.Hint(fmt.Errorf("%s: %w", dir.Full(cloud.LoginName), ErrStrangeLogin),
		"%s makes one of your own, %s removes it; if it is yours, SP_TRUST=%s", cli.To("sp login", "URL"), cli.To("sp logout"), cli.Quoted(dir.Path()))
}

// makeVouching makes the registry that vouches for a login where nothing else will.
func (t *Task) makeVouching(ctx context.Context, dir project.Dir) error {
	named, err := t.isTrustNamed(dir)
	if err != nil || named || t.receipts() != "" {
		return err
	}
	return t.MakeRegistry(ctx, Refused)
}

// loginReceipt returns the path of the receipt for a login; nothing where there can be none.
func (t *Task) loginReceipt(l cloud.Login) string {
	dir := t.receipts()
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, l.Fingerprint())
}

// giveLoginReceipt leaves the receipt for a login, which holds nothing. Without it the login is not used.
func (t *Task) giveLoginReceipt(l cloud.Login) error {
	path := t.loginReceipt(l)
	if path == "" {
		return nil
	}
	if err := makeDurably(filepath.Dir(path)); err != nil {
		return err
	}
	file, err := place.OpenMark(path)
	if err != nil {
		return err
	}
	// After a power cut, a login without its receipt would be a stranger's.
	return errors.Join(file.Close(), place.SyncDir(filepath.Dir(path)))
}

// makeDurably makes a directory, and those above it, so that a power cut does not take them back.
func makeDurably(dir string) error {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	above := filepath.Dir(dir)
	if err := makeDurably(above); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return place.SyncDir(above)
}

// renewReceipt leaves the receipt for a login before store puts it in place of another, and then takes the
// other's away.
func (t *Task) renewReceipt(before, next cloud.Login, store func() error) error {
	given := t.giveLoginReceipt(next)
	if err := store(); err != nil { // nobody else has the tokens: they are stored without the receipt, too
		return errors.Join(given, err)
	}
	if old := t.loginReceipt(before); given == nil && old != "" && old != t.loginReceipt(next) {
		return place.Sweep([]string{old})
	}
	return given
}
