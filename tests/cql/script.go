package cql

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// ErrUnknown is returned by a Target that cannot tell what the answer to a statement is, but that the statement has no
// syntax error.
var ErrUnknown = errors.New("answer unknown")

// Options of Run.
type Options struct {
	// Keyspace is the name for the script's keyspace. It must be unlikely to occur in a script by itself.
	Keyspace string
	// Reference says that the target is a Cassandra: its outcomes are those of the directives, and not of ilium ones.
	Reference bool
}

// Run runs the script at path against target and reports every directive whose outcome is not the expected one. The
// keyspace is made before and left behind. With the flag -rewrite the script's outcomes are replaced instead: those
// that apply to the target if it is the reference, those of ilium directives otherwise.
func Run(t *testing.T, path string, target Target, opts Options) {
	t.Helper()
	s := &script{target: target, opts: opts}
	for _, text := range []string{
		"CREATE KEYSPACE " + opts.Keyspace + " WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
		"USE " + opts.Keyspace,
	} {
		if _, err := target.Exec(t.Context(), Statement{Text: text, Consistency: "ONE"}); err != nil && !errors.Is(err, ErrUnknown) {
			t.Fatalf("%s: %v", text, err)
		}
	}
	datadriven.RunTest(t, path, s.directive)
	if s.pending != nil {
		t.Errorf("%s: no ilium directive follows", s.pending.Pos)
	}
	for _, failure := range s.failures {
		t.Error(failure)
	}
	if len(s.failures) > 0 {
		t.Errorf("%d of %d directives differ", len(s.failures), s.count)
	}
}

// script is a script that is being run.
type script struct {
	target   Target
	opts     Options
	count    int
	failures []string

	pending *datadriven.TestData // the directive that differs, until its ilium directive comes
	actual  string               // the outcome of pending, empty if unknown
}

// directive runs one directive and returns what datadriven should find or write. Differences are collected, because
// datadriven would stop at the first.
func (s *script) directive(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	if (d.Cmd == "ilium") != (s.pending != nil) {
		d.Fatalf(t, "an ilium directive must follow one that differs, and nothing else")
	}
	s.count++
	if d.Cmd == "ilium" {
		return s.difference(t, d)
	}
	p, err := parseDirective(d, s.opts.Keyspace)
	if err != nil {
		d.Fatalf(t, "%v", err)
	}
	actual, err := p.run(t.Context(), s.target, s.opts.Keyspace)
	if errors.Is(err, ErrUnknown) {
		if strings.Contains(d.Expected, "error syntax: line ") && !p.differs {
			s.fail(d, "no syntax error")
		}
		actual, err = "", nil
	}
	if err != nil {
		d.Fatalf(t, "%v", err)
	}
	if p.differs {
		before := *d
		s.pending, s.actual = &before, actual
	}
	switch {
	case d.Rewrite && s.opts.Reference:
		return actual
	case actual != "" && actual != d.Expected && (s.opts.Reference || !p.differs) && !d.Rewrite:
		s.fail(d, actual)
	}
	return d.Expected
}

// difference runs an ilium directive: it has the outcome of the directive before it.
func (s *script) difference(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	before := s.pending
	s.pending = nil
	if d.Input == "" {
		d.Fatalf(t, "no reason given")
	}
	if s.opts.Reference || s.actual == "" {
		return d.Expected
	}
	switch {
	case s.actual == before.Expected:
		s.fail(d, "the outcome is no longer different")
	case d.Rewrite:
		return s.actual
	case s.actual != d.Expected:
		s.fail(d, s.actual)
	}
	return d.Expected
}

func (s *script) fail(d *datadriven.TestData, actual string) {
	s.failures = append(s.failures, fmt.Sprintf("%s: %s\n%s\nexpected:\n%sgot:\n%s",
		d.Pos, d.Cmd, shorten(d.Input, s.opts.Keyspace), d.Expected, actual))
}

// directive is a parsed directive.
type directive struct {
	statements   []Statement
	isSetup      bool
	times        int
	brief        bool
	printMarkers bool
	differs      bool
}

