package raftlog

import (
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// A nudge tells the other servers that an entry is committed. It is the message without entries that raft
// itself sends, but now, and not half a second later. It says nothing that is not so: the entry is committed, and
// who led in the entry's term when it was added is the only leader of that term.

// A committed is an entry that the leader has applied.
type committed struct{ index, term uint64 }

const (
	nudgeAgain = 20 * time.Millisecond // for a server that does not have the entry yet; doubled each time
	nudgeUntil = 300 * time.Millisecond
)

// nudge is called when an entry has been applied.
func (l *Log) nudge(index, term uint64) {
	if r := l.raft.Load(); r == nil || r.State() != raft.Leader || r.CurrentTerm() != term {
		return
	}
	l.newest.Store(&committed{index, term})
	select {
	case l.nudged <- struct{}{}:
	default:
	}
}

// runNudges sends nudges until the node stops.
func (l *Log) runNudges() {
	var sent sync.WaitGroup
	defer sent.Wait()
	busy := map[raft.ServerID]chan struct{}{}
	for {
		select {
		case <-l.nudged:
		case <-l.ctx.Done():
			return
		}
		c := l.newest.Load()
		for _, s := range l.servers() {
			if s.ID == serverOf(l.opts.Self) {
				continue
			}
			if done := busy[s.ID]; done != nil {
				select {
				case <-done:
				default:
					continue // whoever is at it goes on with the newest
				}
			}
			done := make(chan struct{})
			busy[s.ID] = done
			sent.Go(func() {
				defer close(done)
				l.nudgeServer(s.ID, c)
			})
		}
	}
}

// nudgeServer sends nudges to a server until it has taken the newest.
func (l *Log) nudgeServer(id raft.ServerID, c *committed) {
	self := serverOf(l.opts.Self)
	for pause := nudgeAgain; pause < nudgeUntil; pause *= 2 {
		request := &raft.AppendEntriesRequest{
			RPCHeader:         raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax, ID: []byte(self), Addr: []byte(self)},
			Term:              c.term,
			PrevLogEntry:      c.index,
			PrevLogTerm:       c.term,
			LeaderCommitIndex: c.index,
		}
		var answer raft.AppendEntriesResponse
		err := l.transport.AppendEntries(id, "", request, &answer)
		newest := l.newest.Load()
		switch {
		case err != nil || answer.Term > c.term:
			return
		case answer.Success && newest == c:
			return
		case answer.Success:
			c, pause = newest, nudgeAgain/2
			continue
		}
		select {
		case <-time.After(pause):
		case <-l.ctx.Done():
			return
		}
		c = l.newest.Load()
	}
}
