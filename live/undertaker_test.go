package live

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// undertaker is told when the tests have ended, their servers before them. If its standard
// input ends without that, they were killed: then it ends what runs in the directory, servers
// and the commands that are about to start one.
const undertaker = `
read -r ended && exit
for again in 1 2 3; do
	for process in /proc/[0-9]*; do
		case $(readlink "$process/cwd") in "$1"/*) kill -KILL "${process#/proc/}" ;; esac
	done
	sleep 1
done
rm -rf "$1"
`

// runHere runs the tests with somebody at hand who clears up should they be killed.
func runHere(m *testing.M) int {
	sh := exec.Command("/bin/sh", "-c", undertaker, "undertaker", os.Getenv(dataVariable))
	sh.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	hold, err := sh.StdinPipe()
	if err == nil {
		err = sh.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "live:", err)
		return 1
	}
	exit := m.Run()
	_, err = io.WriteString(hold, "ended\n")
	if err := errors.Join(err, hold.Close(), ignoreExit(sh.Wait())); err != nil {
		fmt.Fprintln(os.Stderr, "live:", err)
		return 1
	}
	return exit
}

func ignoreExit(err error) error {
	if ended := (*exec.ExitError)(nil); errors.As(err, &ended) {
		return nil
	}
	return err
}

// endServers ends every server whose data are in a directory, and waits until it is gone.
func endServers(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.Name() != "postmaster.pid" {
			return nil // it is being removed
		}
		file, err := os.Open(path)
		if err != nil {
			return nil
		}
		text, err := io.ReadAll(file)
		_ = file.Close()
		line, _, _ := strings.Cut(string(text), "\n")
		pid, bad := strconv.Atoi(line)
		if err != nil || bad != nil || pid <= 1 {
			return err
		}
		if isAnothers(pid, filepath.Dir(path)) {
			return nil
		}
		if err := syscall.Kill(pid, syscall.SIGQUIT); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
		return awaitEnd(pid)
	})
}

// isAnothers tells whether the pid of a server that was killed is another process's by now,
// as far as the system tells.
func isAnothers(pid int, data string) bool {
	if _, err := os.Stat("/proc/self"); err != nil {
		return false
	}
	at, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	return err != nil || at != data
}

// awaitEnd waits until a process is gone.
func awaitEnd(pid int) error {
	for range 1000 {
		if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("process %d does not end", pid)
}

// processesIn are the processes that run somewhere below a directory, as servers do in their
// data, and processesAt those that run in it itself.
func processesIn(dir string) []string {
	return processesWhose(func(at string) bool { return strings.HasPrefix(at, dir+"/") })
}

func processesAt(dir string) []string {
	return processesWhose(func(at string) bool { return at == dir })
}

func processesWhose(isThere func(at string) bool) (found []string) {
	links, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		panic(err) // of the pattern
	}
	for _, link := range links {
		if at, err := os.Readlink(link); err == nil && isThere(at) {
			found = append(found, link)
		}
	}
	return found
}
