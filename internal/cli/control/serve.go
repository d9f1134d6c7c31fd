package control

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/server"
)

// Serve is `spd serve`, and `spd`.
func Serve() *cli.Command {
	return &cli.Command{
		Name:  "serve",
		Usage: "serve, until Ctrl-C (spd alone does the same)",
		Description: "  spd --dev\n" +
			"  spd --dir /srv/spd --url https://spd.example.org\n\n" +
			"--dev is for a try. It makes a PostgreSQL server from this machine's programs,\n" +
			"the region local on it, and the user dev, an admin. Each start prints a new join\n" +
			"code for dev. For root, the server runs as the user postgres.\n\n" +
			"spd listens on this machine only. To serve others, put a web server with TLS in\n" +
			"front of it, and give its address with --url.",
		Flags: []cli.Flag{
			cli.Bool("dev", "try it: make the region local on this machine's PostgreSQL and the user dev, and print a join code"),
			cli.Bool("stop", "serve nothing, and stop the PostgreSQL server that --dev made; its data stays"),
			withDefault(cli.String("listen", "ADDRESS", "the address to listen on, of this machine only; port 0 takes a free one"), "127.0.0.1:8787"),
			cli.String("url", "URL", "the URL under which users reach spd (else the address)"),
			withDefault(cli.String("domain", "DOMAIN", "the domain of the tenants' hostnames"), "localhost"),
			cli.Bool("accept-registry", "take this sp.db as it is: forget the tenants that are not in it; make serve.db anew if that is gone"),
			withDefault(cli.Choice("log", "how much is logged to stderr", "error", "warn", "info"), "warn"),
		},
		NoJSON: "--json is for the other commands of spd: serving has no answer",
		Run:    serve,
	}
}

func withDefault(f cli.Flag, value string) cli.Flag {
	f.Default = value
	return f
}

// given is the value of a flag, or its default.
func given(c *cli.Context, name, otherwise string) string {
	if value := c.Optional(name); value != nil {
		return *value
	}
	return otherwise
}

func serve(ctx context.Context, c *cli.Context) (cli.Answer, error) {
	if c.Bool("stop") {
		return cli.Answer{}, plane(ctx, c, func(ctx context.Context, s *server.Server) error { return stopDev(ctx, c, s) })
	}
	address, err := listenAddress(c)
	if err != nil {
		return cli.Answer{}, err
	}
	o, err := options(c)
	if err != nil {
		return cli.Answer{}, err
	}
	if o.URL, err = publicURL(c); err != nil {
		return cli.Answer{}, err
	}
	if o.Domain, err = tenantDomain(c); err != nil {
		return cli.Answer{}, err
	}
	release, err := server.Hold(o.Dir) // before another spd's port is in the way
	if err != nil {
		return cli.Answer{}, err
	}
	defer func() { _ = release() }() // the process ends
	listener, err := listen(ctx, address)
	if err != nil {
		return cli.Answer{}, err
	}
	defer func() { _ = listener.Close() }() // the server has closed it by then
	if o.URL == nil {
		o.URL = &url.URL{Scheme: "http", Host: listener.Addr().String()}
	}
	o.Proxied, o.AcceptRegistry = c.IsSet("url"), c.Bool("accept-registry")
	var level slog.Level
	if err := level.UnmarshalText([]byte(given(c, "log", "warn"))); err != nil {
		return cli.Answer{}, err
	}
	o.Log = slog.New(slog.NewTextHandler(c.Stderr, &slog.HandlerOptions{Level: level}))
	// The library of the logins writes to it, and below errors what strangers send: by mistake, even a token.
	slog.SetDefault(slog.New(slog.NewTextHandler(c.Stderr, &slog.HandlerOptions{Level: slog.LevelError})))
	s, err := open(ctx, c, o)
	if err != nil {
		return cli.Answer{}, err
	}
	ctx, stop := c.UntilSignal(ctx)
	defer stop()
	return cli.Answer{}, errors.Join(run(ctx, c, s, listener), s.Close())
}

// stopDev stops the server that --dev made, unless an spd serves: that would start it again.
func stopDev(ctx context.Context, c *cli.Context, s *server.Server) error {
	release, err := server.Hold(s.Dir)
	if err != nil {
		return err
	}
	defer func() { _ = release() }() // the process ends
	stopped, err := s.StopOwnServers(ctx)
	for _, name := range stopped {
		c.Note("PostgreSQL server %s stopped", name)
	}
	if err == nil && len(stopped) == 0 {
		c.Note("no PostgreSQL server of spd's runs here")
	}
	return err
}

// errTaken is returned for an address that another program has.
var errTaken = errors.New("in use")

