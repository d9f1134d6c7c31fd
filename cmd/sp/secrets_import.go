package main

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

	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
	"github.com/urfave/cli/v3"
)

// maxSecretsFile bounds a file of secrets.
const maxSecretsFile = 16 << 20

func (a *app) secretsImportCommand() *cli.Command {
	return &cli.Command{
		Name:      "import",
		Usage:     "set the secrets that a secrets.json has",
		ArgsUsage: "FILE",
		Description: "FILE, or - for stdin, is a JSON object of texts. What a profile has beside them stays.\n" +
			"Left, and said: members of the tenant, and what is no text or empty.\n\n" +
			"  sp secrets import secrets.json --profile production",
		Flags: a.secretsFlags(),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			members, err := a.readMembers(cmd.Args().First())
			if err != nil {
				return err
			}
			return a.importSecrets(ctx, cmd, members)
		},
	}
}

// readMembers reads the members of a JSON object from a file or, for -, from stdin.
func (a *app) readMembers(ref string) (map[string]json.RawMessage, error) {
	name, text, err := "stdin", []byte(nil), error(nil)
	if ref == "-" {
		text, err = io.ReadAll(io.LimitReader(a.stdin, maxSecretsFile+1))
	} else {
		name, text, err = a.readFile(ref)
	}
	if err != nil {
		return nil, err
	}
	refuse := func(why string) error { return fmt.Errorf("%s: %s: %w", name, why, errFile) }
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

func (a *app) readFile(ref string) (path string, text []byte, err error) {
	if err := checkFileWord("secrets import", ref); err != nil {
		return "", nil, err
	}
	if path, err = a.absolute(ref); err != nil {
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

func (a *app) importSecrets(ctx context.Context, cmd *cli.Command, members map[string]json.RawMessage) error {
	p, err := a.profileToChange(ctx, cmd)
	if err != nil {
		return err
	}
	edit := registry.SecretEdit{Profile: p.Name, Purge: cmd.Bool("purge")}
	var left []string
	set := []string{}
	for _, key := range slices.Sorted(maps.Keys(members)) {
		secret, err := memberSecret(key, members[key])
		if err != nil {
			left = append(left, strings.TrimSuffix(err.Error(), ": "+registry.ErrInvalid.Error()))
			continue
		}
		edit.Put, set = append(edit.Put, secret), append(set, key)
	}
	for _, why := range left {
		a.note("left: %s", why)
	}
	if len(set) == 0 {
		a.note("profile %s of tenant %s: nothing to set", p.Name, p.Tenant)
	}
	return a.editSecrets(ctx, edit, map[string][]string{"set": set, "left": left})
}

// memberSecret makes a secret of a member of secrets.json, if it is one of the profile.
func memberSecret(key string, value json.RawMessage) (registry.ProfileSecret, error) {
	member := registry.ProfileSecret{Key: key, Value: secret.New("any")}
	if err := registry.CheckProfileSecret(member); err != nil {
		return member, err
	}
	var text *string
	if json.Unmarshal(value, &text) != nil || text == nil {
		return member, fmt.Errorf("secret %s: it is no text", key)
	}
	if strings.ContainsRune(*text, utf8.RuneError) && !holdsReplacement(value) {
		return member, fmt.Errorf("secret %s: it holds half a character", key) // which JSON can write, and no text can hold
	}
	member.Value = secret.New(*text)
	return member, registry.CheckProfileSecret(member)
}

// holdsReplacement tells whether U+FFFD stands in a JSON text itself.
func holdsReplacement(value []byte) bool {
	return bytes.ContainsRune(value, utf8.RuneError) || bytes.Contains(bytes.ToLower(value), []byte(`\ufffd`))
}
