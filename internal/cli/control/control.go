// Package control has the commands of spd, the control plane: serving, and what its operator decides
// on the machine where it runs.
package control

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/sp-registry/sp/db"
	rows "github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/server"
)

const dirFlag = "dir"

// Dir returns the flag --dir of every command.
func Dir() cli.Flag {
	return cli.String(dirFlag, "DIRECTORY", "where the control plane keeps its files (else SPD_DIR, else ~/.local/share/spd)")
}

// Faults returns the exit code, code word and hint of each kind of error. The first match counts.
func Faults() []cli.Fault {
	fault := func(err error, exit int, code string) cli.Fault { return cli.Fault{Err: err, Exit: exit, Code: code} }
	hinted := func(f cli.Fault, format string, args ...any) cli.Fault {
		f.Hint = cli.Advise(format, args...)
		return f
	}
	ended := func(err error) cli.Fault {
		return hinted(fault(err, 9, "unavailable"), "%s ends its processes, and the next start starts it again; nothing that was committed is lost", cli.To("spd", "--stop"))
	}
	return []cli.Fault{
		{Err: registry.ErrIncomplete, Exit: 8, Code: "incomplete", Made: true},
		fault(registry.ErrUnknown, 8, "incomplete"),
		fault(server.ErrNone, 6, "store"),
		hinted(fault(server.ErrRunning, 4, "in_use"), "stop that one first, or name another directory with --dir; the other commands of spd work beside it"),
		{Err: errTaken, Exit: 4, Code: "in_use", Bare: true},
		fault(server.ErrUserExists, 4, "exists"),
		fault(server.ErrInactive, 4, "conflict"),
		fault(server.ErrLastAdmin, 4, "conflict"),
		fault(server.ErrNoUser, 3, "not_found"),
		fault(server.ErrInvalid, 2, "invalid"),
		fault(server.ErrExposed, 6, "store"),
		fault(rows.ErrExposed, 6, "store"),
		hinted(fault(rows.ErrNewer, 6, "store"), "install the newer spd, or put the copy back that was made before"),
		fault(postgres.ErrRoot, 9, "unavailable"),
		hinted(fault(hosting.ErrNoServer, 9, "unavailable"), "install PostgreSQL's programs (apt-get install postgresql), or name them in SP_POSTGRES_BIN\n"+
			"or use a server that runs: %s", cli.To("spd region add", "CODE", "--server-stdin")),
		fault(postgres.ErrNone, 9, "unavailable"),
		fault(postgres.ErrTaken, 9, "unavailable"),
		hinted(fault(hosting.ErrNoRoom, 6, "store"), "free some space"),
		ended(postgres.ErrUnended),
		ended(postgres.ErrFrozen),
		hinted(fault(postgres.ErrBusy, 7, "busy"), "try again, when that one is done"),
		fault(postgres.ErrUnusable, 9, "unavailable"),
		hinted(fault(hosting.ErrLost, 9, "mismatch"), "put them back, or begin anew in another directory: --dir"),
		hinted(fault(provision.ErrUnavailable, 9, "unavailable"), "see that the server runs, and that host and port are right"),
		hinted(fault(provision.ErrDenied, 9, "denied"), "the URL has to be of a role with CREATEROLE and CREATEDB, with its password, and an sslmode that the server offers"),
		fault(provision.ErrMismatch, 9, "mismatch"),
		fault(registry.ErrExists, 4, "exists"),
		fault(registry.ErrInUse, 4, "in_use"),
		{Err: registry.ErrConflict, Exit: 4, Code: "conflict", Bare: true},
		fault(registry.ErrAmbiguous, 2, "ambiguous"),
		fault(registry.ErrNotFound, 3, "not_found"),
		{Err: registry.ErrInvalid, Exit: 2, Code: "invalid", Bare: true},
		{Err: pgurl.ErrInvalid, Exit: 2, Code: "invalid", Bare: true},
		fault(db.ErrBusy, 7, "busy"),
		hinted(fault(db.ErrNewer, 6, "store"), "install the newer spd, or put the copy back that was made before"),
		fault(db.ErrUnsafe, 6, "store"),
		{Err: db.ErrDamaged, Exit: 6, Code: "store", Hint: restore},
		fault(db.ErrReadOnly, 6, "store"),
		fault(db.ErrFull, 6, "store"),
		{Err: db.ErrForeign, Exit: 6, Code: "store", Hint: restore},
		{Err: db.ErrUntrusted, Exit: 6, Code: "store", Hint: restore},
		{Err: rows.ErrDamaged, Exit: 6, Code: "store", Hint: restore},
		{Err: rows.ErrForeign, Exit: 6, Code: "store", Hint: restore},
		{Err: rows.ErrLeft, Exit: 6, Code: "store", Hint: restore},
		{Err: rows.ErrReplaced, Exit: 6, Code: "store", Hint: restore},
		fault(rows.ErrReadOnly, 6, "store"),
		fault(rows.ErrFull, 6, "store"),
		hinted(fault(server.ErrCopy, 6, "store"), "use that one, or move it away; then this one takes its place"),
		{Err: server.ErrOtherRegistry, Exit: 6, Code: "store", Hint: restoreOrAccept},
		{Err: server.ErrNoStore, Exit: 6, Code: "store", Hint: restoreOrAccept},
	}
}

