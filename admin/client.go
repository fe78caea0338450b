package admin

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/iliumdb/ilium/wire/http"
)

const (
	dialTimeout = 10 * time.Second
	// askTimeout is how long a node may take for a question. Actions may take forever.
	askTimeout = time.Minute
	maxAnswer  = 256 << 20
)

// A StatusError is an answer by which a node refuses what it was asked for.
type StatusError struct {
	Status int // one of net/http
	Reason string
}

func (e *StatusError) Error() string { return e.Reason }

// A client asks one node.
type client struct {
	base               url.URL
	username, password string
	http               *nethttp.Client
}

// do sends a request. The answer has the status 200.
func (c *client) do(ctx context.Context, method, name string, parameters url.Values) (*nethttp.Response, error) {
	target := c.base
	target.Path, target.RawQuery = "/api/v1/"+name, parameters.Encode()
	r, err := nethttp.NewRequestWithContext(ctx, method, target.String(), nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	if c.username != "" {
		r.SetBasicAuth(c.username, c.password)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, c.explain(err)
	}
	if answer.StatusCode == nethttp.StatusOK {
		return answer, nil
	}
	defer answer.Body.Close()
	return nil, refusal(answer)
}

// refusal reads an answer that is not 200.
func refusal(answer *nethttp.Response) error {
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	var line http.Line
	switch {
	case err != nil:
		return err
	case json.Unmarshal(body, &line) != nil || line.Error == "":
		return &StatusError{answer.StatusCode, "it answers " + answer.Status + ", as no node of Ilium does"}
	case answer.StatusCode == nethttp.StatusUnauthorized:
		line.Error += "; see --username and --password-file"
	}
	return &StatusError{answer.StatusCode, line.Error}
}

// explain says what usually is the reason if a node cannot be reached.
func (c *client) explain(err error) error {
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nobody listens at %s: does the node run, with the setting http_port, and is it the one of --host and --http-port? (%w)", c.base.Host, err)
	case errors.Is(err, io.EOF), strings.Contains(err.Error(), "HTTP response to HTTPS"):
		return fmt.Errorf("the node at %s has hung up: perhaps only one side uses TLS, see --tls (%w)", c.base.Host, err)
	default:
		return fmt.Errorf("asking %s: %w", c.base.Host, err)
	}
}

// ask returns the answer to a question.
func (c *client) ask(ctx context.Context, name string, parameters url.Values) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	answer, err := c.do(ctx, nethttp.MethodGet, name, parameters)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("asking %s: %w", c.base.Host, err)
	}
	return body, nil
}

// errCutOff says that an answer to an action has no end.
var errCutOff = errors.New("the connection to the node has ended before the action was complete: its outcome is not known")

// act has an action carried out. each gets the lines of the answer, and each of them as it has come.
func (c *client) act(ctx context.Context, name string, parameters url.Values, each func(line http.Line, raw []byte) error) error {
	answer, err := c.do(ctx, nethttp.MethodPost, name, parameters)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		var line http.Line
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return errCutOff
		}
		if err := each(line, lines.Bytes()); err != nil {
			return err
		}
		if line.Error != "" {
			return errors.New(line.Error)
		}
		if line.Done {
			return nil
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return errCutOff
}

func newHTTP(transport *nethttp.Transport) *nethttp.Client {
	transport.DialContext = (&net.Dialer{Timeout: dialTimeout}).DialContext
	transport.TLSHandshakeTimeout = dialTimeout
	transport.DisableKeepAlives = true // a command asks once
	return &nethttp.Client{
		Transport:     transport, // without a proxy: nodes are asked directly
		CheckRedirect: func(*nethttp.Request, []*nethttp.Request) error { return nethttp.ErrUseLastResponse },
	}
}
