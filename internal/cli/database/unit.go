package database

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/registry"
)

func unitCommand() *cli.Command {
	return &cli.Command{
		Name:  "unit",
		Usage: "print a systemd unit that runs the local server",
		Description: "As a user's unit, systemd starts the server at login, or at boot after\n" +
			"loginctl enable-linger:\n\n" +
			"  sp db down\n" +
			"  sp db unit > ~/.config/systemd/user/sp-shop.service\n" +
			"  systemctl --user enable --now sp-shop\n\n" +
			"For root it is a unit of the system, in /etc/systemd/system.",
		Args: []cli.Arg{{Name: "SERVER", Kind: task.Server, Optional: true}},
		Run:  task.Run(unit),
	}
}

// printed is a unit, in JSON.
type printed struct {
	Server string `json:"server"`
	Unit   string `json:"unit"`
}

func unit(ctx context.Context, t *task.Task) (cli.Answer, error) {
	h, err := lookHere(ctx, t)
	if err != nil {
		return cli.Answer{}, err
	}
	s, err := h.one(t.Arg(0))
	if err != nil {
		return cli.Answer{}, err
	}
	if s.Provider != registry.LocalPrograms {
		return cli.Answer{}, cli.Of(postgres.ErrInvalid, "server %s: Docker starts it again by itself", s.Name)
	}
	if s.Place == nil {
		return cli.Answer{}, fmt.Errorf("server %s: %w: an earlier sp made it", s.Name, hosting.ErrOtherData)
	}
	text, err := unitOf(t, h, s)
	return cli.Answer{Value: printed{s.Name, text}, Text: text}, err
}

// unitOf is the unit of a server: sp starts it, and so it is the recorded server on its port of the day, and
// systemd looks after the process that its data name.
func unitOf(t *task.Task, h here, s registry.Server) (string, error) {
	c, err := h.Cluster(s)
	if err != nil {
		return "", err
	}
	programs, err := h.Programs(c.Dir)
	if err != nil {
		return "", err
	}
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	if strings.ContainsAny(self, `"'\`) || !isText(self, "") { // systemd takes no such program
		return "", fmt.Errorf("%q: %w for systemd: install sp at another path", self, postgres.ErrInvalid)
	}
	u := unitFile{id: filepath.Base(c.Dir), self: self, dir: h.dir.Path(), pidFile: c.PIDFile(), isRoots: os.Geteuid() == 0}
	u.set("SP_DATA_DIR", filepath.Dir(filepath.Dir(c.Dir)))
	u.set("SP_POSTGRES_BIN", programs.Home())
	for _, name := range []string{"HOME", "XDG_STATE_HOME"} { // where sp keeps that it trusts the project
		if value := t.Env(name); value != nil && *value != "" {
			u.set(name, *value)
		}
	}
	for _, said := range append([]string{u.dir}, u.values...) {
		if !isText(said, "\n\t") {
			return "", fmt.Errorf("%q: %w in a unit of systemd", said, postgres.ErrInvalid)
		}
	}
	if !isText(u.pidFile, "") || strings.HasSuffix(u.pidFile, `\`) {
		return "", fmt.Errorf("%q: %w in a unit of systemd: SP_DATA_DIR names another place for the data", u.pidFile, postgres.ErrInvalid)
	}
	return u.text(), nil
}

// isText tells whether systemd takes a text: UTF-8 with no control characters but these.
func isText(text, but string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune(but, r) })
}

// unitFile is what a unit says of its server.
type unitFile struct {
	id, self, dir, pidFile string
	values, environment    []string
	isRoots                bool
}

func (u *unitFile) set(name, value string) {
	u.values = append(u.values, value)
	u.environment = append(u.environment, "Environment="+inUnit(name+"="+value)+"\n")
}

func (u *unitFile) text() string {
	target := "default.target"
	if u.isRoots {
		target = "multi-user.target"
	}
	start := inUnit(u.self)
	for _, arg := range []string{"--dir", u.dir, "db", "up", "--provider", string(registry.LocalPrograms)} {
		start += " " + strings.ReplaceAll(inUnit(arg), "$", "$$")
	}
	return "# Made by sp db unit.\n" +
		"[Unit]\nDescription=PostgreSQL server " + u.id + " of sp\n\n" +
		"[Service]\nType=forking\nPIDFile=" + strings.ReplaceAll(u.pidFile, "%", "%%") + "\n" + strings.Join(u.environment, "") +
		"ExecStart=" + start + "\n" +
		"TimeoutStartSec=infinity\nKillMode=mixed\nKillSignal=SIGINT\nTimeoutStopSec=60\nRestart=on-failure\nRestartSec=1\n\n" +
		"[Install]\nWantedBy=" + target + "\n"
}

// inUnit writes a word so that systemd takes it literally, but for a `$` in a command's arguments.
func inUnit(word string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`, "%", "%%").Replace(word) + `"`
}
