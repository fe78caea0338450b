package peer

import "time"

const (
	// silence is after how long without a byte a connection is given up, if something is unanswered.
	silence = 5 * time.Second
	// pingAfter is after how long without a byte the other side is asked for a sign of life.
	pingAfter = silence / 2
	// tickInterval is how far apart two looks at the unanswered calls are at least.
	tickInterval = 10 * time.Millisecond
)

// arm makes tick run at a time, or earlier. l.mu is held.
func (l *link) arm(now, at time.Duration) {
	if l.armed != 0 && l.armed <= at {
		return
	}
	l.armed = at
	l.timer.Reset(at - now)
}

// disarm lets tick rest. l.mu is held.
func (l *link) disarm() {
	l.armed = 0
	l.timer.Stop()
}

// settled reports whether something has arrived since a question was asked. Calls that nobody waits for anymore do
// not settle it, so that short deadlines do not hide a broken network. l.mu is held.
func (l *link) settled() bool { return time.Duration(l.heard.Load()) >= l.asked }

// tick completes the calls that have waited long enough, and looks whether the other side is alive. As long as something is
// unanswered, it sees to it that it runs again.
func (l *link) tick() {
	if !l.hub.goroutines.enter() {
		return
	}
	defer l.hub.goroutines.leave()
	l.mu.Lock()
	l.armed = 0
	now := l.hub.now()
	expired, next := l.calls.expire(now)
	silent := false
	o := l.output
	if l.state == linkUp && (l.calls.len() > 0 || !l.settled()) {
		var look time.Duration
		look, silent = l.watch(now)
		next = min(next, look)
	}
	if next < forever && !silent {
		l.arm(now, max(next, now+tickInterval))
	}
	l.mu.Unlock()
	if silent {
		o.stop(errSilent) // the reader sees it
	}
	for i := range expired {
		expired[i].complete(nil, l.timeout())
	}
}

// watch reports whether the connection is to be given up, and otherwise when to look again. l.mu is held.
func (l *link) watch(now time.Duration) (next time.Duration, silent bool) {
	last := max(time.Duration(l.heard.Load()), l.asked)
	switch quiet := now - last; {
	case quiet >= silence:
		return 0, true
	case quiet < pingAfter:
		return last + pingAfter, false
	case l.pinged <= last:
		l.pinged = now
		p := parcel{}
		_ = l.output.add(&header{kind: kindPing}, &p) // if the queue is full, there is no need to ask
	}
	return last + silence, false
}
