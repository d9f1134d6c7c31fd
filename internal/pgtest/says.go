package pgtest

import (
	"encoding/binary"
	"io"
	"net"
)

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
