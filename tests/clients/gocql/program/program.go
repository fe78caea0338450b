// Package program runs the real program for tests of drivers.
package program

import (
	"bufio"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Patience is how long a server may take to start or stop, and a driver to notice something.
const Patience = 15 * time.Second

// A Server is the running program.
type Server struct {
	Address string

	binary, directory string
	cmd               *exec.Cmd
}

// Start runs the program named by the variable ILIUM, or one built from this repository, on a free port.
func Start(t *testing.T) *Server {
	t.Helper()
	s := &Server{binary: os.Getenv("ILIUM"), directory: t.TempDir()}
	if s.binary == "" {
		s.binary = filepath.Join(t.TempDir(), "ilium")
		build := exec.Command("go", "build", "-o", s.binary, "github.com/iliumdb/ilium")
		build.Dir = root(t)
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	s.start(t, "0")
	t.Cleanup(func() { s.stop(t) })
	return s
}

// root returns the folder of the repository.
func root(t *testing.T) string {
	out, err := exec.Command("git", "rev-parse", "--show-toplevel").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// Restart stops the program as an administrator would, and starts it again on the same port.
func (s *Server) Restart(t *testing.T) {
	t.Helper()
	_, port, err := net.SplitHostPort(s.Address)
	if err != nil {
		t.Fatal(err)
	}
	s.stop(t)
	s.start(t, port)
}

var readyLine = regexp.MustCompile(`ready in \d+ ms at (\S+)`)

func (s *Server) start(t *testing.T, port string) {
	t.Helper()
	s.cmd = exec.Command(s.binary, "start", "--set", "native_transport_port="+port, "--set", "data_directory="+s.directory)
	s.cmd.Dir = s.directory
	s.cmd.Stderr = os.Stderr
	out, err := s.cmd.StdoutPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	match := readyLine.FindStringSubmatch(line)
	if err != nil || match == nil {
		t.Fatal(line, err)
	}
	s.Address = match[1]
}

func (s *Server) stop(t *testing.T) {
	kill := time.AfterFunc(Patience, func() { _ = s.cmd.Process.Kill() }) // it may have ended just now
	defer kill.Stop()
	if err := errors.Join(s.cmd.Process.Signal(syscall.SIGTERM), s.cmd.Wait()); err != nil {
		t.Error("the program ended with", err)
	}
}

// Eventually tries until it works, or fails the test after Patience.
func Eventually(t *testing.T, try func() error) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(Patience)
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal(err)
		}
	}
}
