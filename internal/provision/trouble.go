package provision

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"net"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unicode"

	"github.com/jackc/pgx/v5/pgconn"
)

// trouble is an error with nothing of the library's own text, which holds logins and
// pieces of URLs.
type trouble struct {
	doing, why string
	state      string // SQLSTATE, "" where no server said one
	kind       error  // a sentinel; nil where the caller ended it
	ctx        error  // what ended it, or nil
}

func (t *trouble) Error() string {
	text := at(t.doing) + t.why
	if t.state != "" {
		text += " (" + t.state + ")"
	}
	return text
}

// at says what was being done, before why it came to nothing. That a login was, goes without saying.
func at(doing string) string {
	if doing == "login" {
		return ""
	}
	return doing + ": "
}

func (t *trouble) Unwrap() (errs []error) {
	for _, err := range []error{t.kind, t.ctx} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// stateOf returns the SQLSTATE of an error of this package, "" where it has none.
func stateOf(err error) string {
	var t *trouble
	if errors.As(err, &t) {
		return t.state
	}
	return ""
}

// IsSaid tells of an error whether it is what a server said, whatever that was.
func IsSaid(err error) bool { return stateOf(err) != "" }

// IsStarting tells of an error whether the server says that it takes no connections now: it starts, recovers
// or stops.
func IsStarting(err error) bool { return stateOf(err) == "57P03" }

// IsCrowded tells of an error whether the server says that all of its connections are taken.
func IsCrowded(err error) bool { return stateOf(err) == "53300" }

// connectTrouble says why a login came to nothing.
func connectTrouble(ctx context.Context, doing string, config *pgconn.Config, err error) error {
	if t := saidTrouble(ctx, doing, config.Password, err); t != nil {
		if t.state == "42704" || t.state == "55000" { // a parameter; a database that is being dropped
			t.kind = ErrDenied
		}
		if t.state == "28P01" && config.Password == "" {
			t.why = "no password: the URL has none, and no password file has one for it"
		}
		if t.state == ofPoolers {
			t.kind = kindOfPooler(t.why)
		}
		return t
	}
	t := &trouble{doing: doing, kind: ErrUnavailable}
	switch {
	case isA[*net.DNSError](err):
		t.why = "the host's name is not known, or nobody can be asked for it"
	case isA[*tls.CertificateVerificationError](err), isA[x509.UnknownAuthorityError](err), isA[x509.CertificateInvalidError](err):
		t.why, t.kind = "the server's certificate is not trusted", ErrDenied
	case strings.Contains(err.Error(), "authentication method requirement"):
		t.why, t.kind = "who listens there does not prove that it is the server that sp runs", ErrMismatch
	case strings.Contains(err.Error(), "server refused TLS connection") && !plain(config):
		t.why, t.kind = "the server offers no TLS, which the URL demands", ErrDenied
	case isA[tls.AlertError](err) && !plain(config):
		t.why, t.kind = "no TLS that both sides accept", ErrDenied
	case errors.Is(err, syscall.ECONNREFUSED):
		t.why = "connection refused"
	case errors.Is(err, fs.ErrNotExist):
		t.why = "no server has its socket there"
	case errors.Is(err, fs.ErrPermission):
		t.why, t.kind = "the socket is closed to this user", ErrDenied
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		t.why = "no way to the host"
	case pgconn.Timeout(err):
		t.why = "no answer in time"
	case isA[*pgconn.NotPreferredError](err), errors.Is(err, pgconn.ErrReadOnlyConnection), errors.Is(err, pgconn.ErrReadWriteConnection),
		errors.Is(err, pgconn.ErrPrimaryConnection), errors.Is(err, pgconn.ErrStandbyConnection):
		t.why = "no server of the kind that the URL demands"
	default:
		t.why = "who listens there ended the connection, or is no PostgreSQL server"
	}
	if at := address(config); at != "" {
		t.why = at + ": " + t.why
	}
	return t
}

// address is where a login goes; nothing where that is more than one place.
func address(config *pgconn.Config) string {
	for _, other := range config.Fallbacks {
		if other.Host != config.Host || other.Port != config.Port {
			return ""
		}
	}
	if strings.HasPrefix(config.Host, "/") {
		return config.Host
	}
	return net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))
}

