package inbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/iliumdb/ilium/workload/client"
	"github.com/iliumdb/ilium/workload/mail"
)

// A Source gives the messages to load: a *mail.Source or a *mail.Generator.
type Source interface {
	Next() (*mail.Message, error) // io.EOF at the end, *mail.MessageError for one that is passed over
	Skip(n int64) error
	Position() int64
	Size() int64
	Offset() int64
	Fingerprint() string
}

// LoadOptions tunes Load. Zero fields take the default.
type LoadOptions struct {
	Path     string           // where the source is, to be remembered with its progress
	Workers  int              // messages written at the same time; default 16
	Batch    int              // bytes of a batch of rows, roughly; default 96 KiB; below 0: no batches, each row by itself
	Progress func(p Progress) // called about once a second, and at the end
	Damaged  func(error)      // called for every message that is passed over
}

// Progress says how far a load has come.
type Progress struct {
	Messages, Terms, Interactions int64 // written by this run
	Skipped                       int64 // found loaded by an earlier run
	Damaged                       int64 // passed over
	Offset, Size                  int64 // of the source
	Elapsed                       time.Duration
}

// Postings returns how many index entries were written.
func (p *Progress) Postings() int64 { return p.Terms + p.Interactions }

const checkpointEvery = time.Second

// A loader is one run of Load.
type loader struct {
	inbox *Inbox
	opts  LoadOptions
	begun time.Time

	messages, terms, interactions, damaged, offset atomic.Int64
	skipped                                        int64

	mu   sync.Mutex
	base int64          // all messages before this position are written
	done map[int64]bool // and these behind it
}

type job struct {
	position int64
	message  *mail.Message
}

// Load writes all messages of source to the tables. A run that was interrupted is continued: its
// progress is kept in the database, under the fingerprint of the source. Writing a message again
// changes nothing, so the few that were written behind the last checkpoint do not matter.
func (in *Inbox) Load(ctx context.Context, source Source, opts LoadOptions) (Progress, error) {
	if opts.Workers < 0 {
		return Progress{}, fmt.Errorf("the number of workers is negative: %d", opts.Workers)
	}
	if opts.Workers == 0 {
		opts.Workers = 16
	}
	if opts.Batch == 0 {
		opts.Batch = batchBytes
	}
	l := &loader{inbox: in, opts: opts, begun: time.Now(), done: make(map[int64]bool)}
	position, complete, err := in.progress(ctx, source)
	if err != nil {
		return Progress{}, err
	}
	l.skipped, l.base = position, position
	if complete {
		return l.progress(source), nil
	}
	if err := source.Skip(position); err != nil {
		return Progress{}, fmt.Errorf("skipping what is loaded: %w", err)
	}
	err = l.run(ctx, source)
	p := l.progress(source)
	if err != nil {
		// The next run goes on from here. If this cannot be saved either, it writes a few messages again.
		_ = l.checkpoint(context.WithoutCancel(ctx), source, false)
		return p, err
	}
	if err := l.checkpoint(ctx, source, true); err != nil {
		return p, err
	}
	if opts.Progress != nil {
		opts.Progress(p)
	}
	return p, nil
}

// progress reads how far an earlier run has come.
func (in *Inbox) progress(ctx context.Context, source Source) (position int64, complete bool, err error) {
	err = client.One(in.readProgress.Query(ctx, 0, source.Fingerprint()), &position, &complete)
	if errors.Is(err, client.ErrNotFound) {
		return 0, false, nil
	}
	return position, complete, err
}

// run reads the source and lets the workers write, until the end or the first error.
func (l *loader) run(ctx context.Context, source Source) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	jobs := make(chan job, l.opts.Workers)
	var workers sync.WaitGroup
	for range l.opts.Workers {
		workers.Go(func() {
			if err := l.work(ctx, jobs); err != nil {
				cancel(err)
			}
		})
	}
	var ticker sync.WaitGroup
	stop := make(chan struct{})
	ticker.Go(func() { l.tick(ctx, source, stop, cancel) })
	err := l.read(ctx, source, jobs)
	close(jobs)
	workers.Wait()
	close(stop)
	ticker.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// read hands the messages to the workers.
