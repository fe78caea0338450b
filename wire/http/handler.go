package http

import (
	"context"
	"encoding/json"
	"fmt"
	nethttp "net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// prefix is in front of the names of endpoints.
const prefix = "/api/v1/"

// An endpoint is a question, or an action.
type endpoint struct {
	parameters []string
	required   []string // of them
	ask        func(o Operator, p url.Values) (any, error)
	act        func(ctx context.Context, o Operator, p url.Values, told func(string)) error
}

// endpointOf returns the endpoint of a name, nil if there is none.
func endpointOf(name string) *endpoint {
	if e := questionOf(name); e != nil {
		return e
	}
	return actionOf(name)
}

func questionOf(name string) *endpoint {
	keyspace := []string{"keyspace"}
	switch name {
	case "status":
		return &endpoint{parameters: keyspace, ask: func(o Operator, p url.Values) (any, error) { return o.Status(p.Get("keyspace")) }}
	case "ring":
		return &endpoint{parameters: keyspace, ask: func(o Operator, p url.Values) (any, error) { return o.Ring(p.Get("keyspace")) }}
	case "info":
		return &endpoint{ask: func(o Operator, _ url.Values) (any, error) { return o.Info() }}
	case "gossipinfo":
		return &endpoint{ask: func(o Operator, _ url.Values) (any, error) { return listed(o.Gossip()) }}
	case "describecluster":
		return &endpoint{ask: func(o Operator, _ url.Values) (any, error) { return o.Describe() }}
	case "netstats":
		return &endpoint{ask: func(o Operator, _ url.Values) (any, error) { return o.Netstats() }}
	case "hints":
		return &endpoint{ask: func(o Operator, _ url.Values) (any, error) { return listed(o.Hints()) }}
	default:
		return nil
	}
}

// listed makes a list without elements [] in JSON, not null.
func listed[T any](list []T, err error) (any, error) {
	if list == nil {
		list = []T{}
	}
	return list, err
}

func actionOf(name string) *endpoint {
	id := []string{"id"}
	switch name {
	case "decommission":
		return &endpoint{parameters: []string{"force"}, act: func(ctx context.Context, o Operator, p url.Values, told func(string)) error {
			force, err := flag(p, "force")
			if err != nil {
				return err
			}
			return o.Decommission(ctx, force, told)
		}}
	case "removenode":
		return &endpoint{parameters: id, required: id, act: func(ctx context.Context, o Operator, p url.Values, told func(string)) error {
			return o.RemoveNode(ctx, p.Get("id"), told)
		}}
	case "abort":
		return &endpoint{parameters: id, required: id, act: func(ctx context.Context, o Operator, p url.Values, told func(string)) error {
			return o.AbortJoin(ctx, p.Get("id"), told)
		}}
	case "cleanup":
		return &endpoint{parameters: []string{"keyspace"}, act: func(ctx context.Context, o Operator, p url.Values, told func(string)) error {
			return o.Cleanup(ctx, p.Get("keyspace"), told)
		}}
	case "truncatehints":
		return &endpoint{parameters: id, act: func(ctx context.Context, o Operator, p url.Values, _ func(string)) error {
			return o.TruncateHints(ctx, p.Get("id"))
		}}
	case "compact":
		return &endpoint{parameters: []string{"keyspace", "table"}, act: func(ctx context.Context, o Operator, p url.Values, told func(string)) error {
			if p.Get("keyspace") == "" && p.Get("table") != "" {
				return fail(nethttp.StatusBadRequest, "a table needs its keyspace")
			}
			return o.Compact(ctx, p.Get("keyspace"), p.Get("table"), told)
		}}
	default:
		return nil
	}
}

// flag returns a parameter that is true or false, or missing.
func flag(p url.Values, name string) (bool, error) {
	switch value := p.Get(name); value {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	default:
		return false, fail(nethttp.StatusBadRequest, fmt.Sprintf("the parameter %s must be true or false, not %q", name, value))
	}
}

// ServeHTTP implements net/http.Handler.
func (s *Server) ServeHTTP(w nethttp.ResponseWriter, r *nethttp.Request) {
	control := nethttp.NewResponseController(w)
	if r.Body != nethttp.NoBody { // it is read even if the request is refused
		_ = control.SetReadDeadline(time.Now().Add(bodyTimeout)) // a connection that cannot have one is a test's
	}
	_ = control.SetWriteDeadline(time.Now().Add(writeTimeout))
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	defer func() {
		if problem := recover(); problem != nil {
			s.opts.Log.Error("a request of an operator has failed", "path", r.URL.Path, "problem", problem)
			panic(nethttp.ErrAbortHandler) // the client sees that the answer is cut off
		}
	}()
	if err := s.handle(w, r); err != nil {
		answerFailure(w, failureOf(r.Context(), err))
	}
}

// handle answers a request, unless it returns an error.
func (s *Server) handle(w nethttp.ResponseWriter, r *nethttp.Request) error {
	switch r.URL.Path {
	case "/healthz":
		return health(w, r, nil)
	case "/readyz":
		return health(w, r, s.operator.Ready())
	}
	if err := s.checkHost(r); err != nil {
		return err
	}
	role, err := s.login(r)
	if err != nil {
		s.refusals.log(s.opts.Log, r, err)
		return err
	}
	name, ok := strings.CutPrefix(r.URL.Path, prefix)
	e := endpointOf(name)
	if !ok || e == nil {
		return fail(nethttp.StatusNotFound, "there is nothing at "+r.URL.Path)
	}
	if err := e.checkMethod(r); err != nil {
		return err
	}
	if e.act != nil {
		if err := checkAction(r); err != nil {
			return err
		}
	}
	p, err := e.parse(r.URL.RawQuery)
	if err != nil {
		return err
	}
	if e.act == nil {
		return s.ask(w, e, p)
	}
	if err := readBody(w, r); err != nil {
		return err
	}
	s.opts.Log.Info("an operator has asked for an action", "action", name, "parameters", p.Encode(), "address", r.RemoteAddr, "role", role)
	return s.act(w, r, e, p)
}

// health answers whether all is well, without the reason if it is not: who asks is not known.
func health(w nethttp.ResponseWriter, r *nethttp.Request, problem error) error {
	if err := (&endpoint{}).checkMethod(r); err != nil {
		return err
	}
	if problem != nil {
		return fail(nethttp.StatusServiceUnavailable, "the node takes no clients now")
	}
	return answer(w, nethttp.StatusOK, Line{Done: true})
}

func (e *endpoint) checkMethod(r *nethttp.Request) error {
	allowed := []string{nethttp.MethodGet, nethttp.MethodHead}
	if e.act != nil {
		allowed = []string{nethttp.MethodPost}
	}
	if slices.Contains(allowed, r.Method) {
		return nil
	}
	list := strings.Join(allowed, ", ")
	return &failure{nethttp.StatusMethodNotAllowed, "the method must be " + list, nethttp.Header{"Allow": {list}}}
}

// parse reads parameters. An empty one is as none: what is meant for one node or keyspace must not happen to all of them
// because a script's variable is empty.
func (e *endpoint) parse(query string) (url.Values, error) {
	p, err := url.ParseQuery(query)
	if err != nil {
		return nil, fail(nethttp.StatusBadRequest, "the parameters cannot be read: "+err.Error())
	}
	for name, values := range p {
		if !slices.Contains(e.parameters, name) {
			return nil, fail(nethttp.StatusBadRequest, fmt.Sprintf("there is no parameter %q here", name))
		}
		if len(values) > 1 || values[0] == "" {
			return nil, fail(nethttp.StatusBadRequest, fmt.Sprintf("the parameter %s must have one value", name))
		}
	}
	for _, name := range e.required {
		if !p.Has(name) {
			return nil, fail(nethttp.StatusBadRequest, "the parameter "+name+" is missing")
		}
	}
	return p, nil
}

func (s *Server) ask(w nethttp.ResponseWriter, e *endpoint, p url.Values) error {
	v, err := e.ask(s.operator, p)
	if err != nil {
		return err
	}
	return answer(w, nethttp.StatusOK, v)
}

// answer writes an answer, unless it returns an error.
func answer(w nethttp.ResponseWriter, status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // if the client is gone, nobody can be told
	return nil
}

func answerFailure(w nethttp.ResponseWriter, f *failure) {
	for name, values := range f.header {
		w.Header()[name] = values
	}
	_ = answer(w, f.status, Line{Error: f.reason}) // a Line can be marshaled
}
