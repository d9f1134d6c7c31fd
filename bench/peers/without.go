package peers

import (
	"errors"
	"os"
	"path/filepath"
)

// A module in the place of age that has its names and does nothing.
const (
	ageModule = "module filippo.io/age\n\ngo 1.26.0\n"
	ageSource = `package age

import "io"

type (
	Recipient            interface{ Wrap() }
	Identity             interface{ Unwrap() }
	NoIdentityMatchError struct{ error }
)

func ParseRecipients(io.Reader) ([]Recipient, error)            { return nil, io.EOF }
func ParseIdentities(io.Reader) ([]Identity, error)             { return nil, io.EOF }
func Encrypt(io.Writer, ...Recipient) (io.WriteCloser, error)   { return nil, io.EOF }
func Decrypt(io.Reader, ...Identity) (io.Reader, error)         { return nil, io.EOF }
`
	armorSource = `package armor

import "io"

const Header = "-----BEGIN AGE ENCRYPTED FILE-----"

func NewReader(r io.Reader) io.Reader { return r }
`
)

// withoutAge builds sp over that.
func (w Workshop) withoutAge(s Set) (string, error) {
	dir := filepath.Join(s.builtIn, "sp-age.d")
	stub := filepath.Join(dir, "age")
	err := errors.Join(
		os.MkdirAll(filepath.Join(stub, "armor"), 0o700),
		os.WriteFile(filepath.Join(stub, "go.mod"), []byte(ageModule), 0o600),
		os.WriteFile(filepath.Join(stub, "age.go"), []byte(ageSource), 0o600),
		os.WriteFile(filepath.Join(stub, "armor", "armor.go"), []byte(armorSource), 0o600),
	)
	if err != nil {
		return "", err
	}
	mod, err := w.require(dir, nil)
	if err != nil {
		return "", err
	}
	if _, err := w.tool(w.Root, "go", "mod", "edit", "-replace=filippo.io/age="+stub, mod); err != nil {
		return "", err
	}
	built := filepath.Join(s.builtIn, "sp-age")
	return built, w.goBuild(built, "./cmd/sp", "-mod=mod", "-modfile", mod)
}
