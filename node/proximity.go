package node

import (
	"slices"
	"sync"
	"time"

	"github.com/iliumdb/ilium/coordinator/snitch"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
)

// proximity chooses the replicas that reads ask: by where they are, by how long they took lately, and by whether
// gossip still hears of them.
type proximity struct {
	cluster     *cluster
	latencies   *snitch.Latencies
	percentiles *snitch.Percentiles
	unknown     time.Duration // how long a replica may take of which nothing is known
	retries     sync.Map      // text of speculative_retry -> snitch.Retry
}

func newProximity(c *cluster) *proximity {
	cfg := &c.node.config
	threshold := cfg.DynamicSnitchBadnessThreshold
	if threshold == 0 {
		threshold = -1 // the fastest one, however little faster it is
	}
	return &proximity{
		cluster:     c,
		latencies:   snitch.NewLatencies(snitch.Options{BadnessThreshold: threshold}),
		percentiles: snitch.NewPercentiles(),
		unknown:     cfg.ReadRequestTimeout / 2,
	}
}

func (p *proximity) close() {
	p.latencies.Close()
	p.percentiles.Close()
}

// Sort puts the nearest replicas first, and last those that have been silent for a while.
func (p *proximity) Sort(replicas []*ring.Endpoint) {
	if len(replicas) < 2 {
		return
	}
	p.latencies.Sort(replicas, p.cluster.Topology().Endpoint(p.cluster.self))
	m := p.cluster.memberOf()
	suspects := func(e *ring.Endpoint) int {
		if m.Suspects(e.ID) {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(replicas, func(a, b *ring.Endpoint) int { return suspects(a) - suspects(b) })
}

// Record tells how long a replica took for a read of a table.
func (p *proximity) Record(id ring.HostID, t *schema.Table, took time.Duration) {
	p.latencies.Record(id, took)
	p.percentiles.Record(t.ID, took)
}

// Patience returns what the table's speculative_retry says.
func (p *proximity) Patience(t *schema.Table) (time.Duration, bool) {
	text := t.Options.SpeculativeRetry
	known, ok := p.retries.Load(text)
	if !ok {
		parsed, err := snitch.ParseRetry(text)
		if err != nil {
			return 0, false // the schema holds only what can be parsed
		}
		known, _ = p.retries.LoadOrStore(text, parsed)
	}
	return known.(snitch.Retry).After(func(percent float64) (time.Duration, bool) { return p.percentiles.Percentile(t.ID, percent) }, p.unknown)
}

// forgetTables drops what is known of tables that are gone.
func (p *proximity) forgetTables(before, now *schema.Schema) {
	for k := range before.Keyspaces() {
		for t := range k.Tables() {
			if same := now.Table(t.Keyspace, t.Name); same == nil || same.ID != t.ID {
				p.percentiles.Forget(t.ID)
			}
		}
	}
}
