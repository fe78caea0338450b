package bench

import (
	"bytes"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"
)

// A Process is one whose CPU time and memory Linux tells.
type Process struct {
	PID  int
	Proc fs.FS // what is mounted at /proc
}

// Usage is what a process has used.
type Usage struct {
	CPU          time.Duration // user and system time of all threads
	Resident     int64         // bytes of memory at the end
	PeakResident int64         // and the most it ever had
}

// tick is the unit of times in /proc/PID/stat: USER_HZ, which is 100 on all of Go's Linux ports.
const tick = 10 * time.Millisecond

// usage reads what the process has used so far.
func (p *Process) usage() (Usage, error) {
	name := strconv.Itoa(p.PID)
	stat, err := fs.ReadFile(p.Proc, name+"/stat")
	if err != nil {
		return Usage{}, fmt.Errorf("measuring process %d: %w", p.PID, err)
	}
	u := Usage{}
	if u.CPU, err = cpuTime(stat); err != nil {
		return Usage{}, fmt.Errorf("measuring process %d: %w", p.PID, err)
	}
	status, err := fs.ReadFile(p.Proc, name+"/status")
	if err != nil {
		return Usage{}, fmt.Errorf("measuring process %d: %w", p.PID, err)
	}
	for line := range strings.Lines(string(status)) {
		label, value, _ := strings.Cut(line, ":")
		n, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64) // other lines are no numbers
		switch label {
		case "VmRSS":
			u.Resident = n << 10
		case "VmHWM":
			u.PeakResident = n << 10
		}
	}
	return u, nil
}

// cpuTime finds utime and stime. The name before them is in parentheses and may hold any character.
func cpuTime(stat []byte) (time.Duration, error) {
	const utime, stime = 11, 12 // behind the name
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) <= stime {
		return 0, fmt.Errorf("stat has %d fields behind the name", len(fields))
	}
	var sum time.Duration
	for _, i := range []int{utime, stime} {
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(n) * tick
	}
	return sum, nil
}
