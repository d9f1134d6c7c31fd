package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sp-registry/sp/internal/secret"
)

// Container is the name of the container, of which a machine has one; its volume and its
// compose project are called after it.
const Container = "systemprompt-shared-db"

const (
	volume  = Container + "-data"
	release = "postgres:18-alpine"
	// label is on the container and the volume, with the directory to which they belong.
	label = "io.systemprompt.directory"
	// enginePatience is how long docker may take to say what there is.
	enginePatience = 3 * time.Second
	// stopsWithin is how long docker may take to stop the container, or to remove it, its network or its volume.
	stopsWithin = time.Minute
	// restartPatience is how long a container that ended may take to run again: docker
	// waits longer each time.
	restartPatience = 10 * time.Second
)

// Docker is a server in a container. Its password stands in a file that only its owner
// can read, and in no argument of a program.
type Docker struct {
	Dir      string // docker/ of the project, an absolute path, which need not be there yet
	Program  string // the path of docker, empty where there is none
	Port     int
	Password secret.Secret
	Env      []string // of docker
	Owner    string   // the .systemprompt directory, by which the container is known again

	// ComposeSum and EnvSum are the SHA-256 of shared.yaml and shared.env as they may be used; as sp
	// itself writes them they always may. Image is what the container runs, release if empty.
	ComposeSum, EnvSum, Image string

	patience, restarts, stops time.Duration // for tests; 0 is enginePatience, restartPatience and stopsWithin
}

// Engine returns the version of the engine, or ErrNoEngine if none answers in time.
func (d Docker) Engine(ctx context.Context) (version string, err error) {
	out, err := d.ask(ctx, "version", "--format", "{{.Server.Version}}")
	if version = strings.TrimSpace(out); err == nil && version == "" {
		err = fmt.Errorf("docker: no engine answers: %w", ErrNoEngine)
	}
	return version, err
}

// ask runs docker for what it knows by itself or from the engine, which is an answer in
// time or none.
func (d Docker) ask(ctx context.Context, args ...string) (string, error) {
	patience := cmp.Or(d.patience, enginePatience)
	limited, cancel := context.WithTimeoutCause(ctx, patience, errors.New("no answer"))
	defer cancel()
	if !filepath.IsAbs(d.Program) {
		return "", fmt.Errorf("docker: the program: %w", ErrNone)
	}
	out, said, err := d.command(args...).run(limited)
	switch {
	case err == nil:
		return out, nil
	case ctx.Err() != nil:
		return "", err
	case limited.Err() != nil:
		return "", fmt.Errorf("docker: nothing for %v: %w", patience, ErrNoEngine)
	}
	return "", fmt.Errorf("docker %s: %s: %w", args[0], d.complaint(said, err), ErrNoEngine)
}

// do runs docker for what it does, for as long as that takes.
func (d Docker) do(ctx context.Context, args ...string) error {
	_, said, err := d.command(args...).run(ctx)
	if err == nil || ctx.Err() != nil {
		return err
	}
	if strings.Contains(said, "port is already allocated") || strings.Contains(said, "address already in use") {
		return portTaken(d.Port)
	}
	return fmt.Errorf("docker %s: %s: %w", args[0], d.complaint(said, err), ErrUnusable)
}

// end is do for what ends something. An engine that hangs is not waited for.
func (d Docker) end(ctx context.Context, args ...string) error {
	within := cmp.Or(d.stops, stopsWithin)
	ctx, cancel := context.WithTimeoutCause(ctx, within, fmt.Errorf("docker %s: no answer for %v: %w", args[0], within, ErrUnusable))
	defer cancel()
	return d.do(ctx, args...)
}

func (d Docker) command(args ...string) command {
	return command{program: d.Program, args: args, env: d.Env}
}

// complaint is what docker says is wrong, without what it adds to every refusal.
func (d Docker) complaint(said string, err error) string {
	for _, added := range []string{"\nRun 'docker ", "\nSee 'docker ", "\nError: failed to start containers: ", `: Get "http://%2F`} {
		said, _, _ = strings.Cut(said, added)
	}
	said = strings.TrimPrefix(lastLine(said), "docker: ")
	if said == "" {
		said = err.Error()
	}
	return without(d.Password, said)
}

