package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Up starts the container, which is made if there is none, and returns when the server
// in it answers. Until when that is tried, ctx says.
func (d Docker) Up(ctx context.Context, answers func(context.Context) error) error {
	if !isPlain(d.Password) {
		return fmt.Errorf("the password of the container: %w", ErrUnusable)
	}
	if err := makeDir(d.Dir, Account{}); err != nil {
		return err
	}
	held, err := acquire(ctx, d.Dir, func(string) {})
	if err != nil {
		return err
	}
	defer held.release()
	c, err := d.own(ctx)
	if err != nil {
		return err
	}
	switch c.state {
	case "running", "restarting":
	case "paused":
		err = d.do(ctx, "unpause", Container)
	case "", "created":
		err = d.make(ctx, c)
	default:
		err = d.do(ctx, "start", Container)
	}
	if err != nil {
		return err
	}
	return d.await(ctx, answers)
}

// make makes the container, by compose where docker has that. One that was only created
// never ran: its port was taken, say.
func (d Docker) make(ctx context.Context, c container) error {
	if c.state != "" {
		if err := d.do(ctx, "rm", Container); err != nil {
			return err
		}
	}
	if err := checkPort(d.Port); err != nil {
		return err
	}
	hadVolume, err := d.hasVolume(ctx)
	if err != nil {
		return err
	}
	if err := d.writeFiles(); err != nil {
		return err
	}
	err = d.create(ctx)
	if err == nil || ctx.Err() != nil {
		return err
	}
	c, other := d.own(ctx)
	switch {
	case errors.Is(other, ErrTaken): // it was faster
		return other
	case other == nil && c.state == "" && !hadVolume: // the image can't be had, say: nothing is on it
		return errors.Join(err, d.do(ctx, "volume", "rm", volume))
	}
	return err
}

// hasVolume tells whether the volume is there, and refuses another project's data.
func (d Docker) hasVolume(ctx context.Context) (bool, error) {
	out, err := d.ask(ctx, "volume", "ls", "--filter", "name="+volume, "--format", `{{.Name}}{{"\t"}}{{.Label "`+label+`"}}`)
	for found := range strings.Lines(out) {
		name, owner, _ := strings.Cut(strings.TrimSuffix(found, "\n"), "\t")
		if name == volume && owner != d.owner() {
			return true, d.taken("volume "+volume, owner)
		}
		if name == volume {
			return true, nil
		}
	}
	return false, err
}

// claimVolume makes the volume if there is none, by which docker decides which of two
// projects was first. It looks as if compose had made it, which would complain otherwise.
func (d Docker) claimVolume(ctx context.Context) error {
	if err := d.do(ctx, "volume", "create", "--label", label+"="+d.owner(),
		"--label", "com.docker.compose.project="+Container, "--label", "com.docker.compose.volume=data", volume); err != nil {
		return err
	}
	_, err := d.hasVolume(ctx)
	return err
}

// hasCompose tells whether docker has compose, which reads no file of a path with a
// control character.
func (d Docker) hasCompose(ctx context.Context) bool {
	if strings.ContainsFunc(d.Dir, unicode.IsControl) {
		return false
	}
	_, err := d.ask(ctx, "compose", "version")
	return err == nil
}

// create makes and starts the container. Without compose it means the same as what
// shared.yaml says.
func (d Docker) create(ctx context.Context) error {
	if err := d.claimVolume(ctx); err != nil {
		return err
	}
	if d.hasCompose(ctx) {
		return d.do(ctx, "compose", "--project-name", Container, "--file", d.composeFile(), "up", "--detach")
	}
	return d.do(ctx, "run", "--detach", "--name", Container, "--restart", "unless-stopped",
		"--publish", loopback+":"+strconv.Itoa(d.Port)+":5432", "--env-file", d.envFile(),
		"--label", label+"="+d.owner(), "--volume", volume+":/var/lib/postgresql",
		"--health-cmd", "pg_isready -U "+image+" -h "+loopback, "--health-interval", "5s", "--health-timeout", "5s", "--health-retries", "5",
		d.image())
}

// Digest returns the image that the container runs, by the digest under which it can be had
// again; "" where there is none, for one that was built here.
func (d Docker) Digest(ctx context.Context) (string, error) {
	id, err := d.ask(ctx, "container", "inspect", "--format", "{{.Image}}", Container)
	if err != nil {
		return "", err
	}
	out, err := d.ask(ctx, "image", "inspect", "--format", `{{range .RepoDigests}}{{println .}}{{end}}`, strings.TrimSpace(id))
	digest, _, _ := strings.Cut(strings.TrimSpace(out), "\n")
	return digest, err
}

// IsMade tells whether the container or its volume is there, and is this project's.
func (d Docker) IsMade(ctx context.Context) (bool, error) {
	c, err := d.own(ctx)
	if err != nil || c.state != "" && c.state != "created" {
		return err == nil, err
	}
	return d.hasVolume(ctx)
}

// await returns when the server answers, or why it won't.
func (d Docker) await(ctx context.Context, answers func(context.Context) error) error {
	restarts, cancel := context.WithTimeout(ctx, cmp.Or(d.restarts, restartPatience))
	defer cancel()
	for {
		said := try(ctx, answers)
		if said == nil {
			return nil
		}
		c, err := d.own(ctx)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			return err
		case c.state == "restarting" && restarts.Err() == nil: // docker has it run again
		case c.state != "running":
			return d.ended(ctx, c)
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return fmt.Errorf("container %s: no answer: %w: %w", Container, err, said)
		}
	}
}

// try asks once; who does not say so in a while has not answered.
func try(ctx context.Context, answers func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return answers(ctx)
}

// ended says how a container ended that was to run, by its last word.
func (d Docker) ended(ctx context.Context, c container) error {
	if c.state == "" {
		return fmt.Errorf("container %s: it is gone again: %w", Container, ErrUnusable)
	}
	out, said, err := d.command("logs", "--tail", "20", Container).run(ctx)
	why := d.complaint(out+said, errors.Join(err, errors.New("it says nothing")))
	return fmt.Errorf("container %s: %s: %s: %w (docker logs %s)", Container, c.state, why, ErrUnusable, Container)
}
