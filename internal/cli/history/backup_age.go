package history

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"
	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
)

// Only the keys of age itself are taken, as its authors advise: ssh keys would cost
// every command the start of a network library.

func recipientFlags() []cli.Flag {
	return []cli.Flag{
		cli.Strings("age-recipient", "KEY", "encrypt for KEY (age1…); may be repeated"),
		cli.String("age-recipients-file", "FILE", "encrypt for the recipients in FILE, one per line"),
	}
}

// recipients are for whom the flags say to encrypt; none is for no encryption.
func recipients(t *task.Task) ([]age.Recipient, error) {
	var to []age.Recipient
	for _, word := range t.Strings("age-recipient") {
		found, err := age.ParseRecipients(strings.NewReader(word))
		if err != nil { // it is not repeated: it may be an identity
			return nil, cli.Hint(cli.Usage("--age-recipient: not a recipient of age"), "they start with age1; age-keygen -y IDENTITY-FILE prints one")
		}
		to = append(to, found...)
	}
	name := t.Optional("age-recipients-file")
	if name == nil {
		return to, nil
	}
	text, err := readKeys(t, "--age-recipients-file", *name)
	if err != nil {
		return nil, err
	}
	found, err := age.ParseRecipients(bytes.NewReader(text))
	if err != nil { // the library quotes the line
		return nil, cli.Hint(cli.Usage("--age-recipients-file: %s holds something else than recipients of age", *name), "they start with age1, one a line")
	}
	return append(to, found...), nil
}

// identities are what the flags say to decrypt with.
func identities(t *task.Task) ([]age.Identity, error) {
	name := t.Optional("age-identity")
	if name == nil {
		return nil, nil
	}
	text, err := readKeys(t, "--age-identity", *name)
	if err != nil {
		return nil, err
	}
	found, err := age.ParseIdentities(bytes.NewReader(text))
	if err != nil { // the library quotes the line
		return nil, cli.Hint(cli.Usage("--age-identity: %s holds something else than identities of age", *name),
			"they start with AGE-SECRET-KEY-; one with a passphrase has to be decrypted first (age -d)")
	}
	return found, nil
}

// readKeys reads a file of keys.
func readKeys(t *task.Task, flag, name string) ([]byte, error) {
	if strings.HasPrefix(strings.ToUpper(name), "AGE-SECRET-KEY-") { // which must not be repeated
		return nil, cli.Hint(cli.Usage("%s: an identity where a file belongs", flag), "write it to a file that nobody else can read")
	}
	if err := task.CheckFileWord(flag, name); err != nil {
		return nil, err
	}
	path, err := t.Absolute(name)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(file, cli.MaxSecret+1))
	if err == nil && len(text) > cli.MaxSecret {
		err = cli.Usage("%s: too long for a file of keys", name)
	}
	return text, errors.Join(err, file.Close())
}

// encrypt has write write through age to a file, and syncs it.
func encrypt(file *os.File, to []age.Recipient, write func(io.Writer) error) error {
	sealed, err := age.Encrypt(file, to...)
	if err != nil {
		return cli.Usage("--age-recipient: %v", err) // recipients that do not go together
	}
	if err := write(sealed); err != nil {
		return err
	}
	return errors.Join(sealed.Close(), file.Sync())
}

const ageHeader = "age-encryption.org/v1"

// isEncrypted tells, by its start, whether a file is one of age.
func isEncrypted(start []byte) bool {
	return bytes.HasPrefix(start, []byte(ageHeader)) || bytes.HasPrefix(start, []byte(armor.Header))
}

// decrypt reads a file of age.
func decrypt(name string, file io.Reader, with []age.Identity) (io.Reader, error) {
	source := bufio.NewReader(file)
	var in io.Reader = source
	if start, _ := source.Peek(len(armor.Header)); string(start) == armor.Header {
		in = armor.NewReader(source)
	}
	out, err := age.Decrypt(in, with...)
	var none *age.NoIdentityMatchError
	if errors.As(err, &none) {
		return nil, cli.Hint(fmt.Errorf("%s: encrypted for somebody else: %w", name, cli.ErrFile), "--age-identity FILE names the identity that it was encrypted for")
	}
	if err != nil {
		return nil, damagedFile(name)
	}
	return out, nil
}

// damagedFile is the refusal of a file of age that is not as it was written. The
// library's words for it mean nothing to who reads them.
func damagedFile(name string) error {
	return fmt.Errorf("%s: damaged: it can't be decrypted to its end: %w", name, cli.ErrFile)
}
