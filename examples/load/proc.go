package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// process is what the kernel says of a process (Linux).
type process struct {
	PID  int           `json:"pid"`
	Name string        `json:"name"`
	CPU  time.Duration `json:"-"`        // its own and all its children's, ended ones included
	RSS  int64         `json:"rssBytes"` // its own alone
}

const (
	clockTick = time.Second / 100 // of CPU times in /proc; USER_HZ is 100 on Linux
	self      = 0                 // the id that stands for this process
)

var errNoProc = errors.New("no such process, or no /proc to read it from")

// processOf reads the usage of a process. What PostgreSQL uses is that of its
// first process: connections are children of it.
func processOf(pid int) (process, error) {
	if pid == self {
		pid = os.Getpid()
		st, err := statOf(pid)
		return process{PID: pid, Name: st.name, CPU: st.own}, err
	}
	root, err := statOf(pid)
	if err != nil {
		return process{PID: pid}, errNoProc
	}
	p := process{PID: pid, Name: root.name, RSS: rssOf(pid)}
	all := make(map[int]stat)
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		id, _ := strconv.Atoi(filepath.Base(dir))
		if st, err := statOf(id); err == nil {
			all[id] = st
		}
	}
	for _, st := range all {
		if st.descends(pid, all) {
			p.CPU += st.own + st.waited
		}
	}
	return p, nil
}

// stat is /proc/PID/stat, as far as it is needed.
type stat struct {
	pid, parent int
	name        string
	own, waited time.Duration // CPU of it, and of its ended children
}

func (s stat) descends(from int, all map[int]stat) bool {
	for range 64 {
		if s.pid == from {
			return true
		}
		parent, ok := all[s.parent]
		if !ok {
			return false
		}
		s = parent
	}
	return false
}

func statOf(pid int) (stat, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, err
	}
	open, end := bytes.IndexByte(data, '('), bytes.LastIndexByte(data, ')') // a name may hold anything
	if open < 0 || end < open {
		return stat{}, errNoProc
	}
	f := strings.Fields(string(data[end+1:])) // from the third field, the state, on
	if len(f) < 15 {
		return stat{}, errNoProc
	}
	ticks := func(i int) time.Duration {
		n, _ := strconv.Atoi(f[i])
		return time.Duration(n) * clockTick
	}
	parent, _ := strconv.Atoi(f[1])
	return stat{pid, parent, string(data[open+1 : end]), ticks(11) + ticks(12), ticks(13) + ticks(14)}, nil
}

// rssOf is the resident memory of a process, in bytes; 0 when unknown.
func rssOf(pid int) int64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(data, []byte("VmRSS:"))
	return digits(bytes.TrimLeft(rest, " \t")) << 10
}