func parseDirective(d *datadriven.TestData, keyspace string) (*directive, error) {
	p := &directive{times: 1, isSetup: d.Cmd == "setup"}
	var base Statement
	base.Consistency = "ONE"
	for _, arg := range d.CmdArgs {
		value := ""
		if len(arg.Vals) == 1 {
			value = arg.Vals[0]
		}
		if err := p.argument(&base, arg.Key, value); err != nil {
			return nil, fmt.Errorf("argument %s: %w", arg.Key, err)
		}
	}
	input := expand(d.Input, keyspace)
	switch d.Cmd {
	case "exec":
		base.Text = input
		p.statements = []Statement{base}
		return p, nil
	case "setup":
		return p, p.setup(base, input)
	case "bind":
		return p, p.bind(base, input)
	}
	return nil, fmt.Errorf("unknown directive %s", d.Cmd)
}

func (p *directive) argument(base *Statement, key, value string) error {
	var err error
	var n int64
	switch key {
	case "page":
		base.PageSize, err = strconv.Atoi(value)
	case "cl":
		base.Consistency = value
	case "serial":
		base.Serial = value
	case "ts":
		n, err = strconv.ParseInt(value, 10, 64)
		base.Timestamp = &n
	case "now":
		n, err = strconv.ParseInt(value, 10, 32)
		base.Now = int32(n)
	case "times":
		p.times, err = strconv.Atoi(value)
	case "brief":
		p.brief = true
	case "markers":
		p.printMarkers = true
	case "differs":
		p.differs = true
	default:
		return errors.New("unknown")
	}
	return err
}

func (p *directive) setup(base Statement, input string) error {
	texts, err := splitStatements(input)
	for _, text := range texts {
		base.Text = text
		p.statements = append(p.statements, base)
	}
	return err
}

func (p *directive) bind(base Statement, input string) error {
	text, lines, ok := strings.Cut(input, ";\n")
	if !ok {
		return errors.New("no line with values after the statement")
	}
	base.Text, base.Prepare = text, true
	for line := range strings.SplitSeq(lines, "\n") {
		values, err := parseValues(line)
		if err != nil {
			return err
		}
		base.Values = values
		p.statements = append(p.statements, base)
	}
	return nil
}

// run runs the statements of the directive and returns the outcome. It returns an error if there is none.
func (p *directive) run(ctx context.Context, target Target, keyspace string) (string, error) {
	if p.isSetup {
		return p.runSetup(ctx, target, keyspace)
	}
	out := &printer{keyspace: keyspace, brief: p.brief}
	for i, statement := range p.statements {
		pages, err := allPages(ctx, target, statement)
		if refused, ok := errors.AsType[*Error](err); ok {
			out.error(refused)
			if refused.Preparing {
				break
			}
			continue
		}
		if err != nil {
			return "", err
		}
		if p.printMarkers && i == 0 {
			out.markers(pages[0])
		}
		out.pages(pages)
	}
	return out.String(), nil
}

func (p *directive) runSetup(ctx context.Context, target Target, keyspace string) (string, error) {
	for i := range p.times {
		for _, statement := range p.statements {
			if p.times > 1 {
				statement.Text = strings.ReplaceAll(statement.Text, "$i", strconv.Itoa(i))
			}
			if _, err := target.Exec(ctx, statement); err != nil {
				return "", fmt.Errorf("%s: %w", shorten(statement.Text, keyspace), err)
			}
		}
	}
	return "ok\n", nil
}

// maxPages is more than any script needs.
const maxPages = 20000

// allPages runs a statement and fetches all its pages.
func allPages(ctx context.Context, target Target, statement Statement) ([]Result, error) {
	var pages []Result
	for range maxPages {
		r, err := target.Exec(ctx, statement)
		if err != nil {
			return nil, err
		}
		pages = append(pages, r)
		if len(r.PagingState) == 0 {
			return pages, nil
		}
		statement.PagingState = r.PagingState
	}
	return nil, fmt.Errorf("more than %d pages", maxPages)
}
