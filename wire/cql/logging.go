package cql

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// linesPerSecond is how many ends and refusals of connections are logged in a second: clients that come and go at will
// must not fill the log.
const linesPerSecond = 10

// A limitedLog writes a number of lines a second and counts the others. It is safe for concurrent use.
type limitedLog struct {
	to *slog.Logger

	mu      sync.Mutex
	second  int64 // at hand
	lines   int   // written in it
	skipped int   // since the last line
}

// log writes a line, or not.
func (l *limitedLog) log(level slog.Level, message string, args ...any) {
	ctx := context.Background()
	if !l.to.Enabled(ctx, level) {
		return
	}
	skipped, ok := l.next(time.Now().Unix())
	if !ok {
		return
	}
	if skipped > 0 {
		args = append(args, "similar_lines_left_out", skipped)
	}
	l.to.Log(ctx, level, message, args...)
}

// next reports whether a line may be written now, and how many were not before it.
func (l *limitedLog) next(second int64) (skipped int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if second != l.second {
		l.second, l.lines = second, 0
	}
	if l.lines == linesPerSecond {
		l.skipped++
		return 0, false
	}
	l.lines++
	skipped, l.skipped = l.skipped, 0
	return skipped, true
}
