// Command gauge runs a program and says on file descriptor 3 what it took:
//
//	gauge PROGRAM ARGUMENT... → nanoseconds exit max-rss-kb minor-faults major-faults user-us system-us
//
// It exists because Linux counts to a process's peak memory what stood in memory before
// its exec: that of whoever started it. A runner of 20 MB would give every program that
// it starts 20 MB. So gauge imports next to nothing (its own size is the floor of what
// can be seen, and the results name it), and the runner starts gauge.
package main

import (
	"strconv"
	"syscall"
	"time"
)

func main() {
	args := arguments()
	if len(args) < 2 {
		fail("usage: gauge PROGRAM ARGUMENT...")
	}
	syscall.CloseOnExec(3)
	var usage syscall.Rusage
	var status syscall.WaitStatus
	begin := time.Now()
	pid, err := syscall.ForkExec(args[1], args[1:], &syscall.ProcAttr{Env: syscall.Environ(), Files: []uintptr{0, 1, 2}})
	if err != nil {
		fail("gauge: " + args[1] + ": " + err.Error())
	}
	for {
		if _, err = syscall.Wait4(pid, &status, 0, &usage); err != syscall.EINTR {
			break
		}
	}
	took := time.Since(begin)
	if err != nil {
		fail("gauge: wait: " + err.Error())
	}
	say(3, took.Nanoseconds(), int64(exit(status)), usage.Maxrss, usage.Minflt, usage.Majflt, usage.Utime.Nano()/1000, usage.Stime.Nano()/1000)
}

// arguments are read from the kernel: package os would cost a third of the memory.
func arguments() []string {
	fd, err := syscall.Open("/proc/self/cmdline", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		fail("gauge: /proc: " + err.Error())
	}
	var text []byte
	buffer := make([]byte, 4096)
	for {
		n, err := syscall.Read(fd, buffer)
		if err != nil || n <= 0 {
			break
		}
		text = append(text, buffer[:n]...)
	}
	var args []string
	begin := 0
	for i, c := range text {
		if c == 0 {
			args = append(args, string(text[begin:i]))
			begin = i + 1
		}
	}
	return args
}

// exit is the exit code as a shell tells it.
func exit(status syscall.WaitStatus) int {
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}

func say(fd int, numbers ...int64) {
	var line []byte
	for _, number := range numbers {
		line = append(strconv.AppendInt(line, number, 10), ' ')
	}
	_, _ = syscall.Write(fd, append(line, '\n')) // the runner misses it
}

func fail(why string) {
	_, _ = syscall.Write(2, []byte(why+"\n"))
	syscall.Exit(127)
}
