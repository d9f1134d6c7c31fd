package cli

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// Process keeps what Guard took out of this process: the user's umask, core limit and secret
// variables. Lookups and child processes need them again.
type Process struct {
	umask   int               // the user's own
	core    unix.Rlimit       // likewise
	secrets map[string]string // taken out of the environment
}

// Guard makes the process private: every file is born with a private mode, a crash leaves no core
// file and prints only a stack, and the secrets given to sp leave the environment, so that no child
// inherits them. sp works even if a sandbox forbids some of this.
func Guard() Process {
	p := Process{umask: unix.Umask(0o077), secrets: map[string]string{}}
	p.core = refuseDumps()
	debug.SetTraceback("single")
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		if isSecretVariable(name) {
			p.secrets[name] = value
		}
		if isSecretVariable(name) || name == "PGSERVICE" { // that would say of every URL where it leads
			_ = os.Unsetenv(name) // it can fail for no name that was there
		}
	}
	return p
}

// refuseDumps keeps what a crash would write out of files. The hard limit stays: it
// is a child's to raise its own again.
func refuseDumps() (before unix.Rlimit) {
	if unix.Getrlimit(unix.RLIMIT_CORE, &before) == nil {
		none := before
		none.Cur = 0
		_ = unix.Setrlimit(unix.RLIMIT_CORE, &none)
	}
	refuseInspection()
	return before
}

// Replace replaces this process by a program, with the umask and limits that the user's shell would
// have given it. It returns only if that fails.
func (p Process) Replace(program string, args, environ []string) error {
	umasking.Lock()
	defer umasking.Unlock()
	private := unix.Umask(p.umask)
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &p.core)
	signal.Notify(make(chan os.Signal, 1), unix.SIGPIPE) // what UntilSignal ignores would stay so; what is caught does not
	err := unix.Exec(program, args, environ)
	unix.Umask(private)
	_ = refuseDumps()
	return fmt.Errorf("%s: %w", filepath.Base(program), err)
}

// enoughFiles is how many files a command may have open at once, at most.
const enoughFiles = 16

// CheckLimits refuses to start with too few open files, because Go's runtime would give up halfway.
func CheckLimits() error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err == nil && limit.Cur < enoughFiles {
		return Hint(fmt.Errorf("only %d files may be open at once: %w", limit.Cur, ErrFile), "ulimit -n 1024")
	}
	return nil
}

// isSecretVariable tells of a variable's name whether its value is a secret for sp:
// SP_POSTGRES_ADMIN_URL, SP_TOKEN and what may come to be called like them.
// Variables of other names, PGPASSWORD say, are their user's, who may want a child to
// have them.
func isSecretVariable(name string) bool {
	own, ok := strings.CutPrefix(name, "SP_")
	if !ok {
		return false
	}
	for _, word := range strings.Split(own, "_") {
		switch word {
		case "URL", "TOKEN", "TOKENS", "SECRET", "SECRETS", "PASSWORD", "PASSPHRASE", "KEY", "CREDENTIALS":
			return true
		}
	}
	return false
}

// LookupEnv looks up a variable as it was when the process started, secrets included.
func (p Process) LookupEnv(rest func(string) (string, bool)) func(string) (string, bool) {
	return func(name string) (string, bool) {
		if value, ok := p.secrets[name]; ok {
			return value, true
		}
		return rest(name)
	}
}

// IsProgram reports whether a path is an executable file.
func IsProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && unix.Access(path, unix.X_OK) == nil
}

var umasking sync.Mutex

// Start starts a child with the user's own umask. The umask belongs to the whole process, so for an
// instant sp's own files could be born less private. But children are started while no registry is
// open, and sp names a private mode for every file that it makes; the umask is only the second
// safeguard.
func (p Process) Start(child *exec.Cmd) error {
	umasking.Lock()
	defer umasking.Unlock()
	private := unix.Umask(p.umask)
	defer unix.Umask(private)
	return child.Start()
}
