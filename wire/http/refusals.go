package http

import (
	"log/slog"
	nethttp "net/http"
	"sync"
	"time"
)

// refusalsPerSecond is how many refused logins are logged in a second: anybody can cause them.
const refusalsPerSecond = 10

// refusals logs logins that were refused.
type refusals struct {
	mu      sync.Mutex
	second  int64
	logged  int
	skipped int // since the last one that was logged
}

// log logs a login that was refused, unless that were too many in this second. Requests without a name are how browsers begin.
func (l *refusals) log(to *slog.Logger, r *nethttp.Request, err error) {
	role, _, ok := r.BasicAuth()
	if !ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now().Unix(); now != l.second {
		l.second, l.logged = now, 0
	}
	if l.logged == refusalsPerSecond {
		l.skipped++
		return
	}
	to.Warn("an operator could not log in", "address", r.RemoteAddr, "role", role[:min(len(role), 255)], "error", err, "not_logged", l.skipped)
	l.logged++
	l.skipped = 0
}
