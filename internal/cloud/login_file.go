package cloud

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/jsontext"
	"github.com/sp-registry/sp/internal/place"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// Why credentials.json can't be used.
var (
	// ErrUnusable is returned for a credentials.json that can't be read.
	ErrUnusable = errors.New("the file can't be used")
	// ErrExposed is returned for one that others can reach.
	ErrExposed = errors.New("refused as unsafe: others can reach it")
	// ErrBusy is returned if another command is at it for too long.
	ErrBusy = errors.New("another command is renewing the login")
)

// Login is what credentials.json holds, in the original's members and one of ours:
//
//	{
//	  "api_token": "eyJ…",
//	  "api_url": "https://cloud.example",
//	  "authenticated_at": "2026-02-01T10:00:00Z",
//	  "user_email": "a@example.com",
//	  "last_validated_at": "2026-02-01T10:00:00Z",
//	  "refresh_token": "…"
//	}
type Login struct {
	Token           secret.Secret
	URL, Email      string
	AuthenticatedAt time.Time
	ValidatedAt     *time.Time
	// Refresh gets the next token; nil for a personal token, which nobody refreshes.
	Refresh *secret.Secret

	others jsontext.Object
}

// loginMembers are the members of credentials.json, in their order.
var loginMembers = []string{"api_token", "api_url", "authenticated_at", "user_email", "last_validated_at", "refresh_token"}

// ParseLogin reads the text of credentials.json, by the original's rules.
func ParseLogin(text []byte) (Login, error) {
	all, err := jsontext.ParseObject(text)
	if err != nil {
		return Login{}, fmt.Errorf("%w: %w", ErrUnusable, err)
	}
	file, twice := all.Once(loginMembers...)
	if twice != "" {
		return Login{}, fmt.Errorf("%w: it says %s twice", ErrUnusable, twice)
	}
	f := jsontext.Fields{Object: file}
	l := Login{
		Token: secret.New(f.Text("api_token")), URL: f.Text("api_url"), AuthenticatedAt: timeIn(&f, "authenticated_at"),
		Email: f.Text("user_email"), Refresh: secret.Optional(f.Optional("refresh_token")), others: file.Without(loginMembers...),
	}
	if f.Optional("last_validated_at") != nil {
		l.ValidatedAt = new(timeIn(&f, "last_validated_at"))
	}
	if why := l.lacks(); why != "" {
		f.Fail(why)
	}
	if f.Why != "" {
		return Login{}, fmt.Errorf("%w: %s", ErrUnusable, f.Why)
	}
	return l, nil
}

// lacks says what is wrong with a login.
func (l Login) lacks() string {
	u, err := url.Parse(l.URL)
	switch {
	case l.Token.Empty():
		return "api_token is empty"
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		return "api_url is not a URL"
	case !isEmail(l.Email):
		return "user_email is not an email address"
	}
	return ""
}

func timeIn(f *jsontext.Fields, name string) time.Time {
	at, err := registry.ParseTime(f.Text(name))
	if err != nil {
		f.Fail(name + " is not a time")
	}
	return at
}

// isEmail holds the rule of the original: one @, and dots that part something.
func isEmail(text string) bool {
	local, domain, ok := strings.Cut(text, "@")
	if !ok || strings.ContainsAny(domain, "@") || strings.ContainsAny(text, "\r\n") {
		return false
	}
	last := strings.LastIndexByte(domain, '.')
	return areParted(local) && areParted(domain) && last >= 0 && len(domain)-last-1 >= 2
}

// areParted tells whether no dot is first, last or beside another.
func areParted(text string) bool {
	return text != "" && !strings.HasPrefix(text, ".") && !strings.HasSuffix(text, ".") && !strings.Contains(text, "..")
}

// Text writes credentials.json.
func (l Login) Text() []byte {
	validated := "null"
	if l.ValidatedAt != nil {
		validated = jsontext.Quote(registry.FormatTime(*l.ValidatedAt))
	}
	file := jsontext.Object{
		{Name: "api_token", Value: jsontext.Quote(l.Token.Reveal())},
		{Name: "api_url", Value: jsontext.Quote(l.URL)},
		{Name: "authenticated_at", Value: jsontext.Quote(registry.FormatTime(l.AuthenticatedAt))},
		{Name: "user_email", Value: jsontext.Quote(l.Email)},
		{Name: "last_validated_at", Value: validated},
	}
	if l.Refresh != nil {
		file = append(file, jsontext.Member{Name: "refresh_token", Value: jsontext.Quote(l.Refresh.Reveal())})
	}
	return append(file, l.others...).Pretty()
}

// Fingerprint tells a login from all others: by its user, control plane and tokens, which it does not tell.
func (l Login) Fingerprint() string {
	text := "login\x00" + l.URL + "\x00" + l.Email + "\x00" + l.Token.Reveal()
	if l.Refresh != nil {
		text += "\x00" + l.Refresh.Reveal()
	}
	return secret.Hash(text)
}

