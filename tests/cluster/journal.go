package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// A journal keeps what the nodes of a cluster log, and what a test does.
type journal struct {
	mu       sync.Mutex
	began    time.Time
	lines    []string
	liveness []Liveness
}

// A Liveness is a node's opinion of another one that has changed.
type Liveness struct {
	At   time.Time
	By   int    // who thinks so
	Node string // the id of the other one
	Up   bool
}

// maxLines is how many of the last lines are kept.
const maxLines = 5000

func (j *journal) add(who, text string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.lines) >= maxLines {
		j.lines = append(j.lines[:0], j.lines[maxLines/2:]...)
	}
	j.lines = append(j.lines, fmt.Sprintf("%9.3fs %-6s %s", time.Since(j.began).Seconds(), who, text))
}

// text returns the last lines.
func (j *journal) text(most int) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Join(j.lines[max(0, len(j.lines)-most):], "\n")
}

func (j *journal) changes() []Liveness {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]Liveness(nil), j.liveness...)
}

// logger returns the log of a node.
func (j *journal) logger(index int) *slog.Logger {
	return slog.New(&handler{journal: j, index: index})
}

// A handler is a slog.Handler that writes to a journal.
type handler struct {
	journal *journal
	index   int
	attrs   string
}

// Enabled implements slog.Handler.
func (h *handler) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }

// Handle implements slog.Handler.
func (h *handler) Handle(_ context.Context, r slog.Record) error {
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s%s", r.Level, r.Message, h.attrs)
	node := ""
	r.Attrs(func(a slog.Attr) bool {
		fmt.Fprintf(&text, " %s", a)
		if a.Key == "node" {
			node = a.Value.String()
		}
		return true
	})
	h.journal.add(fmt.Sprintf("node %d", h.index), text.String())
	if up := r.Message == "a node is up"; up || r.Message == "a node is down" {
		h.journal.mu.Lock()
		h.journal.liveness = append(h.journal.liveness, Liveness{time.Now(), h.index, node, up})
		h.journal.mu.Unlock()
	}
	return nil
}

// WithAttrs implements slog.Handler.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := *h
	for _, a := range attrs {
		next.attrs += " " + a.String()
	}
	return &next
}

// WithGroup implements slog.Handler.
func (h *handler) WithGroup(string) slog.Handler { return h }
