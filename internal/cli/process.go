package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// Process is what this process took away from itself before it touches a file, so
// that nothing of it can leak: it is needed again for lookups and for children.
type Process struct {
	umask   int               // the user's own
	core    unix.Rlimit       // likewise
	secrets map[string]string // taken out of the environment
}

// Guard makes every file be born private, leaves no core file, whose memory holds
// secrets, shows no more than a stack if we crash, and takes the secrets given to sp
// out of the environment, so that no child inherits them. What a sandbox forbids of
// that is no reason to refuse to work.
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

// Replace makes this process that program, which has what the user's own shell would have
// given it. It returns only where that can't be.
func (p Process) Replace(program string, args, environ []string) error {
	umasking.Lock()
	defer umasking.Unlock()
	private := unix.Umask(p.umask)
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &p.core)
	err := unix.Exec(program, args, environ)
	unix.Umask(private)
	_ = refuseDumps()
	return fmt.Errorf("%s: %w", filepath.Base(program), err)
}

// enoughFiles is how many files a command may have open at once, at most.
const enoughFiles = 16

// CheckLimits refuses to begin what would run out of files half-way: with too few,
// Go's own runtime gives up, wherever it is.
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

// LookupEnv looks up the environment as it was when the process started: the secrets,
// and the rest where it still is.
func (p Process) LookupEnv(rest func(string) (string, bool)) func(string) (string, bool) {
	return func(name string) (string, bool) {
		if value, ok := p.secrets[name]; ok {
			return value, true
		}
		return rest(name)
	}
}

// IsProgram tells whether a file is there that may be executed.
func IsProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && unix.Access(path, unix.X_OK) == nil
}

var umasking sync.Mutex

// Start starts a child, which gets the user's own umask. The umask belongs to the
// whole process, so for this instant it is not a private one for anything else that
// would be made; but children are started while no registry is open, and what sp
// makes names its own mode each time. The umask is the second lock on that door.
func (p Process) Start(child *exec.Cmd) error {
	umasking.Lock()
	defer umasking.Unlock()
	private := unix.Umask(p.umask)
	defer unix.Umask(private)
	return child.Start()
}