// IsPersonal tells whether the login is a personal token, which the control plane alone knows to end.
func (l Login) IsPersonal() bool { return strings.HasPrefix(l.Token.Reveal(), secret.PersonalToken) }

// ExpiresAt returns when the token expires, nil for a personal one. A token that does not say it has
// expired.
func (l Login) ExpiresAt() *time.Time {
	if l.IsPersonal() {
		return nil
	}
	at := time.Unix(expiryOf(l.Token), 0).UTC()
	return &at
}

// expiresWithin tells whether the token expires within a while. At its last second it still holds.
func (l Login) expiresWithin(now time.Time, d time.Duration) bool {
	at := l.ExpiresAt()
	return at != nil && at.Sub(now.Truncate(time.Second)) < d
}

// IsExpired tells whether the token has expired.
func (l Login) IsExpired(now time.Time) bool { return l.expiresWithin(now, 0) }

// expiryOf returns the exp of a JWT, in seconds; 0 where it does not say.
func expiryOf(token secret.Secret) int64 {
	parts := strings.Split(token.Reveal(), ".")
	if len(parts) != 3 {
		return 0
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct{ Exp float64 }
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		return 0
	}
	const lastSecond = 253402300799 // of the year 9999
	return int64(math.Floor(min(max(claims.Exp, 0), lastSecond)))
}

// LoginFile is the credentials.json of a directory, and the lock beside it.
type LoginFile struct{ Dir string }

// The files.
const (
	LoginName = "credentials.json"
	lockName  = ".login.lock"
)

// Path returns the path of credentials.json.
func (f LoginFile) Path() string { return filepath.Join(f.Dir, LoginName) }

// Read returns the login, nil if there is none. One that others can reach comes with ErrExposed.
func (f LoginFile) Read() (*Login, error) {
	text, mode, err := f.read()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	login, err := ParseLogin(text)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", f.Path(), err)
	case mode.Perm()&0o077 != 0:
		return &login, fmt.Errorf("%s: mode %04o: %w", f.Path(), mode.Perm(), ErrExposed)
	}
	return &login, nil
}

// read reads a plain file of this user's, and follows no link.
func (f LoginFile) read() ([]byte, fs.FileMode, error) {
	if _, err := place.Look(f.Path()); err != nil {
		return nil, 0, err
	}
	file, err := os.OpenFile(f.Path(), os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = file.Close() }() // it was only read
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, 0, err
	case !info.Mode().IsRegular() || !place.IsOwn(info): // another one was put there just now
		return nil, 0, fmt.Errorf("%s: %w", f.Path(), place.ErrUnsafe)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxAnswer))
	return text, info.Mode(), err
}

// checkRoom finds out whether another login could be stored in place of l, with longer tokens: once they are
// made, nobody else has them.
func (f LoginFile) checkRoom(l Login) error {
	waiting, err := place.Write(f.Path(), place.Options{}, func(w io.Writer) error {
		_, err := w.Write(bytes.Repeat(l.Text(), 3))
		return err
	})
	if err != nil {
		return err
	}
	return waiting.Discard()
}

// Replace stores a login in place of what is there. The caller has the lock.
func (f LoginFile) Replace(l Login) error {
	if why := l.lacks(); why != "" {
		return fmt.Errorf("%s: %s: %w", LoginName, why, ErrInvalid)
	}
	left, err := place.Left(nil, f.Path())
	if err != nil {
		return err
	}
	was, err := place.Look(f.Path())
	if err != nil {
		return err
	}
	waiting, err := place.Write(f.Path(), place.Options{}, func(w io.Writer) error {
		_, err := w.Write(l.Text())
		return err
	})
	if err != nil {
		return err
	}
	return errors.Join(waiting.Place(was), waiting.Discard(), place.Sweep(left))
}

// Remove removes the login, if there is one.
func (f LoginFile) Remove(ctx context.Context) error {
	return f.Locked(ctx, func() error {
		left, err := place.Left(nil, f.Path())
		if err != nil {
			return err
		}
		return errors.Join(place.Sweep(append(left, f.Path())), place.SyncDir(f.Dir))
	})
}

// lockPatience is how long one waits for another command that renews the login.
const lockPatience = 30 * time.Second

// Locked runs fn while no other command renews, stores or removes the login.
func (f LoginFile) Locked(ctx context.Context, fn func() error) error {
	limited, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	lock, err := lockAt(limited, filepath.Join(f.Dir, lockName), nil)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s: %w", f.Path(), ErrBusy)
	}
	if err != nil {
		return err
	}
	defer func() { _ = place.Unlock(lock) }() // nothing was written
	return fn()
}
