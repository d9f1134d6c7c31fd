package profile

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// maxSecretsFile bounds a file of secrets.
const maxSecretsFile = 16 << 20

func secretsImport() *cli.Command {
	return &cli.Command{
		Name:  "import",
		Usage: "set a profile's secrets from a secrets.json",
		Args:  []cli.Arg{{Name: "FILE", Kind: task.File}},
		Description: "FILE, or - for stdin, is a JSON object with text values. The profile's other\n" +
			"secrets stay. sp skips members of the tenant and values that are empty or not\n" +
			"text, and says so.\n\n" +
			"  sp secrets import secrets.json --profile production",
		Flags: []cli.Flag{task.Purge(), task.NoExport()},
		Run:   task.Run(importSecrets),
	}
}

func importSecrets(ctx context.Context, t *task.Task) (cli.Answer, error) {
	members, err := readMembers(t, *t.Arg(0))
	if err != nil {
		return cli.Answer{}, err
	}
	p, err := profileToChange(ctx, t)
	if err != nil {
		return cli.Answer{}, err
	}
	e := registry.SecretEdit{Profile: p.Name, Purge: t.Bool("purge")}
	var left []leftSecret
	for _, key := range slices.Sorted(maps.Keys(members)) {
		s, why := memberSecret(key, members[key])
		if why == nil {
			e.Put = append(e.Put, s)
			continue
		}
		left = append(left, *why)
		t.Note("left: %s", why.Message)
	}
	return editSecrets(ctx, t, e, left)
}

// readMembers reads the members of a JSON object from a file or, for -, from stdin.
func readMembers(t *task.Task, ref string) (map[string]json.RawMessage, error) {
	name, text, err := "stdin", []byte(nil), error(nil)
	if ref == "-" {
		text, err = io.ReadAll(io.LimitReader(t.Stdin, maxSecretsFile+1))
	} else {
		name, text, err = readFile(t, ref)
	}
	if err != nil {
		return nil, err
	}
	refuse := func(why string) error { return fmt.Errorf("%s: %s: %w", name, why, cli.ErrFile) }
	var members map[string]json.RawMessage
	switch {
	case len(text) > maxSecretsFile:
		return nil, refuse("longer than 16 MiB")
	case !utf8.Valid(text):
		return nil, refuse("not UTF-8")
	}
	err = json.Unmarshal(text, &members)
	var syntax *json.SyntaxError // its own words may hold a part of a secret
	switch {
	case errors.As(err, &syntax):
		return nil, refuse(fmt.Sprintf("not JSON, from byte %d on", syntax.Offset))
	case err != nil || members == nil:
		return nil, refuse("not a JSON object")
	}
	return members, nil
}

func readFile(t *task.Task, ref string) (path string, text []byte, err error) {
	if err := task.CheckPathWord("secrets import", ref); err != nil {
		return "", nil, err
	}
	if strings.HasSuffix(ref, "/") {
		return "", nil, cli.Usage("secrets import: %s names a directory", ref)
	}
	if path, err = t.Absolute(ref); err != nil {
		return "", nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return "", nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	text, err = io.ReadAll(io.LimitReader(file, maxSecretsFile+1))
	return path, text, err
}

// leftSecret is a member of a file that was not taken, in JSON.
type leftSecret struct {
	// Name is nil where it can't be the name of a secret: it may be one itself.
	Name    *string    `json:"name"`
	Reason  leftReason `json:"reason"`
	Message string     `json:"message"`
}

// leftReason is why a member was not taken.
type leftReason string

// The reasons.
const (
	leftTenants leftReason = "of_tenant"
	leftName    leftReason = "name"
	leftNoText  leftReason = "not_text"
	leftHalf    leftReason = "half_character"
	leftEmpty   leftReason = "empty"
	leftInvalid leftReason = "invalid"
)

// memberSecret makes a secret of a member of secrets.json, or says why it is none of the profile.
func memberSecret(key string, value json.RawMessage) (registry.ProfileSecret, *leftSecret) {
	leave := func(reason leftReason, err error) *leftSecret {
		left := leftSecret{Reason: reason, Message: strings.TrimSuffix(err.Error(), ": "+registry.ErrInvalid.Error())}
		if reason != leftName {
			left.Name = &key
		}
		return &left
	}
	member := registry.ProfileSecret{Key: key, Value: secret.New("any")}
	var text *string
	switch err := registry.CheckProfileSecret(member); {
	case slices.Contains(registry.TenantSecrets, key):
		return member, leave(leftTenants, err)
	case err != nil:
		return member, leave(leftName, err)
	case json.Unmarshal(value, &text) != nil || text == nil:
		return member, leave(leftNoText, fmt.Errorf("secret %s: it is no text", key))
	case strings.ContainsRune(*text, utf8.RuneError) && !holdsReplacement(value): // which JSON can write, and no text can hold
		return member, leave(leftHalf, fmt.Errorf("secret %s: it holds half a character", key))
	}
	member.Value = secret.New(*text)
	switch err := registry.CheckProfileSecret(member); {
	case *text == "":
		return member, leave(leftEmpty, err)
	case err != nil:
		return member, leave(leftInvalid, err)
	}
	return member, nil
}

// holdsReplacement tells whether U+FFFD stands in a JSON text itself.
func holdsReplacement(value []byte) bool {
	return bytes.ContainsRune(value, utf8.RuneError) || bytes.Contains(bytes.ToLower(value), []byte(`\ufffd`))
}
