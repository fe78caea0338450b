package http

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	nethttp "net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/iliumdb/ilium/auth"
)

// A failure is an answer that is no success.
type failure struct {
	status int
	reason string
	header nethttp.Header // in addition
}

func (f *failure) Error() string { return f.reason }

func fail(status int, reason string) *failure { return &failure{status: status, reason: reason} }

// failureOf returns how an error is answered.
func failureOf(ctx context.Context, err error) *failure {
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return fail(nethttp.StatusServiceUnavailable, context.Cause(ctx).Error())
	}
	if r, ok := errors.AsType[*RefusedError](err); ok {
		return fail(r.Status, err.Error())
	}
	return fail(nethttp.StatusInternalServerError, err.Error())
}

// checkHost refuses requests that are meant for a host of somebody else, see the package comment.
func (s *Server) checkHost(r *nethttp.Request) error {
	if s.opts.Login != nil || s.opts.TLS != nil {
		return nil
	}
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = strings.TrimSuffix(strings.TrimPrefix(r.Host, "["), "]")
	}
	host = strings.TrimSuffix(host, ".")
	if _, err := netip.ParseAddr(host); err == nil || strings.EqualFold(host, "localhost") {
		return nil
	}
	if slices.ContainsFunc(s.opts.Hosts, func(name string) bool { return strings.EqualFold(name, host) }) {
		return nil
	}
	return fail(nethttp.StatusForbidden, "the request is for the host "+strconv.Quote(host)+", which is not http_address")
}

// login returns the role that a request is made by, empty if nobody is asked.
func (s *Server) login(r *nethttp.Request) (role string, err error) {
	if s.opts.Login == nil {
		return "", nil
	}
	name, password, ok := r.BasicAuth()
	if !ok {
		return "", unauthorized("name and password of a role are needed (basic authentication)")
	}
	name, password, err = auth.DecodePlain([]byte("\x00" + name + "\x00" + password))
	if err != nil {
		return "", unauthorized(err.Error())
	}
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return "", err
	}
	err = s.opts.Login(r.Context(), from.Addr(), name, password)
	if wait, ok := errors.AsType[*auth.WaitError](err); ok {
		seconds := int64((wait.Wait + time.Second - 1) / time.Second)
		return "", &failure{nethttp.StatusTooManyRequests, err.Error(), nethttp.Header{"Retry-After": {strconv.FormatInt(seconds, 10)}}}
	}
	if wrong, ok := errors.AsType[*auth.WrongPasswordError](err); ok {
		return "", unauthorized(wrong.Error())
	}
	return name, err
}

func unauthorized(reason string) *failure {
	return &failure{nethttp.StatusUnauthorized, reason, nethttp.Header{"Www-Authenticate": {`Basic realm="ilium", charset="UTF-8"`}}}
}

// checkAction refuses actions that a web page of others may have sent.
func checkAction(r *nethttp.Request) error {
	if err := nethttp.NewCrossOriginProtection().Check(r); err != nil {
		return fail(nethttp.StatusForbidden, "a page of another origin has sent the request")
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return fail(nethttp.StatusUnsupportedMediaType, "an action needs the header Content-Type: application/json")
	}
	return nil
}

// readBody reads the body of an action, in which nothing may be said.
func readBody(w nethttp.ResponseWriter, r *nethttp.Request) error {
	body, err := io.ReadAll(nethttp.MaxBytesReader(w, r.Body, maxBody))
	if _, large := errors.AsType[*nethttp.MaxBytesError](err); large {
		return fail(nethttp.StatusRequestEntityTooLarge, "the body is larger than "+strconv.Itoa(maxBody)+" bytes")
	}
	if err != nil {
		return fail(nethttp.StatusBadRequest, "the body cannot be read")
	}
	var fields map[string]json.RawMessage
	if text := strings.TrimSpace(string(body)); text != "" && (json.Unmarshal(body, &fields) != nil || len(fields) > 0) {
		return fail(nethttp.StatusBadRequest, "the body must be empty or {}: what an action needs is in its URL")
	}
	return nil
}