// statementTrouble says why a statement came to nothing.
func statementTrouble(ctx context.Context, doing, password string, err error) error {
	if t := saidTrouble(ctx, doing, password, err); t != nil {
		return t
	}
	return &trouble{doing: doing, why: "the connection broke", kind: ErrUnavailable}
}

// saidTrouble is for what the server or the caller said; nil where neither did.
func saidTrouble(ctx context.Context, doing, password string, err error) *trouble {
	said := saidIn(err)
	switch {
	case said != nil && said.Code != "57014": // that is our own cancelling
		return &trouble{doing: doing, why: shown(said.Message, password), state: said.Code, kind: kindOf(said.Code)}
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &trouble{doing: doing, why: "no answer in time", kind: ErrUnavailable, ctx: ctx.Err()}
	case ctx.Err() != nil:
		return &trouble{doing: doing, why: ctx.Err().Error(), ctx: ctx.Err()}
	case said != nil:
		return &trouble{doing: doing, why: shown(said.Message, password), state: said.Code, kind: ErrUnavailable}
	}
	return nil
}

// saidIn returns what a server said: of several attempts the last, if that is what ended
// them, and else the first, behind which others without TLS may only have said that they need it.
func saidIn(err error) *pgconn.PgError {
	var said []*pgconn.PgError
	var each func(error)
	each = func(err error) {
		switch e := err.(type) {
		case nil:
		case *pgconn.PgError:
			said = append(said, e)
		case interface{ Unwrap() []error }:
			for _, one := range e.Unwrap() {
				each(one)
			}
		default:
			each(errors.Unwrap(err))
		}
	}
	each(err)
	if len(said) == 0 {
		return nil
	}
	if last := said[len(said)-1]; slices.Contains([]string{"28P01", "3D000", "42501"}, last.Code) {
		return last
	}
	return said[0]
}

// kindOf sorts SQLSTATEs, as in https://www.postgresql.org/docs/current/errcodes-appendix.html.
func kindOf(state string) error {
	switch {
	case state == "3D000", state == "42704": // no such database, no such role
		return ErrMismatch
	case state == "53200": // out of shared memory
		return ErrFull
	case state == "53300":
		return ErrCrowded
	case state == "53100":
		return ErrNoDisk
	case strings.HasPrefix(state, "57P"), strings.HasPrefix(state, "53"), strings.HasPrefix(state, "08"), strings.HasPrefix(state, "58"):
		return ErrUnavailable
	}
	return ErrDenied
}

// ofPoolers is the SQLSTATE with which PgBouncer refuses a login, up to 1.20 for any reason: its
// words, which it does not translate, tell them apart.
const ofPoolers = "08P01"

func kindOfPooler(why string) error {
	switch {
	case strings.Contains(why, "authentication failed"), strings.HasPrefix(why, "no such user"):
		return ErrDenied
	case strings.HasPrefix(why, "no such database"):
		return ErrMismatch
	}
	return ErrUnavailable
}

// shown is a server's message for an error: a server that was told the password in clear
// could repeat it.
func shown(message, password string) string {
	if password != "" && strings.Contains(message, password) {
		return "it says something that can't be shown"
	}
	const enough = 200
	message = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, message)
	if len(message) > enough {
		message = strings.ToValidUTF8(message[:enough], "") + "…"
	}
	return message
}

// plain tells whether a connection without TLS is allowed to some server.
func plain(config *pgconn.Config) bool {
	if config.TLSConfig == nil {
		return true
	}
	for _, f := range config.Fallbacks {
		if f.TLSConfig == nil {
			return true
		}
	}
	return false
}

func isA[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
