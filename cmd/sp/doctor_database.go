package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/resolver"
	"golang.org/x/sys/unix"
)

// connectWithin bounds how long --connect tries.
const connectWithin = 3 * time.Second

// checkDatabase tries whether a server answers for the tenant that sp resolve would
// name. The registry is let go of by then: nobody waits for a network.
func (c *checkup) checkDatabase(ctx context.Context) []diagnosis {
	if !c.connect {
		return []diagnosis{skip("--connect tries whether its server answers")}
	}
	var connection resolver.Connection
	err := c.read(ctx, func(dir project.Dir, view *registry.View) (err error) {
		connection, err = resolver.Resolve(ctx, view, resolver.Request{
			Env: c.env("SYSTEMPROMPT_PROFILE"), ReadProfile: c.profileReader(dir),
		})
		return err
	})
	if err != nil {
		f := failureOf(adviseResolving(err))
		return []diagnosis{warn("nothing to connect to: %s", f.Message)}
	}
	servers, err := registry.Addresses(connection.URL)
	if err != nil {
		return []diagnosis{trouble(fmt.Errorf("tenant %s: %w", connection.Tenant.ID, err))}
	}
	ctx, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	at := fmt.Sprintf("tenant %s: %s", connection.Tenant.ID, registry.DescribeURL(connection.URL))
	for _, server := range servers {
		answer, silent := knock(ctx, server)
		if silent == nil {
			return []diagnosis{fine("%s: %s; user, password and database were not tried", at, answer)}
		}
		err = errors.Join(err, silent) // of several, the last says why
	}
	return []diagnosis{wrong("%s: %s", at, whySilent(err)).remedy("see that the server runs, and that the address is right")}
}

// errStranger is returned for what answers otherwise than PostgreSQL does.
var errStranger = errors.New("what answers there is not PostgreSQL")

// sslRequest asks a PostgreSQL server whether it offers TLS, the one question that
// it answers to everybody, with one byte:
// https://www.postgresql.org/docs/current/protocol-message-formats.html (SSLRequest).
var sslRequest = []byte{0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f}

// knock asks a server for a sign of life and says what it answered.
func knock(ctx context.Context, s registry.Address) (string, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, s.Network, s.Name)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }() // nothing was begun
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return "", err
		}
	}
	if _, err := conn.Write(sslRequest); err != nil {
		return "", err
	}
	var answer [1]byte
	if _, err := io.ReadFull(conn, answer[:]); err != nil {
		return "", err
	}
	switch answer[0] {
	case 'S':
		return "PostgreSQL answers, and offers TLS", nil
	case 'N':
		return "PostgreSQL answers, without TLS", nil
	case 'E':
		return "PostgreSQL answers, with an error", nil
	}
	return "", errStranger
}

// whySilent says why there was no answer, without the words of the network, which
// repeat the address.
func whySilent(err error) string {
	var name *net.DNSError
	var timeout net.Error
	var errno unix.Errno
	switch {
	case errors.Is(err, errStranger):
		return errStranger.Error()
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Sprintf("no answer within %v", connectWithin)
	case errors.As(err, &name):
		return "the name of its server is not known"
	case errors.As(err, &errno):
		return errno.Error()
	case errors.Is(err, io.EOF):
		return "the connection was closed without an answer"
	}
	return "it can't be reached"
}
