//go:build faults

package cluster

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"regexp"
	"testing"
	"time"
)

// TestFaults shows that the tests see bugs: it runs them in processes that have one each, and wants them to fail for it.
func TestFaults(t *testing.T) {
	for _, f := range []struct{ bug, test, says string }{
		{"acknowledge early", "TestQuorum", "not one of|nothing, though"},
		{"drop hints", "TestQuorum", "NODE_LOCAL"},
		{"repair nothing", "TestQuorum", "at QUORUM"},
		{"convict late", "TestKilledIsDown", "it took"},
		{"convict early", "TestNoFlapping", "thought that"},
		{"forget entries", "TestSchemaContest", "know different|it is not that"},
		{"serve without catching up", "TestSchemaIsCaughtUp", "without the newest table"},
		{"forget pending replicas", "TestJoin|TestDecommission|TestReplace|TestRemove", "NODE_LOCAL"},
		{"know the seeds alone", "TestColdStart", "after all|cannot|different"},
	} {
		t.Run(f.bug, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, os.Args[0], "-test.run", "^("+f.test+")$", "-test.failfast", "-seeds", "4")
			cmd.Env = append(os.Environ(), "ILIUM_FAULT="+f.bug)
			out, err := cmd.CombinedOutput()
			if err == nil {
				t.Fatal("nothing is noticed")
			}
			if !regexp.MustCompile(f.says).Match(out) {
				t.Errorf("something else is noticed:\n%s", out[max(0, len(out)-4000):])
			}
			if i := bytes.Index(out, []byte("_test.go:")); i >= 0 {
				t.Logf("%s", bytes.SplitN(out[i:], []byte("\n"), 2)[0])
			}
		})
	}
}
