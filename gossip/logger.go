package gossip

import (
	"bytes"
	"context"
	"log"
	"log/slog"
	"sync"
	"time"
)

const (
	logEvery = time.Minute // lines of one kind
	logKinds = 100         // to remember; no sender can make it more
)

// A lineLog takes the lines that memberlist logs. It has one for each packet that it cannot read, so a
// sender of rubbish could fill the log; of each kind of line, one goes out each minute.
type lineLog struct {
	log *slog.Logger

	mu    sync.Mutex
	kinds map[string]*kindOfLine
}

// A kindOfLine is when a kind was logged last, and how many lines were not since.
type kindOfLine struct {
	last    time.Time
	dropped int
}

func newLineLog(to *slog.Logger) *log.Logger {
	return log.New(&lineLog{log: to, kinds: map[string]*kindOfLine{}}, "", 0)
}

// Write logs a line: what memberlist takes for an error or a warning as a warning, all else for debugging.
func (l *lineLog) Write(line []byte) (int, error) {
	text := bytes.TrimSpace(line)
	level, kind := slog.LevelDebug, text
	if tag, rest, ok := bytes.Cut(text, []byte("] memberlist: ")); ok {
		text, kind = rest, rest
		if s := string(tag); s == "[ERR" || s == "[WARN" || s == "[ERROR" {
			level = slog.LevelWarn
		}
	}
	if !l.log.Enabled(context.Background(), level) {
		return len(line), nil
	}
	if dropped, ok := l.admit(string(kindOf(kind))); ok {
		l.log.Log(context.Background(), level, "gossip: "+string(text), "dropped", dropped)
	}
	return len(line), nil
}

// kindOf returns the words that a line begins with, as far as they are the same each time.
func kindOf(text []byte) []byte {
	const words = 3
	end := 0
	for range words {
		next := bytes.IndexByte(text[end:], ' ')
		if next < 0 {
			return text
		}
		end += next + 1
	}
	return text[:end]
}

// admit reports whether a line of a kind goes out, and how many before it did not.
func (l *lineLog) admit(kind string) (dropped int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.kinds[kind]
	if k == nil {
		if len(l.kinds) >= logKinds {
			clear(l.kinds)
		}
		l.kinds[kind] = &kindOfLine{last: time.Now()}
		return 0, true
	}
	if time.Since(k.last) < logEvery {
		k.dropped++
		return 0, false
	}
	dropped = k.dropped
	*k = kindOfLine{last: time.Now()}
	return dropped, true
}
