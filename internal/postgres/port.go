package postgres

import (
	"errors"
	"fmt"
	"net"
	"runtime"
	"strconv"
	"syscall"
)

const loopback = "127.0.0.1"

// near is how many ports behind a preferred one are tried before any. The ports that a
// system hands out itself it also gives to what connects to elsewhere, and so a server
// that comes back later may find its own gone.
const near = 100

// FreePort returns a port on which nobody listens at 127.0.0.1: the preferred one if it
// is free, else one close to it, else any. With 0, none is preferred.
func FreePort(preferred int) (int, error) {
	for port := preferred; port > 0 && port <= min(preferred+near, 65535); port++ {
		if got, err := listen(port); err == nil {
			return got, nil
		}
	}
	return listen(0)
}

// listen returns the port on which one could listen, which is a free one for 0. No program is
// started meanwhile, for a process that is about to become one would listen there, too.
func listen(port int) (int, error) {
	if runtime.GOOS == "linux" { // elsewhere package net takes the lock by itself
		syscall.ForkLock.RLock()
		defer syscall.ForkLock.RUnlock()
	}
	l, err := net.Listen("tcp4", address(port))
	if err != nil {
		return 0, fmt.Errorf("port %d: %w", port, err)
	}
	port = l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}

func address(port int) string { return net.JoinHostPort(loopback, strconv.Itoa(port)) }

// checkPort refuses a port that is none, or on which somebody listens.
func checkPort(port int) error {
	if port < 1 || port > 65535 {
		return fmt.Errorf("port %d: it is none of 1 to 65535: %w", port, ErrInvalid)
	}
	_, err := listen(port)
	if errors.Is(err, syscall.EADDRINUSE) {
		return portTaken(port)
	}
	return err
}

func portTaken(port int) error {
	return fmt.Errorf("port %d of %s: another program listens there: %w (end that program)",
		port, loopback, ErrTaken)
}