func (l *loader) read(ctx context.Context, source Source, jobs chan<- job) error {
	for {
		position := source.Position()
		m, err := source.Next()
		l.offset.Store(source.Offset())
		var damaged *mail.MessageError
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &damaged):
			l.damaged.Add(1)
			if l.opts.Damaged != nil {
				l.opts.Damaged(err)
			}
			l.finished(position)
			continue
		case err != nil:
			return err
		}
		select {
		case jobs <- job{position, m}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (l *loader) work(ctx context.Context, jobs <-chan job) error {
	w := writer{batch: l.inbox.database.Batch(), limit: l.opts.Batch}
	for j := range jobs {
		if ctx.Err() != nil {
			return nil // somebody else has failed
		}
		if err := l.write(ctx, &w, j.message); err != nil {
			return fmt.Errorf("writing message %s of %s: %w", j.message.ID, j.message.User, err)
		}
		l.finished(j.position)
	}
	return nil
}

// write stores one message with its index entries.
func (l *loader) write(ctx context.Context, w *writer, m *mail.Message) error {
	in := l.inbox
	words := mail.DistinctWords(m.Subject, m.Body)
	for _, word := range words {
		if err := w.add(ctx, len(m.User)+len(word)+len(m.ID), in.addTerm, m.User, word, m.Date, m.ID); err != nil {
			return err
		}
	}
	peers := mail.Correspondents(m)
	for _, peer := range peers {
		if err := w.add(ctx, len(m.User)+len(peer)+len(m.ID), in.addInteraction, m.User, peer, m.Date, m.ID); err != nil {
			return err
		}
	}
	err := w.add(ctx, messageSize(m), in.addMessage, m.User, m.ID, m.Date, m.From,
		in.given(m.To), in.given(m.CC), m.Subject, m.Body, m.Folder)
	if err != nil {
		return err
	}
	if err := w.flush(ctx); err != nil {
		return err
	}
	l.messages.Add(1)
	l.terms.Add(int64(len(words)))
	l.interactions.Add(int64(len(peers)))
	return nil
}

// messageSize returns the bytes in a message.
func messageSize(m *mail.Message) int {
	n := len(m.User) + len(m.ID) + len(m.From) + len(m.Subject) + len(m.Body) + len(m.Folder)
	for _, addresses := range [][]string{m.To, m.CC} {
		for _, a := range addresses {
			n += len(a)
		}
	}
	return n
}

// A writer collects rows into batches.
type writer struct {
	batch client.Batch
	size  int // of the batch, roughly, in bytes
	limit int // of the size; below 0 there are no batches
}

const (
	batchBytes  = 96 << 10 // below where the node warns of a batch, by default
	rowOverhead = 48       // what a row takes besides its values, in bytes
)

// add adds a row with values of size bytes. If that would make the batch too large, what is there
// is written first: only a single row may be larger than a batch.
func (w *writer) add(ctx context.Context, size int, insert client.Statement, values ...any) error {
	if w.limit < 0 {
		return insert.Exec(ctx, values...)
	}
	size += rowOverhead
	if w.size > 0 && w.size+size > w.limit {
		if err := w.flush(ctx); err != nil {
			return err
		}
	}
	w.batch.Add(insert, values...)
	w.size += size
	return nil
}

// flush writes the batch.
func (w *writer) flush(ctx context.Context) error {
	if w.size == 0 {
		return nil
	}
	w.size = 0
	return w.batch.Exec(ctx)
}

// given returns addresses to be written. To write none would be to delete those that are there, which are none.
func (in *Inbox) given(addresses []string) any {
	if len(addresses) == 0 {
		return in.database.Unset()
	}
	return addresses
}

// finished notes that the message at a position is done with.
func (l *loader) finished(position int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done[position] = true
	for l.done[l.base] {
		delete(l.done, l.base)
		l.base++
	}
}

// tick saves and reports the progress about once a second.
func (l *loader) tick(ctx context.Context, source Source, stop <-chan struct{}, fail context.CancelCauseFunc) {
	t := time.NewTicker(checkpointEvery)
	defer t.Stop()
	for {
		select {
		case <-stop:
			return
		case <-t.C:
		}
		if err := l.checkpoint(ctx, source, false); err != nil {
			fail(fmt.Errorf("saving the progress: %w", err))
			return
		}
		if l.opts.Progress != nil {
			l.opts.Progress(l.progress(source))
		}
	}
}

func (l *loader) checkpoint(ctx context.Context, source Source, complete bool) error {
	l.mu.Lock()
	base := l.base
	l.mu.Unlock()
	return l.inbox.saveProgress.Exec(ctx, source.Fingerprint(), l.opts.Path, base, complete, time.Now())
}

func (l *loader) progress(source Source) Progress {
	return Progress{Messages: l.messages.Load(), Terms: l.terms.Load(), Interactions: l.interactions.Load(),
		Skipped: l.skipped, Damaged: l.damaged.Load(), Offset: l.offset.Load(), Size: source.Size(), Elapsed: time.Since(l.begun)}
}
