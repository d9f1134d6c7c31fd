package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// machine is where and when figures were measured: elsewhere they are others.
type machine struct {
	host, kernel, cpu, memory, load, goVersion, rustc, commit string
}

func machineNow(root string) machine {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	commit := answer(root, "git", "rev-parse", "--short", "HEAD")
	if answer(root, "git", "status", "--porcelain", "--untracked-files=no") != "" {
		commit += " with changes"
	}
	return machine{
		host:      host,
		kernel:    firstLine("/proc/sys/kernel/osrelease"),
		cpu:       fmt.Sprintf("%d × %s", runtime.NumCPU(), valueOf("/proc/cpuinfo", "model name")),
		memory:    valueOf("/proc/meminfo", "MemTotal"),
		load:      loadNow(),
		goVersion: runtime.Version(),
		rustc:     answer(root, "rustc", "--version"),
		commit:    commit,
	}
}

func loadNow() string { return firstLine("/proc/loadavg") }

// answer is what a tool says, or nothing where it can't.
func answer(dir, name string, args ...string) string {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

func firstLine(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}

// valueOf is the first value of a key in a file of the kernel's.
func valueOf(path, key string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(text)) {
		if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == key {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}
