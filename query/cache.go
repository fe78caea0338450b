package query

import (
	"container/list"
	"sync"
	"sync/atomic"

	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/query/plan"
	"github.com/iliumdb/ilium/query/system"
)

// A statement is a parsed statement with its newest plan.
type statement struct {
	parsed  *ast.Parsed
	planned atomic.Pointer[planned]
}

type planned struct {
	epoch uint64
	plan  plan.Plan
}

// A cache keeps the statements that were used last, within a bound on their size. It is safe for
// concurrent use.
type cache struct {
	limit int64

	mu      sync.Mutex
	size    int64
	hits    int64
	misses  int64
	entries map[cacheKey]*list.Element
	order   *list.List // of *cacheEntry, the last used first
}

type cacheKey struct{ keyspace, text string }

type cacheEntry struct {
	key       cacheKey
	statement *statement
	size      int64
}

func newCache(limit int64) *cache {
	return &cache{limit: limit, entries: make(map[cacheKey]*list.Element), order: list.New()}
}

// get returns a statement, or nil.
func (c *cache) get(keyspace, text string) *statement {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[cacheKey{keyspace, text}]
	if !ok {
		c.misses++
		return nil
	}
	c.hits++
	c.order.MoveToFront(e)
	return e.Value.(*cacheEntry).statement
}

// stats describes the cache for system_views.caches.
func (c *cache) stats(name string) system.Cache {
	c.mu.Lock()
	defer c.mu.Unlock()
	return system.Cache{Name: name, Capacity: c.limit, Size: c.size, Entries: len(c.entries), Hits: c.hits, Misses: c.misses}
}

// put adds a statement, and returns it or the one that another goroutine has added meanwhile.
// Statements that take more than a tenth of the cache are not kept.
func (c *cache) put(keyspace, text string, s *statement) *statement {
	entry := &cacheEntry{cacheKey{keyspace, text}, s, statementSize(text)}
	if entry.size > c.limit/10 {
		return s
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries[entry.key]; ok {
		return e.Value.(*cacheEntry).statement
	}
	c.entries[entry.key] = c.order.PushFront(entry)
	c.size += entry.size
	for c.size > c.limit {
		oldest := c.order.Remove(c.order.Back()).(*cacheEntry)
		delete(c.entries, oldest.key)
		c.size -= oldest.size
	}
	return s
}

// statementSize estimates the memory of a statement, its tree and its plan.
func statementSize(text string) int64 { return 2<<10 + 24*int64(len(text)) }