// plane runs fn on the control plane of the directory. Where there is none it refuses, since a mistyped
// directory is no empty control plane.
func plane(ctx context.Context, c *cli.Context, fn func(context.Context, *server.Server) error) error {
	dir, err := directory(c)
	if err != nil {
		return err
	}
	if err := server.Look(dir); errors.Is(err, server.ErrNone) {
		return cli.Hint(err, "if it is elsewhere, name its directory: --dir, or the variable SPD_DIR\n"+
			"%s makes a new one; %s makes one to try, with a PostgreSQL server", to(c, "spd user add", "NAME"), to(c, "spd", "--dev"))
	} else if err != nil {
		return err
	}
	return newPlane(ctx, c, fn)
}

// newPlane makes the control plane before, where there is none.
func newPlane(ctx context.Context, c *cli.Context, fn func(context.Context, *server.Server) error) (err error) {
	o, err := options(c)
	if err != nil {
		return err
	}
	s, err := open(ctx, c, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := fn(ctx, s); errors.Is(err, server.ErrNoUser) {
		return cli.Hint(err, "%s lists the users", to(c, "spd user list"))
	} else {
		return err
	}
}

// open opens a control plane, and says where it made one.
func open(ctx context.Context, c *cli.Context, o server.Options) (*server.Server, error) {
	before := server.Look(o.Dir)
	s, err := server.Open(ctx, o)
	if err == nil && errors.Is(before, server.ErrNone) {
		c.Note("made a control plane in %s", o.Dir)
	}
	return s, err
}

// to is the command line of a command on the same directory.
func to(c *cli.Context, words string, args ...string) cli.Next {
	if c.IsSet(dirFlag) {
		args = append(args, "--"+dirFlag, c.String(dirFlag))
	}
	return cli.To(words, args...)
}

// waitFor is how long a command waits for other processes.
const waitFor = 10 * time.Second

func options(c *cli.Context) (server.Options, error) {
	dir, err := directory(c)
	return server.Options{
		Dir: dir, URL: &url.URL{Scheme: "http", Host: "127.0.0.1"}, Domain: "localhost", Now: c.Now, Random: c.Random, Wait: waitFor,
		Machine: machine(c, dir), Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}, err
}

// directory is where the control plane keeps its files.
func directory(c *cli.Context) (string, error) {
	path := c.String(dirFlag)
	if path == "" {
		path = variable(c, "SPD_DIR")
	}
	if path != "" {
		return c.Absolute(path)
	}
	base := variable(c, "XDG_DATA_HOME")
	if home := variable(c, "HOME"); base == "" && home != "" {
		base = filepath.Join(home, ".local", "share")
	}
	if base == "" || !filepath.IsAbs(base) {
		return "", cli.Hint(cli.Usage("there is no place for the control plane's files"), "name one with --dir or SPD_DIR")
	}
	return filepath.Join(base, "spd"), nil
}

func variable(c *cli.Context, name string) string {
	if value := c.Env(name); value != nil {
		return *value
	}
	return ""
}

// machine fills in what hosting may use of this machine: PostgreSQL's programs, and a place for the
// data of a server that spd runs.
func machine(c *cli.Context, dir string) func(*hosting.Machine) {
	return func(m *hosting.Machine) {
		m.Env = c.Environ()
		m.Programs = func(cluster string) (postgres.Programs, error) {
			return postgres.FindPrograms(variable(c, "SP_POSTGRES_BIN"), c.SearchPath(), cluster)
		}
		base := filepath.Join(dir, "postgres")
		if os.Geteuid() == 0 { // as whom the programs run does not get into dir
			base = filepath.Join(cmp.Or(variable(c, "SP_DATA_DIR"), postgres.RootBase), "postgres")
		}
		m.Data = func() (string, error) { return base, nil }
		m.MakeData = func() (string, error) { return base, postgres.MakeBase(base) }
	}
}

// told is a time as a pipe gets it.
func told(at *time.Time) string {
	if at == nil {
		return "never"
	}
	return at.Format(time.RFC3339)
}
