package live

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/sp-registry/sp/internal/pgtest"
	"github.com/sp-registry/sp/internal/secret"
)

// isRefused wants a server to refuse a URL's password, now or in a while, or what is asked there by
// another code: `refuses URL [CODE STATEMENT]`. With ! it is not to be refused in a while.
func isRefused(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 && len(args) != 3 {
		ts.Fatalf("usage: refuses url [code statement]")
	}
	code, statement := "28P01", `SELECT 1`
	if len(args) == 3 {
		code, statement = args[1], args[2]
	}
	var err error
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		_, err = pgtest.Try(secret.New(args[0]), statement)
		if neg && err == nil || !neg && err != nil && strings.Contains(err.Error(), code) {
			return
		}
	}
	ts.Fatalf("refused with %s, %v: %v", code, !neg, err)
}

type sessionKey struct{}

// openSession logs in and stays: `session URL`.
func openSession(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: session url")
	}
	conn, err := pgconn.Connect(context.Background(), args[0])
	ts.Check(err)
	ts.Defer(func() { _ = conn.Close(context.Background()) })
	*ts.Value(sessionKey{}).(**pgconn.PgConn) = conn
}

// sessionEnded wants that session to have been ended by an administrator: `ended`.
func sessionEnded(ts *testscript.TestScript, neg bool, args []string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, err := (*ts.Value(sessionKey{}).(**pgconn.PgConn)).Exec(ctx, `SELECT 1`).ReadAll()
	if neg || len(args) != 0 || err == nil || !strings.Contains(err.Error(), "57P01") {
		ts.Fatalf("not ended: %v", err)
	}
}
