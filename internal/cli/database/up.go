package database

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/registry"
)

func upCommand() *cli.Command {
	return &cli.Command{
		Name:  "up",
		Usage: "start the server that sp runs, or make one",
		Description: "The server runs in Docker or, if there is no Docker, with this machine's own\n" +
			"programs. If sp has made a server before, it starts that one. If there is no\n" +
			"registry yet, sp makes one.",
		Flags: []cli.Flag{
			cli.Choice("provider", "run it in Docker, or with this machine's programs", string(registry.InDocker), string(registry.LocalPrograms)),
			cli.Int("port", "PORT", "move the local server to PORT, and the tenants' URLs with it"),
			cli.String("listen", "local|DIRECTORY", "have a socket in DIRECTORY, too, for a container that mounts it; local ends that"),
			task.SetAside(), cli.Yes(),
		},
		Run: task.Run(up),
	}
}

// started is a server that was started, in JSON.
type started struct {
	record
	Running bool    `json:"running"`
	Version string  `json:"version"`
	Socket  *string `json:"socket"`
}

func up(ctx context.Context, t *task.Task) (a cli.Answer, err error) {
	port := t.Int("port")
	if t.IsSet("port") && (port < 1024 || port > 65535) {
		return a, cli.Usage("db up: --port: from 1024 to 65535")
	}
	listen, err := socketDir(t)
	if err != nil {
		return a, err
	}
	err = t.UntilTold(ctx, func(ctx context.Context) error {
		s, err := serverToStart(ctx, t)
		if err != nil {
			return err
		}
		if err := t.MakeRegistry(ctx, t.Existing()); err != nil {
			return err
		}
		return t.InSteps(ctx, t.Tenants, func(ctx context.Context, m *hosting.Machine) error {
			m.Listen = listen
			a, err = start(ctx, t, m, s, port)
			return err
		})
	})
	return a, err
}

// serverToStart finds a server before anything is made for one that can't be.
func serverToStart(ctx context.Context, t *task.Task) (registry.Server, error) {
	known, err := t.KnownServers(ctx)
	if err != nil {
		return registry.Server{}, err
	}
	elsewhere := func(s registry.Server) bool { return !s.IsOwn() }
	w := hosting.Wanted{Provider: registry.Provider(t.String("provider"))}
	return t.FindServer(ctx, w, slices.DeleteFunc(known, elsewhere))
}

func start(ctx context.Context, t *task.Task, m *hosting.Machine, s registry.Server, port int) (cli.Answer, error) {
	s, err := m.Name(ctx, s)
	if err != nil {
		return cli.Answer{}, err
	}
	if s, err = allow(ctx, t, m, s); err != nil {
		return cli.Answer{}, err
	}
	if port != 0 && (s.Provider != registry.LocalPrograms || s.Admin.Empty()) {
		return cli.Answer{}, cli.Usage("db up: --port: only a local server that is there takes another one")
	}
	if m.Listen != nil && s.Provider != registry.LocalPrograms {
		return cli.Answer{}, cli.Usage("db up: --listen: only a server of this machine's programs has a socket")
	}
	moves, err := m.Moves(ctx, s, port)
	if err == nil && moves {
		err = mayStop(ctx, t, m, s, "Restart")
	}
	if err != nil {
		return cli.Answer{}, err
	}
	up, err := m.Up(ctx, s, port)
	tellUp(t, up, port)
	if up.Stayed {
		err = cli.Hint(err, "%s starts the server at its new port", cli.To("sp db up"))
	}
	if err != nil {
		return cli.Answer{}, err
	}
	switch {
	case moves && len(up.Moved) > 0:
		t.Note("server %s was restarted: start running applications again, with their new URLs", s.Name)
	case moves:
		t.Note("server %s was restarted: running applications have to connect again", s.Name)
	}
	t.Note("server %s runs: PostgreSQL %s", up.Server.Name, up.Version)
	a := started{recordOf(up.Server), true, up.Version, nil}
	if a.Socket, err = socketOf(m, up.Server); a.Socket != nil {
		t.Note("a container that mounts %s reaches it with that directory as PGHOST", *a.Socket)
	}
	return cli.Line(a, addressOf(up.Server)), err
}