// listenAddress is an address of this machine alone: without TLS, whoever is in between would read every
// secret.
func listenAddress(c *cli.Context) (string, error) {
	address := given(c, "listen", "127.0.0.1:8787")
	host, port, err := net.SplitHostPort(address)
	if err != nil || !isLoopback(host) {
		return "", cli.Hint(cli.Usage("--listen: not a loopback address, such as 127.0.0.1:8787"),
			"spd has no TLS, so it listens on this machine only; put a web server with TLS in front of it")
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", cli.Usage("--listen: a port is a number from 0 to 65535, and 0 takes a free one")
	}
	return address, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, unheard(address, err)
	}
	return listener, nil
}

// unheard says why spd can't listen on an address.
func unheard(address string, err error) error {
	var errno syscall.Errno
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return cli.Hint(fmt.Errorf("--listen %s: another program listens there: %w", address, errTaken), "name another port, or 0 for a free one: --listen 127.0.0.1:0")
	case errors.Is(err, syscall.EACCES):
		return cli.Hint(cli.Usage("--listen %s: permission denied", address), "ports below 1024 need root; take a higher one: --listen 127.0.0.1:8787")
	case errors.As(err, &errno):
		return cli.Usage("--listen %s: %s", address, errno.Error())
	}
	return cli.Usage("--listen %s: %s", address, err.Error())
}

// publicURL is where clients find the control plane, nil if that was not said.
func publicURL(c *cli.Context) (*url.URL, error) {
	text := c.Optional("url")
	if text == nil {
		return nil, nil
	}
	u, err := url.Parse(*text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/" {
		return nil, cli.Usage("--url: not a URL such as https://spd.example.org")
	}
	if u.Scheme == "http" && !isLoopback(u.Hostname()) {
		return nil, cli.Hint(cli.Usage("--url: plain http is for this machine only, and sp refuses it elsewhere"), "name the https:// URL of the web server with TLS before spd")
	}
	u.Path = ""
	return u, nil
}

// domainForm is what a domain looks like: labels of letters, digits and hyphens.
var domainForm = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$`)
})

// tenantDomain is what the hostnames of tenants end in, with room for the label before it.
func tenantDomain(c *cli.Context) (string, error) {
	const longest = 240
	domain := given(c, "domain", "localhost")
	if len(domain) > longest || !domainForm().MatchString(domain) {
		return "", cli.Usage("--domain: not a domain, such as tenants.example.org")
	}
	return domain, nil
}

// run answers requests and works on databases until ctx ends.
func run(ctx context.Context, c *cli.Context, s *server.Server, listener net.Listener) error {
	if c.Bool("dev") {
		if err := prepare(ctx, c, s); err != nil {
			return err
		}
	}
	answers, err := s.Handler(ctx)
	if err != nil {
		return err
	}
	if err := warnOfLocal(ctx, c, s); err != nil {
		return err
	}
	handler := &http.Server{
		Handler: answers, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelInfo),
	}
	tellWhere(c, listener, s.URL)
	ended := make(chan error, 1)
	go func() { ended <- handler.Serve(listener) }()
	worked := make(chan error, 1)
	work, stop := context.WithCancel(ctx)
	defer stop()
	go func() { worked <- s.Run(work) }()
	select {
	case <-ctx.Done():
	case err = <-ended:
	}
	s.Stop()
	stop()
	return errors.Join(unlessClosed(err), shutDown(ctx, handler), <-worked)
}

// tellWhere says where spd listens, and how users reach that, if not there.
func tellWhere(c *cli.Context, listener net.Listener, reached *url.URL) {
	where := "http://" + listener.Addr().String()
	if reached.String() != where {
		where += ", which users reach at " + reached.String()
	}
	c.Note("listening on %s", where)
}

// shutDown lets the requests that are under way end, for a while.
func shutDown(ctx context.Context, handler *http.Server) error {
	const patience = 5 * time.Second
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := handler.Shutdown(ctx); err != nil {
		return handler.Close() // streams that follow a tenant never end by themselves
	}
	return nil
}

func unlessClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// The names of what --dev makes.
const (
	devRegion = "local"
	devUser   = "dev"
)

// prepare makes a region of this machine's PostgreSQL and a user, and prints how to come in.
func prepare(ctx context.Context, c *cli.Context, s *server.Server) error {
	if err := s.AddOwnRegion(ctx, devRegion, c.Step); err != nil {
		return fmt.Errorf("region %s on this machine's PostgreSQL: %w", devRegion, err)
	}
	_, code, err := s.AddUser(ctx, devUser, server.AdminRole)
	if errors.Is(err, server.ErrUserExists) {
		_, code, err = s.JoinCode(ctx, devUser)
	}
	if err != nil {
		return err
	}
	c.Note("region %s is a PostgreSQL server in %s, which runs on when spd ends", devRegion, filepath.Join(s.Dir, "postgres"))
	c.Note("to log in as user %s: %s asks for this join code, once and within 24 hours", devUser, cli.To("sp login", s.URL.String()))
	_, err = fmt.Fprintln(c.Stdout, code.Reveal())
	return err
}
