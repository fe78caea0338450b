package workload

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/iliumdb/ilium/config"
	"github.com/iliumdb/ilium/node"
)

// startDemo starts the node of a demo with little memory.
func startDemo(ctx context.Context, cfg config.Config) (*node.Node, error) {
	cfg.Memory = 64 * config.MiB
	return node.Start(ctx, cfg)
}

// temporary makes the demo use a temporary directory of its own, and wants that to be empty in the end.
func temporary(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Cleanup(func() {
		left, err := os.ReadDir(dir)
		if err != nil || len(left) > 0 {
			t.Errorf("the demo left %v, error %v", left, err)
		}
	})
}

var smallDemo = []string{"--messages", "60", "--mailboxes", "3", "--searches", "20"}

func TestDemo(t *testing.T) {
	temporary(t)
	var out strings.Builder
	if err := execute(t.Context(), DemoCommand(startDemo), &out, io.Discard, smallDemo...); err != nil {
		t.Fatal(err)
	}
	inOrder(t, out.String(), "A node is ready after ", ", in "+os.Getenv("TMPDIR"), "loaded 60 messages: ", "\nMessages of ", " with the words [", " messages in ",
		"\nMessages of ", " exchanged with ", " messages in ", "plain scan of the mail: no difference.", "Inbox search, 20 searches of each kind", "median",
		"The node stopped in ")
}

// inOrder wants texts to be in what was printed, one behind the other.
func inOrder(t *testing.T, printed string, wanted ...string) {
	t.Helper()
	rest := printed
	for _, want := range wanted {
		_, behind, found := strings.Cut(rest, want)
		if !found {
			t.Fatalf("%q is missing, or not in its place, in\n%s", want, printed)
		}
		rest = behind
	}
}

func TestDemoOfThreeNodes(t *testing.T) {
	temporary(t)
	var out strings.Builder
	if err := execute(t.Context(), DemoCommand(startDemo), &out, io.Discard, append([]string{"--nodes", "3"}, smallDemo...)...); err != nil {
		t.Fatal(err)
	}
	inOrder(t, out.String(), "3 nodes are ready after ", "QUORUM", "loaded 54 messages: ", " with the words [", " exchanged with ", "Node 3 stopped in ",
		"loaded 6 messages: ", " with the words [", " exchanged with ", " without it against a plain scan of the mail: no difference.",
		"Node 3 is back after ", "there are no hints left. Node 3 answers that there are 60 of 60 messages.",
		" with all nodes against a plain scan of the mail: no difference.")
}

func TestDemoOfOneMessage(t *testing.T) {
	temporary(t)
	if err := execute(t.Context(), DemoCommand(startDemo), io.Discard, io.Discard, "--messages", "1", "--mailboxes", "1", "--searches", "1"); err != nil {
		t.Error(err)
	}
}

func TestDemoFails(t *testing.T) {
	temporary(t)
	check := func(ctx context.Context, start func(context.Context, config.Config) (*node.Node, error), want string, arguments ...string) {
		t.Helper()
		err := execute(ctx, DemoCommand(start), io.Discard, io.Discard, arguments...)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	check(t.Context(), func(context.Context, config.Config) (*node.Node, error) { return nil, errors.New("no node today") }, "no node today", smallDemo...)
	ctx, cancel := context.WithCancel(t.Context())
	check(ctx, func(ctx context.Context, cfg config.Config) (*node.Node, error) {
		defer cancel()
		return startDemo(ctx, cfg)
	}, "context canceled", smallDemo...)
	for _, stage := range []string{"A node is ready", "loaded", "\nMessages of", "Checked"} {
		ctx, cancel := context.WithCancel(t.Context())
		atStage := writerFunc(func(p []byte) (int, error) {
			if strings.HasPrefix(string(p), stage) {
				cancel()
			}
			return len(p), nil
		})
		if err := execute(ctx, DemoCommand(startDemo), atStage, io.Discard, smallDemo...); !errors.Is(err, context.Canceled) {
			t.Errorf("canceled at %q: error %v", stage, err)
		}
		cancel()
	}
	check(t.Context(), startDemo, "--messages must be at least 1", "--messages", "0")
	check(t.Context(), startDemo, "--mailboxes must be at least 1", "--mailboxes", "0")
	check(t.Context(), startDemo, "--searches must be at least 1", "--searches", "0")
	check(t.Context(), startDemo, "unknown command", "more")
	check(t.Context(), startDemo, "--nodes must be 1, or 3 to 10, not 2", "--nodes", "2")
	started := 0
	check(t.Context(), func(ctx context.Context, cfg config.Config) (*node.Node, error) {
		if started++; started > 2 {
			return nil, errors.New("no third node")
		}
		return startDemo(ctx, cfg)
	}, "no third node", append([]string{"--nodes", "3"}, smallDemo...)...)
}