// owner is the directory as a label can have it, on one line.
func (d Docker) owner() string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(d.Owner, "\uFFFD"))
}

// container is how the container stands; it has no state where there is none.
type container struct{ state, owner string }

func (d Docker) container(ctx context.Context) (c container, err error) {
	out, err := d.ask(ctx, "ps", "--all", "--filter", "name=^/?"+Container+"$", "--format", `{{.State}}{{"\t"}}{{.Label "`+label+`"}}`)
	c.state, c.owner, _ = strings.Cut(strings.TrimSuffix(out, "\n"), "\t")
	return c, err
}

// own returns the container as it stands, and refuses another's.
func (d Docker) own(ctx context.Context) (container, error) {
	c, err := d.container(ctx)
	if err == nil && c.state != "" && c.owner != d.owner() {
		err = d.taken("container "+Container, c.owner)
	}
	return c, err
}

func (d Docker) taken(what, owner string) error {
	whose := "something else than sp made it"
	if owner != "" {
		whose = "it belongs to " + owner
	}
	return fmt.Errorf("%s: %s: %w (use another server with --server URL, or one of your own with --provider local)", what, whose, ErrTaken)
}

// MadePort returns the port of the container that is there, 0 where one is yet to be made.
// Where that can't be, because the container or its volume is another's, it says so.
func (d Docker) MadePort(ctx context.Context) (int, error) {
	c, err := d.own(ctx)
	switch {
	case err != nil:
		return 0, err
	case c.state == "", c.state == "created":
		_, err := d.hasVolume(ctx)
		return 0, err
	}
	return d.madePort()
}

// Down stops the container, if it is this project's. Its volume stays.
func (d Docker) Down(ctx context.Context) error {
	runs, err := d.Running(ctx)
	if err != nil || !runs {
		return err
	}
	return d.end(ctx, "stop", Container) // which kills it after 10 s
}

// Remove ends the container with its volume and its network, if they are this project's, and removes
// what it was made from.
func (d Docker) Remove(ctx context.Context) error {
	if err := d.Down(ctx); err != nil {
		return err
	}
	c, err := d.own(ctx)
	if err == nil && c.state != "" {
		err = d.end(ctx, "rm", Container)
	}
	if err == nil {
		err = d.removeNetwork(ctx)
	}
	if err != nil {
		return err
	}
	had, err := d.hasVolume(ctx)
	if err == nil && had {
		err = d.end(ctx, "volume", "rm", volume)
	}
	if err != nil {
		return err
	}
	return errors.Join(os.RemoveAll(d.composeFile()), os.RemoveAll(d.envFile()))
}

// removeNetwork removes the network that compose made for the container, unless somebody else's container uses it.
func (d Docker) removeNetwork(ctx context.Context) error {
	unused, err := d.ask(ctx, "network", "ls", "--quiet", "--filter", "label=com.docker.compose.project="+Container, "--filter", "dangling=true")
	if err != nil || unused == "" {
		return err
	}
	return d.end(ctx, append([]string{"network", "rm"}, strings.Fields(unused)...)...)
}

// Look tells whether who listens on the port can be the container, and answers: behind one that is paused
// docker takes connections, and nobody ever says a word.
func (d Docker) Look(ctx context.Context) (Look, error) {
	c, err := d.container(ctx)
	switch {
	case errors.Is(err, ErrNone): // sp itself may be in a container, from where no engine answers
		return Unseen, nil
	case d.runs(c) && c.state != "paused":
		return There, err
	}
	return NotThere, err
}

// Running tells whether the container runs, be it paused, and is this project's.
func (d Docker) Running(ctx context.Context) (bool, error) {
	c, err := d.container(ctx)
	return d.runs(c), err
}

func (d Docker) runs(c container) bool {
	return c.owner == d.owner() && slices.Contains([]string{"running", "restarting", "paused"}, c.state)
}
