package postgres

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/sp-registry/sp/internal/secret"
)

// compose is what shared.yaml says below its first lines.
const compose = `name: ` + Container + `
services:
  postgres:
    image: IMAGE
    container_name: ` + Container + `
    restart: unless-stopped
    ports:
      - "` + loopback + `:PORT:5432"
    env_file:
      - shared.env
    labels:
      ` + label + `: OWNER
    volumes:
      - data:/var/lib/postgresql
    healthcheck:
      test: ["CMD", "pg_isready", "-U", "` + image + `", "-h", "` + loopback + `"]
      interval: 5s
      timeout: 5s
      retries: 5
volumes:
  data:
    name: ` + volume + `
    labels:
      ` + label + `: OWNER
`

// firstLine begins the first line of a shared.yaml that sp wrote; the SHA-256 of what is below
// it follows.
const firstLine = "# Made by sp, and kept as it is once you edit it. "

const passwordName = "POSTGRES_PASSWORD="

func (d Docker) composeFile() string { return filepath.Join(d.Dir, "shared.yaml") }

func (d Docker) envFile() string { return filepath.Join(d.Dir, "shared.env") }

// writeFiles puts what the container is made from in place. A password that is there is
// that of the volume, and perhaps nowhere else: it is never replaced by another.
func (d Docker) writeFiles() error {
	if err := d.CheckFiles(); err != nil {
		return err
	}
	kept, found, err := d.KnownPassword()
	switch {
	case err != nil:
		return err
	case found && !kept.Equal(d.Password):
		return fmt.Errorf("%s: it has another password: %w (it is that of the volume %s; move the file away if there is none)", d.envFile(), ErrUnusable, volume)
	case !found:
		err = writeFile(d.envFile(), d.envText())
	default:
		err = os.Chmod(d.envFile(), 0o600)
	}
	if err != nil {
		return err
	}
	text, err := os.ReadFile(d.composeFile())
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case err == nil && !isUnedited(text):
		return d.checkEdited(string(text))
	}
	return writeFile(d.composeFile(), d.compose())
}

func (d Docker) envText() []byte {
	return line("# The password of the container, which it is made with.\n"+passwordName, d.Password)
}

// image is what the container runs.
func (d Docker) image() string { return cmp.Or(d.Image, release) }

// CheckFiles refuses shared.yaml and shared.env, unless they are as sp writes them or those
// that may be used: whoever writes a project's files could have the container run anything.
func (d Docker) CheckFiles() error {
	for _, file := range []struct {
		path, may string
		ours      []byte
	}{
		{d.composeFile(), d.ComposeSum, d.compose()},
		{d.envFile(), d.EnvSum, d.envText()},
	} {
		text, err := os.ReadFile(file.path)
		if err == nil && !bytes.Equal(text, file.ours) && sum(text) != file.may {
			err = fmt.Errorf("%s: somebody wrote or edited it: %w", file.path, ErrEdited)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Files returns the texts of shared.yaml and shared.env, nil where there is none.
func (d Docker) Files() (compose, env []byte, err error) {
	read := func(path string) []byte {
		text, unread := os.ReadFile(path)
		if unread != nil && !errors.Is(unread, fs.ErrNotExist) {
			err = unread
		}
		return text
	}
	compose, env = read(d.composeFile()), read(d.envFile())
	return compose, env, err
}

// Sum is the SHA-256 of a file as it is recorded, nil for one that is not there.
func Sum(text []byte) *string {
	if text == nil {
		return nil
	}
	hash := sum(text)
	return &hash
}

// WithoutPasswords is the text of an env file for people to look at.
func WithoutPasswords(env []byte) string {
	var shown strings.Builder
	for text := range strings.Lines(string(env)) {
		if name, _, found := strings.Cut(text, "="); found && strings.Contains(name, "PASSWORD") {
			text = name + "=[secret]\n"
		}
		shown.WriteString(text)
	}
	return shown.String()
}

// checkEdited keeps a shared.yaml that somebody edited; the older tool's, which has the
// same name, makes another container.
func (d Docker) checkEdited(text string) error {
	if !strings.Contains(text, "container_name: "+Container) {
		return fmt.Errorf("%s: it does not make the container %s: %w (move it away, or use its server with --server URL)", d.composeFile(), Container, ErrTaken)
	}
	return os.Chmod(d.composeFile(), 0o600)
}

// KnownPassword returns the password in shared.env, with which the container and its
// volume were made, and whether there is one.
func (d Docker) KnownPassword() (secret.Secret, bool, error) {
	text, err := os.ReadFile(d.envFile())
	if errors.Is(err, fs.ErrNotExist) {
		return secret.Secret{}, false, nil
	}
	for said := range strings.Lines(string(text)) {
		if password, found := strings.CutPrefix(strings.TrimSpace(said), passwordName); found {
			return secret.New(password), true, nil
		}
	}
	if err == nil {
		err = fmt.Errorf("%s: no %s in it: %w", d.envFile(), strings.TrimSuffix(passwordName, "="), ErrUnusable)
	}
	return secret.Secret{}, false, err
}

// madePort returns the port that the container was made with, as shared.yaml says.
func (d Docker) madePort() (int, error) {
	text, err := os.ReadFile(d.composeFile())
	if err != nil {
		return 0, err
	}
	for said := range strings.Lines(string(text)) {
		published := strings.Trim(strings.TrimSpace(said), `- "'`)
		if port, found := strings.CutPrefix(published, loopback+":"); found {
			if n, err := strconv.Atoi(strings.TrimSuffix(port, ":5432")); err == nil {
				return n, nil
			}
		}
	}
	return 0, fmt.Errorf("%s: no port of %s in it: %w", d.composeFile(), loopback, ErrUnusable)
}

// compose is the text of shared.yaml.
func (d Docker) compose() []byte {
	owner, err := json.Marshal(d.owner()) // which YAML reads the same
	if err != nil {
		panic(err) // of a string
	}
	text := strings.NewReplacer("PORT", strconv.Itoa(d.Port), "IMAGE", d.image(), "OWNER", strings.ReplaceAll(string(owner), "$", "$$")).Replace(compose)
	return []byte(firstLine + sum([]byte(text)) + "\n" + text)
}

// isUnedited tells whether a shared.yaml is as sp wrote it, for whatever port.
func isUnedited(text []byte) bool {
	first, rest, _ := bytes.Cut(text, []byte("\n"))
	return string(first) == firstLine+sum(rest)
}

func sum(text []byte) string {
	hash := sha256.Sum256(text)
	return hex.EncodeToString(hash[:])
}
