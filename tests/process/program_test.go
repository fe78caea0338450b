package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a program may take before it counts as hanging.
const patience = 90 * time.Second

// A program is a running process whose output is collected.
type program struct {
	t        *testing.T
	cmd      *exec.Cmd
	in       io.WriteCloser
	out, err *output
	ended    chan struct{} // closed when the process has ended
	limit    time.Duration // after which it counts as hanging
	hung     bool          // whether it had to be ended; valid from then on
}

// An outcome is how a program ended.
type outcome struct {
	code     int // -1: by a signal
	signal   syscall.Signal
	out, err string
}

// ilium starts the ilium binary in an empty working directory.
func ilium(t *testing.T, args ...string) *program {
	t.Helper()
	return start(t, nil, os.Getenv(binaryVariable), args...)
}

// A server is a running `ilium start`.
type server struct {
	*program
	address string
}

var servingLine = regexp.MustCompile(`^ilium is ready in \d+ ms at (\S+)`)

// startServer starts a server on a free port and waits until it is ready.
func startServer(t *testing.T, args ...string) *server {
	t.Helper()
	p := ilium(t, append([]string{"start", "--set", "native_transport_port=0"}, args...)...)
	match := p.out.await(servingLine)
	if match == nil {
		t.Fatalf("the server did not start: %s", p.wait().err)
	}
	return &server{program: p, address: match[1]}
}

// run runs the ilium binary to its end.
func run(t *testing.T, args ...string) outcome {
	t.Helper()
	return ilium(t, args...).wait()
}

// runWith runs it after prepare has changed the command.
func runWith(t *testing.T, prepare func(*exec.Cmd), args ...string) outcome {
	t.Helper()
	return start(t, prepare, os.Getenv(binaryVariable), args...).wait()
}

// startRole starts the test binary itself in a role.
func startRole(t *testing.T, args ...string) *program {
	t.Helper()
	return start(t, nil, os.Args[0], append([]string{roleArgument}, args...)...)
}

func start(t *testing.T, prepare func(*exec.Cmd), path string, args ...string) *program {
	t.Helper()
	return startFor(t, patience, prepare, path, args...)
}

// startFor starts a program that may take as long as limit.
func startFor(t *testing.T, limit time.Duration, prepare func(*exec.Cmd), path string, args ...string) *program {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGQUIT) } // prints where it hangs
	cmd.WaitDelay = 5 * time.Second
	cmd.Dir = t.TempDir()
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "ILIUM_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	if prepare != nil {
		prepare(cmd)
	}
	p := &program{t: t, cmd: cmd, limit: limit, out: newOutput(), err: newOutput(), ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.out, p.err
	var err error
	if p.in, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	go func() {
		defer cancel()
		_ = cmd.Wait() // its state says more
		p.hung = ctx.Err() != nil
		p.out.end()
		p.err.end()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.kill()
		p.wait()
	})
	return p
}

// kill sends SIGKILL. A process that has ended already is no error.
func (p *program) kill() { p.signal(syscall.SIGKILL) }

func (p *program) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Fatal(err)
	}
}

// ask writes a line to the program and returns the next line that it prints.
func (p *program) ask(line string) string {
	p.t.Helper()
	before := p.out.count()
	if _, err := fmt.Fprintln(p.in, line); err != nil {
		p.t.Fatalf("%s: %v\n%s", line, err, p.wait().err)
	}
	lines, ok := p.out.find(func(lines []string) bool { return len(lines) > before })
	if !ok {
		o := p.wait()
		p.t.Fatalf("no answer to %s: exit status %d, signal %v\n%.3000s", line, o.code, o.signal, o.err)
	}
	return lines[before]
}

// killAfter kills the process at that time from now, and reports whether it had not ended before.
func (p *program) killAfter(d time.Duration) bool {
	p.t.Helper()
	timer := time.AfterFunc(d, p.kill)
	defer timer.Stop()
	<-p.ended
	return p.wait().signal == syscall.SIGKILL
}

// wait closes the input and waits for the end of the process. A process that hangs is shown and fails the test.
func (p *program) wait() outcome {
	p.t.Helper()
	_ = p.in.Close() // it may be closed already
	<-p.ended
	o := outcome{code: p.cmd.ProcessState.ExitCode(), out: p.out.text(), err: p.err.text()}
	if status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		o.signal = status.Signal()
	}
	if p.hung {
		p.t.Fatalf("%s did not end within %s:\n%s", p.cmd, p.limit, o.err)
	}
	return o
}

// output collects what a process writes, line by line.
type output struct {
	mu      sync.Mutex
	lines   []string
	partial string
	ended   bool
	changed chan struct{} // closed and replaced when something was added
}

func newOutput() *output { return &output{changed: make(chan struct{})} }

// Write takes the next piece of output.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	parts := strings.Split(o.partial+string(p), "\n")
	o.lines = append(o.lines, parts[:len(parts)-1]...)
	o.partial = parts[len(parts)-1]
	o.notify()
	return len(p), nil
}

func (o *output) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.partial != "" {
		o.lines = append(o.lines, o.partial)
	}
	o.partial, o.ended = "", true
	o.notify()
}

func (o *output) notify() {
	close(o.changed)
	o.changed = make(chan struct{})
}

func (o *output) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Join(o.lines, "\n")
}

// find waits until done says that the lines so far are enough, or the output ends. It returns the lines.
func (o *output) find(done func(lines []string) bool) ([]string, bool) {
	for {
		o.mu.Lock()
		lines, ended, changed := o.lines, o.ended, o.changed
		o.mu.Unlock()
		if done(lines) {
			return lines, true
		}
		if ended {
			return lines, false
		}
		<-changed
	}
}

// await waits for a line that matches and returns it with its groups, or nil if the output ends before.
func (o *output) await(pattern *regexp.Regexp) []string {
	var match []string
	seen := 0
	o.find(func(lines []string) bool {
		for ; seen < len(lines); seen++ {
			if match = pattern.FindStringSubmatch(lines[seen]); match != nil {
				return true
			}
		}
		return false
	})
	return match
}

func (o *output) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.lines)
}

// awaitCount waits for so many lines, and reports whether they came.
func (o *output) awaitCount(n int) bool {
	_, ok := o.find(func(lines []string) bool { return len(lines) >= n })
	return ok
}
