package cql

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestLimitedLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		l := &limitedLog{to: slog.New(slog.NewTextHandler(&out, nil))}
		for range 500 {
			l.log(slog.LevelInfo, "closed")
			l.log(slog.LevelDebug, "not enabled, and not counted")
		}
		if n := strings.Count(out.String(), "closed"); n != linesPerSecond {
			t.Errorf("%d lines in a second", n)
		}
		<-time.After(time.Second)
		out.Reset()
		l.log(slog.LevelInfo, "closed")
		l.log(slog.LevelInfo, "closed")
		if got := out.String(); strings.Count(got, "closed") != 2 || strings.Count(got, "left_out=490") != 1 {
			t.Error(got)
		}
	})
}
