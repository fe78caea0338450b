package raftlog

import (
	"context"
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
	if s := l.find(servers, members, func(_ raft.Server, m *Member) bool { return m == nil }); s == self {
		if hasOtherVoter(servers, self) {
			return l.leave, 0
		}
	} else if s != "" {
		return func(r *raft.Raft) raft.Future { return l.remove(r, s) }, 0
	}
	s := l.find(servers, members, func(s raft.Server, m *Member) bool { return s.Suffrage == raft.Voter && m != nil && !m.Votes })
	if s != "" && hasOtherVoter(servers, s) {
		return func(r *raft.Raft) raft.Future { return l.demote(r, s) }, 0
	}
	return l.promotion(servers, members)
}

// remove removes a server. It should have the entry that says so: it hears of nothing afterwards.
func (l *Log) remove(r *raft.Raft, s raft.ServerID) raft.Future {
	if c := l.newest.Load(); c != nil && c.term == r.CurrentTerm() {
		l.nudgeServer(s, c)
	}
	return r.RemoveServer(s, 0, changeTimeout)
}

// demote takes the vote from a server. If that is this one, another one becomes the leader first, and does it.
func (l *Log) demote(r *raft.Raft, s raft.ServerID) raft.Future {
	if s == serverOf(l.opts.Self) {
		return r.LeadershipTransfer()
	}
	return r.DemoteVoter(s, 0, changeTimeout)
}

// hasOtherVoter reports whether a server beside id votes.
func hasOtherVoter(servers []raft.Server, id raft.ServerID) bool {
	return slices.ContainsFunc(servers, func(s raft.Server) bool { return s.ID != id && s.Suffrage == raft.Voter })
}

// find returns a server that is as asked for, this one last. It may be no member.
func (l *Log) find(servers []raft.Server, members []Member, is func(raft.Server, *Member) bool) (found raft.ServerID) {
	for _, s := range servers {
		var member *Member
		if i := slices.IndexFunc(members, func(m Member) bool { return s.ID == serverOf(m.ID) }); i >= 0 {
			member = &members[i]
		}
		if is(s, member) && (found == "" || s.ID != serverOf(l.opts.Self)) {
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
		i := slices.IndexFunc(members, func(m Member) bool { return m.Votes && s.ID == serverOf(m.ID) && !l.retires(m.ID) })
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

const retireAgain = 50 * time.Millisecond

// Retire takes the vote from a node that is about to be removed, if it has one. Once the node is no member anymore, others may
// not know how to reach it, and could wait in vain for its vote. It gets none before the function that is returned
// is called. A *NotLeaderError says that this node does not lead, or not anymore.
func (l *Log) Retire(ctx context.Context, id ring.HostID) (release func(), err error) {
	l.mu.Lock()
	l.retiring[id]++
	l.mu.Unlock()
	release = func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.retiring[id]--; l.retiring[id] == 0 {
			delete(l.retiring, id)
		}
	}
	for server := serverOf(id); ; {
		servers := l.servers()
		switch {
		case !slices.ContainsFunc(servers, func(s raft.Server) bool { return s.ID == server && s.Suffrage == raft.Voter }):
			return release, nil
		case !l.Leads():
			err = &NotLeaderError{}
		case hasOtherVoter(servers, server):
			err = l.wait(ctx, func(r *raft.Raft) raft.Future { return l.demote(r, server) })
		}
		if err != nil {
			release()
			return nil, err
		}
		select {
		case <-time.After(retireAgain): // for another voter, or another leader
		case <-ctx.Done():
			release()
			return nil, ctx.Err()
		case <-l.ctx.Done():
			release()
			return nil, errStopped
		}
	}
}

// retires reports whether a node is about to be removed.
func (l *Log) retires(id ring.HostID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.retiring[id] > 0
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
