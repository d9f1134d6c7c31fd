package provision

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/sp-registry/sp/internal/secret"
)

// pooled tells whether a connection pooler stands between here and the server. The number of
// a session that is announced at the login, so that it can be called off, is then the pooler's
// own and not the one of the server's process. Through tunnels and port maps it is the same.
func (s session) pooled(pid string) bool {
	return pid != s.pid()
}

// Opens logs in as Check does, and tries for some seconds: a pooler may learn of a new
// password late.
func Opens(ctx context.Context, url secret.Secret) (Answer, error) {
	const longestWait = 2 * time.Second // which makes three seconds in all
	for wait := 50 * time.Millisecond; ; wait *= 2 {
		answer, err := Check(ctx, url)
		if err == nil || errors.Is(err, ErrMismatch) || wait > longestWait || !sleep(ctx, wait) {
			return answer, err
		}
	}
}

// greeting is what came first on a connection, the way in which a password was asked for.
type greeting struct {
	heard []byte
}

// listen makes the library's reader of a connection; one that fails is followed by another.
func (g *greeting) listen(r io.Reader, w io.Writer) *pgproto3.Frontend {
	g.heard = nil
	return pgproto3.NewFrontend(io.TeeReader(r, g), w)
}

// Write keeps what is read first.
func (g *greeting) Write(p []byte) (int, error) {
	const enough = 4096
	g.heard = append(g.heard, p[:min(len(p), enough-len(g.heard))]...)
	return len(p), nil
}

var challenge = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`r=[^,\x00]+,s=([A-Za-z0-9+/=]+),i=([0-9]{1,7})`) })

// challenged returns the salt and the rounds of SCRAM with which the password was asked for,
// none where it was asked for some other way. They are those of the verifier that is kept.
func (g *greeting) challenged() (salt []byte, rounds int) {
	found := challenge().FindSubmatch(g.heard)
	if found == nil {
		return nil, 0
	}
	salt, err := base64.StdEncoding.DecodeString(string(found[1]))
	if err != nil {
		return nil, 0
	}
	rounds, _ = strconv.Atoi(string(found[2])) // it is made of digits
	return salt, rounds
}
