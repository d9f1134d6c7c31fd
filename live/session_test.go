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

// isRefused wants a server to refuse a URL's password, now or in a while: `refuses URL`.
func isRefused(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: refuses url")
	}
	var err error
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		_, err = pgtest.Try(secret.New(args[0]), `SELECT 1`)
		if err != nil && strings.Contains(err.Error(), "28P01") {
			return
		}
	}
	ts.Fatalf("not refused with 28P01: %v", err)
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
