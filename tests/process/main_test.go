package process

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	_ "github.com/iliumdb/ilium/shell" // see TestInputs
	_ "github.com/iliumdb/ilium/workload"
)

// binaryVariable tells the tests where TestMain has put the ilium binary.
const binaryVariable = "PROCESS_TEST_BINARY"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == roleArgument {
		os.Exit(playRole(os.Args[2:]))
	}
	os.Exit(runTests(m))
}

// runTests builds the binary into a temporary directory, which it removes at the end.
func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "ilium-process-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // one test runs the binary as another user
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	binary := filepath.Join(dir, "ilium")
	build := exec.Command("go", "build", "-o", binary, "github.com/iliumdb/ilium")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "building ilium:", err)
		return 1
	}
	if err := os.Setenv(binaryVariable, binary); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// TestInputs lets go test see what the binary is made of, by this and by the imports above, so that
// it does not take an earlier outcome for that of a changed program.
func TestInputs(t *testing.T) {
	if _, err := os.Stat("../../main.go"); err != nil {
		t.Error(err)
	}
}

// newRandom returns a source of random decisions and prints its seed, which PROCESS_SEED sets.
func newRandom(t *testing.T) (*rand.Rand, uint64) {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("PROCESS_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("PROCESS_SEED: %v", err)
		}
	}
	t.Logf("PROCESS_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 1)), seed
}

// rounds returns how many times the usual number of random cases are to be tried: PROCESS_ROUNDS, or 1.
func rounds(t *testing.T) int {
	t.Helper()
	text := os.Getenv("PROCESS_ROUNDS")
	if text == "" {
		return 1
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("PROCESS_ROUNDS: %q is not a number of rounds", text)
	}
	return n
}

// millis returns a random time up to most milliseconds.
func millis(random *rand.Rand, most int) time.Duration {
	return time.Duration(random.IntN(most*1000)) * time.Microsecond
}
