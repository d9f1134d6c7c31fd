package exporter_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/exporter"
	"github.com/sp-registry/sp/internal/jsontext"
	"github.com/sp-registry/sp/internal/registry"
)

// However a text arrives, it reads alike.
func TestReadersInPiecesGiveTheSame(t *testing.T) {
	pieces := map[string]func(io.Reader) io.Reader{
		"one byte": iotest.OneByteReader,
		"half":     iotest.HalfReader,
		"data err": iotest.DataErrReader,
		"one byte, data err": func(r io.Reader) io.Reader {
			return iotest.DataErrReader(iotest.OneByteReader(r))
		},
	}
	for part, texts := range map[string]map[string]string{"accept": corpus(t, "accept"), "reject": corpus(t, "reject")} {
		for name, text := range texts {
			whole, wholeErr := decode(strings.NewReader(text))
			for how, in := range pieces {
				got, err := decode(in(strings.NewReader(text)))
				require.Equal(t, wholeErr, err, "%s %s", name, how)
				require.Equal(t, whole.places, got.places, "%s %s", name, how)
				if part == "accept" {
					require.Equal(t, mustEncode(t, whole), mustEncode(t, got), "%s %s", name, how)
				}
			}
		}
	}
}

func TestReadErrorIsNotARefusal(t *testing.T) {
	text := withEverything(t)
	broken := errors.New("disk on fire")
	for cut := range len(text) + 1 {
		for _, r := range []io.Reader{
			io.MultiReader(strings.NewReader(text[:cut]), iotest.ErrReader(broken)),
			iotest.OneByteReader(io.MultiReader(strings.NewReader(text[:cut]), iotest.ErrReader(broken))),
			iotest.DataErrReader(io.MultiReader(strings.NewReader(text[:cut]), iotest.ErrReader(broken))),
		} {
			_, err := decode(r)
			require.ErrorIs(t, err, broken)
			head := text[:cut]
			at := jsontext.Place{Line: strings.Count(head, "\n") + 1, Column: cut - strings.LastIndex(head, "\n")}
			require.Equal(t, at.String()+": disk on fire", err.Error())
			require.False(t, errors.As(err, new(*jsontext.FormatError)))
		}
	}
	_, err := decode(iotest.ErrReader(io.ErrUnexpectedEOF))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	_, err = decode(stuck{})
	require.ErrorIs(t, err, io.ErrNoProgress)
}

// A value that never ends is refused when it is too long, not read on.
func TestEndlessValuesAreNotReadOn(t *testing.T) {
	for _, start := range []string{`"`, `1`, `0.1`, `1e1`, `[1`, `{"`} {
		head := strings.TrimSuffix(withUnknown(start), `}],`+at10+`}`)
		endless := &io.LimitedReader{R: ones{}, N: 20 << 20}
		_, err := decode(io.MultiReader(strings.NewReader(head), endless))
		require.ErrorContains(t, err, "a value of more than 16 MiB")
		require.Greater(t, endless.N, int64(3<<20))
	}
}

// ones is a reader that never ends.
type ones struct{}

func (ones) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '1'
	}
	return len(p), nil
}

// stuck is a reader that never gives anything.
type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

func TestErrorOfTakeEndsDecoding(t *testing.T) {
	text := `{"tenants":[{"id":"a","name":"n"},{"id":"b","name":"n"},{"id":"c","name":"n"}],` + at10 + `}`
	full := errors.New("full")
	var ids []registry.TenantID
	_, err := exporter.Decode(strings.NewReader(text), func(t registry.Tenant, _ jsontext.Place) error {
		if ids = append(ids, t.ID); len(ids) == 2 {
			return full
		}
		return nil
	})
	require.Equal(t, full, err)
	require.Equal(t, []registry.TenantID{"a", "b"}, ids)
}

func TestTenantsAreTakenBeforeTheTextEnds(t *testing.T) {
	f, err := decode(strings.NewReader(`{"tenants":[{"id":"a","name":"n"},{"id":"b"}`))
	var refused *jsontext.FormatError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, `tenants[1]: member "name" is missing`, refused.Problem)
	require.Len(t, f.tenants, 1)
	require.Zero(t, f.doc)
}

func TestErrorOfTenantsEndsEncoding(t *testing.T) {
	gone := errors.New("gone")
	tenants := func(yield func(registry.Tenant, error) bool) {
		_ = yield(registry.Tenant{ID: "a", Name: "n"}, nil) && yield(registry.Tenant{}, gone) && yield(registry.Tenant{}, errors.New("another"))
	}
	require.Equal(t, gone, exporter.Encode(io.Discard, registry.Document{}, tenants))
	require.Equal(t, gone, exporter.EncodeDocumented(io.Discard, registry.Document{}, tenants))
}

func TestErrorOfWriterEndsEncoding(t *testing.T) {
	full := errors.New("full")
	many := func(yield func(registry.Tenant, error) bool) {
		for i := range 2000 {
			if !yield(registry.Tenant{ID: "a", Name: strings.Repeat("n", 100)}, nil) {
				return
			}
			require.Less(t, i, 1999)
		}
	}
	one := file{tenants: []registry.Tenant{{ID: "a", Name: "n"}}}.all()
	require.Equal(t, full, exporter.Encode(failing{full}, registry.Document{}, many))
	require.Equal(t, full, exporter.Encode(failing{full}, registry.Document{}, one))
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
