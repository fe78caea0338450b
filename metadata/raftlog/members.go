package raftlog

import (
	"slices"
	"time"

	"github.com/hashicorp/raft"

	"github.com/iliumdb/ilium/ring"
)

// A Member is a node that is to have the log.
type Member struct {
	ID    ring.HostID
	Votes bool // it may vote
}

const (
	maxVoters     = 5
	changeTimeout = 5 * time.Second
	changeAgain   = time.Second     // after a change that failed
	promoteAgain  = 5 * time.Second // while those that could get a vote are down
)

// kick has the members looked at.
func (l *Log) kick() {
	select {
	case l.kicked <- struct{}{}:
	default:
	}
}

// runMembers brings raft's configuration in line with the members whenever this node leads.
func (l *Log) runMembers() {
	r := l.raft.Load()
	var again <-chan time.Time
	term := uint64(0) // in which everything committed before has been applied
	for {
		select {
		case <-l.kicked:
		case <-r.LeaderCh():
		case <-again:
		case <-l.ctx.Done():
			return
		}
		again = nil
		if now := r.CurrentTerm(); now != term && r.State() == raft.Leader {
			if err := l.Barrier(l.ctx); err != nil { // the members may not be those that are meant
				again = time.After(changeAgain)
				continue
			}
			term = now
		}
		for r.State() == raft.Leader && l.ctx.Err() == nil {
			step, wait := l.nextStep()
			if wait > 0 {
				again = time.After(wait)
			}
			if step == nil {
				break
			}
			if err := step(r).Error(); err != nil {
				l.opts.Log.Debug("The servers of the metadata log cannot be changed now", "error", err)
				again = time.After(changeAgain)
				break
			}
		}
	}
}

// A step changes one server.
type step func(*raft.Raft) raft.Future

// nextStep returns what is to be changed next, or nil; and when to look again, or 0.
func (l *Log) nextStep() (step, time.Duration) {
	members := l.opts.Members()
	if members == nil {
		return nil, 0
	}
	servers := l.servers()
	for _, m := range members {
		if !slices.ContainsFunc(servers, func(s raft.Server) bool { return s.ID == serverOf(m.ID) }) {
			return func(r *raft.Raft) raft.Future {
				id := serverOf(m.ID)
				return r.AddNonvoter(id, raft.ServerAddress(id), 0, changeTimeout)
			}, 0
		}
	}
	self := serverOf(l.opts.Self)
	switch s := l.superfluous(servers, members); {
	case s == self && slices.ContainsFunc(servers, func(s raft.Server) bool { return s.ID != self && s.Suffrage == raft.Voter }):
		return l.leave, 0
	case s != "" && s != self:
		return func(r *raft.Raft) raft.Future { return r.RemoveServer(s, 0, changeTimeout) }, 0
	}
	return l.promotion(servers, members)
}

// superfluous returns a server that is no member, this one last.
func (l *Log) superfluous(servers []raft.Server, members []Member) (found raft.ServerID) {
	for _, s := range servers {
		isMember := slices.ContainsFunc(members, func(m Member) bool { return s.ID == serverOf(m.ID) })
		if !isMember && (found == "" || s.ID != serverOf(l.opts.Self)) {
			found = s.ID
		}
	}
	return found
}

// leave makes another server the leader, which then removes this one; or removes it at once if that fails.
func (l *Log) leave(r *raft.Raft) raft.Future {
	if f := r.LeadershipTransfer(); f.Error() == nil {
		return f
	}
	return r.RemoveServer(serverOf(l.opts.Self), 0, changeTimeout)
}

// promotion returns the step by which a member gets a vote, if there are fewer than five.
func (l *Log) promotion(servers []raft.Server, members []Member) (step, time.Duration) {
	voters, waiting := 0, false
	var next raft.ServerID
	for _, s := range servers {
		if s.Suffrage == raft.Voter {
			voters++
			continue
		}
		i := slices.IndexFunc(members, func(m Member) bool { return m.Votes && s.ID == serverOf(m.ID) })
		switch {
		case i < 0:
		case !l.isLive(members[i].ID):
			waiting = true // a vote for a node that is down would only make a majority harder to reach
		case next == "" || s.ID < next:
			next = s.ID
		}
	}
	switch {
	case voters >= maxVoters:
		return nil, 0
	case next != "":
		return func(r *raft.Raft) raft.Future { return r.AddVoter(next, raft.ServerAddress(next), 0, changeTimeout) }, 0
	case waiting:
		return nil, promoteAgain
	}
	return nil, 0
}

func (l *Log) isLive(id ring.HostID) bool {
	return l.opts.Live == nil || slices.Contains(l.opts.Live(), id)
}

// servers returns raft's configuration.
func (l *Log) servers() []raft.Server {
	r := l.raft.Load()
	if r == nil {
		return nil
	}
	f := r.GetConfiguration()
	if f.Error() != nil {
		return nil
	}
	return f.Configuration().Servers
}
