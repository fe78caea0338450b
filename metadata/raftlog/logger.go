package raftlog

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/hashicorp/go-hclog"
)

// newLogger returns a logger for raft that hands everything to log.
func newLogger(log *slog.Logger) hclog.Logger {
	l := hclog.NewInterceptLogger(&hclog.LoggerOptions{Name: "raft", Level: hclog.Off, Output: io.Discard})
	l.RegisterSink(logSink{log})
	return l
}

// A logSink takes what raft logs. raft is talkative: it calls an error what is normal as long as another node
// is down, twice a second, and warns of each election.
type logSink struct{ log *slog.Logger }

func (s logSink) Accept(_ string, level hclog.Level, message string, args ...any) {
	to := slog.LevelDebug
	if level == hclog.Error && !aboutPeer(message) {
		to = slog.LevelWarn
	}
	if s.log.Enabled(context.Background(), to) {
		for i, arg := range args {
			if f, ok := arg.(hclog.Format); ok && len(f) > 0 {
				args[i] = fmt.Sprintf(fmt.Sprint(f[0]), f[1:]...)
			}
		}
		s.log.Log(context.Background(), to, "The metadata log: "+message, args...)
	}
}

// aboutPeer reports whether an error is that another node did not do as asked.
func aboutPeer(message string) bool {
	for _, begin := range []string{"failed to heartbeat", "failed to appendEntries", "failed to make requestVote", "failed to make preVote",
		"failed to send snapshot", "failed to install snapshot", "peer has newer term", "failed to get log"} {
		if strings.HasPrefix(message, begin) {
			return true
		}
	}
	return false
}
