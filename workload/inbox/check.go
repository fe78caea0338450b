package inbox

import (
	"context"
	"fmt"
)

// CheckOptions tunes Check. Zero fields take the default.
type CheckOptions struct {
	Words, Peers int // how many words and correspondents to search for; default 2,000 each
	Seed         uint64
}

func (o CheckOptions) withDefaults() CheckOptions {
	if o.Words == 0 {
		o.Words = 2000
	}
	if o.Peers == 0 {
		o.Peers = 2000
	}
	return o
}

// A CheckResult counts what Check compared.
type CheckResult struct {
	Searches int
	Hits     int // messages in all answers
}

// A Difference is an answer that is not what a plain scan of the mail gives.
type Difference struct {
	User  string
	Words []string
	Peer  string
	Text  string // what differs
}

// newDifference returns one in the answer to questions of one user, its text still missing.
func newDifference(questions ...question) *Difference {
	d := &Difference{User: questions[0].user}
	for _, q := range questions {
		if q.peer {
			d.Peer = q.key
		} else {
			d.Words = append(d.Words, q.key)
		}
	}
	return d
}

func (d *Difference) Error() string {
	what := fmt.Sprintf("words %q", d.Words)
	if d.Peer != "" {
		what = "correspondent " + d.Peer
	}
	return fmt.Sprintf("user %s, %s: %s", d.User, what, d.Text)
}

// Check searches for a sample of words, pairs of words and correspondents, and compares every
// answer, page by page, with a plain scan of the source. It fails with a *Difference at the first
// one, and if the source was not loaded to its end.
func (in *Inbox) Check(ctx context.Context, source Source, opts CheckOptions) (CheckResult, error) {
	var result CheckResult
	if opts.Words < 0 || opts.Peers < 0 {
		return result, fmt.Errorf("the number of words or correspondents is negative: %d, %d", opts.Words, opts.Peers)
	}
	opts = opts.withDefaults()
	if _, complete, err := in.progress(ctx, source); err != nil || !complete {
		if err == nil {
			err = fmt.Errorf("the mail was not loaded to its end: run load first")
		}
		return result, err
	}
	sample, err := takeSample(source, sampleOptions{words: opts.Words, peers: opts.Peers, seed: opts.Seed})
	if err != nil {
		return result, err
	}
	var before question
	for _, q := range sample.order {
		if err := in.checkOne(ctx, []question{q}, sample.answers[q], &result); err != nil {
			return result, err
		}
		if !q.peer && !before.peer && before.user == q.user && before.key != "" {
			both := common(sample.answers[before], sample.answers[q])
			if err := in.checkOne(ctx, []question{before, q}, both, &result); err != nil {
				return result, err
			}
		}
		before = q
	}
	return result, nil
}

// common returns the hits in both lists.
func common(a, b []Hit) []Hit {
	in := make(map[Hit]bool, len(a))
	for _, h := range a {
		in[h] = true
	}
	var out []Hit
	for _, h := range b {
		if in[h] {
			out = append(out, h)
		}
	}
	return out
}

// checkOne searches for all questions at once and compares the answer, in pages of several sizes.
func (in *Inbox) checkOne(ctx context.Context, questions []question, want []Hit, result *CheckResult) error {
	d := newDifference(questions...)
	result.Searches++
	pages := []int{20, 7, 150}
	var after *Hit
	for at, page := 0, 0; ; page++ {
		limit := pages[page%len(pages)]
		var got []Hit
		var err error
		if d.Peer != "" {
			got, err = in.With(ctx, d.User, d.Peer, limit, after)
		} else {
			got, err = in.Terms(ctx, d.User, d.Words, limit, after)
		}
		if err != nil {
			return err
		}
		for i, h := range got {
			if at+i >= len(want) {
				d.Text = fmt.Sprintf("hit %d is %s of %s; the mail has only %d", at+i+1, h.MessageID, h.SentAt, len(want))
				return d
			}
			if !h.equal(want[at+i]) {
				d.Text = fmt.Sprintf("hit %d is %s of %s; in the mail it is %s of %s",
					at+i+1, h.MessageID, h.SentAt, want[at+i].MessageID, want[at+i].SentAt)
				return d
			}
		}
		at += len(got)
		result.Hits += len(got)
		if len(got) < limit {
			if at < len(want) {
				d.Text = fmt.Sprintf("the answer ends after %d hits; the mail has %d", at, len(want))
				return d
			}
			return nil
		}
		after = &got[len(got)-1]
	}
}
