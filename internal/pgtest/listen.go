package pgtest

import (
	"encoding/binary"
	"io"
	"net"
	"testing"
)

// Listen has each connection to an address of this machine answered and then closed, until the test ends.
// It returns the address.
func Listen(t testing.TB, answer func(net.Conn)) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				answer(conn)
			}()
		}
	}()
	return listener.Addr().String()
}

// Says answers a login as a server does that has no TLS and refuses it, with an SQLSTATE and a message.
func Says(state, message string) func(net.Conn) {
	return func(conn net.Conn) {
		for {
			head := make([]byte, 8)
			if _, err := io.ReadFull(conn, head); err != nil {
				return
			}
			if binary.BigEndian.Uint32(head[4:]) == 80877103 { // whether it has TLS
				_, _ = conn.Write([]byte("N"))
				continue
			}
			_, _ = io.CopyN(io.Discard, conn, int64(binary.BigEndian.Uint32(head))-8)
			body := "SFATAL\x00VFATAL\x00C" + state + "\x00M" + message + "\x00\x00"
			_, _ = conn.Write(append(binary.BigEndian.AppendUint32([]byte("E"), uint32(len(body)+4)), body...))
			return
		}
	}
}
