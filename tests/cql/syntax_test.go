package cql

import (
	"context"
	"errors"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/iliumdb/ilium/grammar"
)

// TestSyntax runs every script against the parser alone: it has to refuse what the scripts expect to be syntax errors,
// in the words they expect, and nothing else.
func TestSyntax(t *testing.T) {
	if peerAddress() != "" {
		t.Skip("this is about Ilium")
	}
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		Run(t, path, parser{}, Options{Keyspace: "h_cql"})
	})
}

// parser is a Target that knows syntax errors only.
type parser struct{}

func (parser) Exec(_ context.Context, s Statement) (Result, error) {
	_, err := grammar.Parse(s.Text)
	if refused, ok := errors.AsType[*grammar.SyntaxError](err); ok {
		return Result{}, &Error{Kind: "syntax", Message: refused.Error(), Preparing: s.Prepare}
	}
	return Result{}, errors.Join(err, ErrUnknown)
}