// socketDir is the directory that --listen names, "" for none, nil if it was not given.
func socketDir(t *task.Task) (*string, error) {
	switch given := t.Optional("listen"); {
	case given == nil:
		return nil, nil
	case *given == "local":
		return new(string), nil
	case !strings.Contains(*given, "/"):
		return nil, cli.Hint(cli.Usage("db up: --listen: local, or the path of a directory with a slash in it, such as ./run"),
			"a container reaches the server by a socket: %s, and mount DIRECTORY there", cli.To("sp db up", "--listen", "DIRECTORY"))
	default:
		dir, err := t.Resolved(*given)
		if err == nil {
			err = t.CheckAbove(dir)
		}
		return &dir, err
	}
}

// socketOf is the directory of a server's socket, nil if it has none.
func socketOf(m *hosting.Machine, s registry.Server) (*string, error) {
	if s.Provider != registry.LocalPrograms {
		return nil, nil
	}
	c, err := m.Cluster(s)
	if err != nil {
		return nil, err
	}
	dir, err := c.Socket()
	if dir == "" {
		return nil, err
	}
	return &dir, err
}

func tellUp(t *task.Task, up hosting.Up, port int) {
	for _, id := range up.Moved {
		t.Note("the URL of tenant %s leads to port %d", id, port)
	}
	t.Tell(up.Warnings, "")
	for _, d := range up.Missing {
		t.Note("warning: database %s is recorded and not on the server, or not whole: %s makes again what is missing", d.Name, cli.To("sp tenant provision", string(d.Tenant)))
	}
}

// allow has what a server would be started from looked at, where it may be anybody's.
func allow(ctx context.Context, t *task.Task, m *hosting.Machine, s registry.Server) (registry.Server, error) {
	d, err := m.Doubt(s)
	if err == nil {
		err = lookAt(ctx, t, s, d)
	}
	if err != nil {
		return s, err
	}
	if s, err = m.Allow(ctx, s, d); task.Made(err) && d.From != "" {
		t.Note("server %s moved to %s", s.Name, d.Dir)
	}
	return s, err
}

// lookAt shows what is in doubt, and asks.
func lookAt(ctx context.Context, t *task.Task, s registry.Server, d hosting.Doubt) error {
	switch {
	case d.Edited != nil && !t.IsAttended():
		return d.Edited
	case d.Edited != nil:
		for line := range strings.Lines(d.Text) {
			t.Note("  %s", strings.TrimSuffix(line, "\n"))
		}
		return t.ConfirmTyped(ctx, fmt.Sprintf("This is what the container would be made from (%s). Somebody wrote or edited it. Use it?", d.Dir))
	case d.Foreign:
		return confirmData(ctx, t, fmt.Sprintf("%s is not the directory that sp recorded for server %s, perhaps a copy or a restored backup. Starting it runs what is in it. Start it?", d.Dir, s.Name))
	case d.From != "":
		return confirmData(ctx, t, fmt.Sprintf("An earlier sp made server %s in %s. It moves to %s. Starting it runs what is in it. Go on?", s.Name, d.From, d.Dir))
	}
	return nil
}

// confirmData asks about data that may be anybody's. -y does not answer; without a terminal
// SP_TRUST must name the project.
func confirmData(ctx context.Context, t *task.Task, question string) error {
	dir, err := t.Project()
	if err != nil {
		return err
	}
	trust, err := t.Trust(dir)
	if err != nil || trust.Named && !t.IsAttended() {
		return err
	}
	err = t.ConfirmTyped(ctx, question)
	if errors.Is(err, cli.ErrConfirm) {
		err = cli.Hint(err, "%s asks at a terminal; without one, SP_TRUST=%s says yes", cli.To("sp db up"), cli.Quoted(filepath.Dir(dir.Path())))
	}
	return err
}
