package http

import (
	"context"
	"encoding/json"
	nethttp "net/http"
	"net/url"
	"time"
)

// repeatEvery is the time after which progress is told again that has not changed, so that both sides notice if the other
// one is gone.
const repeatEvery = 5 * time.Second

// act carries out an action, whose answer is lines. It returns an error only if there is no line yet.
func (s *Server) act(w nethttp.ResponseWriter, r *nethttp.Request, e *endpoint, p url.Values) error {
	l := &lines{w: w, control: nethttp.NewResponseController(w)}
	_ = l.control.SetReadDeadline(time.Time{}) // the body was read; what is read from now on is whether the client is there
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	err := e.act(ctx, s.operator, p, func(text string) {
		if err := l.tell(text); err != nil {
			cancel(err)
		}
	})
	switch {
	case err == nil:
		_ = l.write(Line{Done: true}) // if the client is gone, nobody can be told
	case !l.begun:
		return err
	default:
		_ = l.write(Line{Error: failureOf(ctx, err).reason})
	}
	return nil
}

// lines is an answer in lines.
type lines struct {
	w       nethttp.ResponseWriter
	control *nethttp.ResponseController
	begun   bool
	last    string
	at      time.Time
}

// tell tells the client of progress, unless it has been told just now.
func (l *lines) tell(text string) error {
	if text == "" || text == l.last && time.Since(l.at) < repeatEvery {
		return nil
	}
	l.last, l.at = text, time.Now()
	return l.write(Line{Progress: text})
}

func (l *lines) write(line Line) error {
	b, err := json.Marshal(line)
	if err != nil {
		return err
	}
	_ = l.control.SetWriteDeadline(time.Now().Add(writeTimeout)) // as above
	if !l.begun {
		l.w.Header().Set("Content-Type", "application/jsonl")
		l.begun = true
	}
	if _, err := l.w.Write(append(b, '\n')); err != nil {
		return err
	}
	return l.control.Flush()
}
