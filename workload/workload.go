// Package workload holds the programs that use a database as its users do: they load, check and
// measure. There are two, the inbox search and key-value rows. Both use a node embedded in the process
// or, with --hosts, servers of the CQL native protocol, Ilium's or others.
package workload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/iliumdb/ilium/node"
	"github.com/iliumdb/ilium/workload/client"
	"github.com/iliumdb/ilium/workload/inbox"
	"github.com/iliumdb/ilium/workload/mail"
)

// Start opens a node embedded in the process.
type Start func(context.Context) (*node.Node, error)

// Command returns `ilium workload`. start opens the node that the command's settings describe.
func Command(start Start) *cobra.Command {
	c := &cobra.Command{Use: "workload", Short: "Load, check and measure"}
	c.AddCommand(inboxCommand(start), kvCommand(start))
	return c
}

// mailFlags say which mail a command reads.
type mailFlags struct {
	data, user string
}

func (f *mailFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.data, "data", "", "mail to read: JSON lines, mbox, Maildir (gzip allowed), or a directory of them")
	c.Flags().StringVar(&f.user, "user", "", "owner of mbox and Maildir mail (default: from the file's name)")
	_ = c.MarkFlagRequired("data") // the flag exists
}

// maxMessage is the largest message that is loaded, in bytes. A row holds it whole.
const maxMessage = 8 << 20

func (f *mailFlags) open() (*mail.Source, error) {
	return mail.Open(f.data, mail.Options{User: f.user, MaxMessageBytes: maxMessage})
}

func inboxCommand(start Start) *cobra.Command {
	c := &cobra.Command{Use: "inbox", Short: "The inbox search of the 2009 Cassandra paper"}
	c.AddCommand(loadCommand(start), searchCommand(start), checkCommand(start), measureCommand(start), generateCommand())
	return c
}

// withInbox runs a command on the inbox of a database.
func withInbox(c *cobra.Command, start Start, where *where, run func(*inbox.Inbox) error) error {
	return where.with(c, start, func(database client.Database) error {
		in, err := inbox.Open(c.Context(), database, where.replicas)
		if err != nil {
			return err
		}
		return run(in)
	})
}

func loadCommand(start Start) *cobra.Command {
	var mails mailFlags
	var where where
	var workers, batch int
	var compact bool
	c := &cobra.Command{
		Use:   "load",
		Short: "Load mail; a run that was interrupted is continued",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			source, err := mails.open()
			if err != nil {
				return err
			}
			defer source.Close()
			if compact && where.remote() {
				return errors.New("--compact is for the embedded node; servers have commands of their own for it")
			}
			return withInbox(c, start, &where, func(in *inbox.Inbox) error {
				for _, ignored := range source.Ignored() {
					fmt.Fprintln(c.ErrOrStderr(), "ignored:", ignored)
				}
				out := newReporter(c.ErrOrStderr())
				p, err := in.Load(c.Context(), source, inbox.LoadOptions{Path: mails.data, Workers: workers, Batch: batchSize(batch, where.remote()),
					Progress: out.progress, Damaged: out.damaged})
				out.end()
				if errors.Is(err, context.Canceled) {
					return errors.New("interrupted; run the same command again to continue")
				}
				if err != nil {
					return err
				}
				report(c.OutOrStdout(), &p)
				if !compact {
					return nil
				}
				return compactAll(c.Context(), where.node, c.OutOrStdout())
			})
		},
	}
	mails.add(c)
	where.add(c)
	c.Flags().IntVar(&workers, "workers", 0, "messages written at the same time (default 16)")
	c.Flags().IntVar(&batch, "batch", -1, "bytes of a batch of rows, roughly; 0: no batches (default 98304, and 0 with --hosts)")
	c.Flags().BoolVar(&compact, "compact", false, "bring the tables into their compact form before ending")
	return c
}

// batchSize translates --batch for inbox.LoadOptions, whose 0 is the default.
func batchSize(flag int, remote bool) int {
	if flag == 0 || flag < 0 && remote {
		return -1
	}
	return max(flag, 0)
}

func report(w io.Writer, p *inbox.Progress) {
	fmt.Fprintf(w, "loaded %d messages: %d term postings, %d interaction postings in %.1f s (%.0f postings/s)\n",
		p.Messages, p.Terms, p.Interactions, p.Elapsed.Seconds(), float64(p.Postings())/max(p.Elapsed.Seconds(), 1e-9))
	if p.Skipped > 0 {
		fmt.Fprintf(w, "%d messages had been loaded before\n", p.Skipped)
	}
	if p.Damaged > 0 {
		fmt.Fprintf(w, "%d damaged messages were passed over\n", p.Damaged)
	}
}

func compactAll(ctx context.Context, n *node.Node, out io.Writer) error {
	begun := time.Now()
	for _, table := range []string{"messages", "term_index", "interactions", "load_progress"} {
		if err := n.Compact(ctx, inbox.Keyspace, table); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(out, "compacted in %.1f s\n", time.Since(begun).Seconds())
	return err
}

func searchCommand(start Start) *cobra.Command {
	var where where
	var with, page string
	var limit int
	c := &cobra.Command{
		Use:   "search USER [WORD...]",
		Short: "Search a user's mail for all words, or --with a correspondent; newest first",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			words := mail.Words(nil, strings.Join(args[1:], " "))
			if (with == "") == (len(words) == 0) {
				return errors.New("give either words to search for or --with ADDRESS")
			}
			if err := atLeastOne("limit", int64(limit)); err != nil {
				return err
			}
			after, err := parsePage(page)
			if err != nil {
				return err
			}
			return withInbox(c, start, &where, func(in *inbox.Inbox) error {
				begun := time.Now()
				var hits []inbox.Hit
				if with != "" {
					hits, err = in.With(c.Context(), args[0], strings.ToLower(with), limit, after)
				} else {
					hits, err = in.Terms(c.Context(), args[0], words, limit, after)
				}
				if err != nil {
					return err
				}
				took := time.Since(begun)
				list, err := in.Summarize(c.Context(), args[0], hits)
				if err != nil {
					return err
				}
				printHits(c.OutOrStdout(), list, took)
				if len(hits) == limit {
					fmt.Fprintf(c.OutOrStdout(), "next page: --page %s\n", printPage(hits[limit-1]))
				}
				return nil
			})
		},
	}
	where.add(c)
	c.Flags().StringVar(&with, "with", "", "address of a correspondent")
	c.Flags().IntVar(&limit, "limit", 20, "messages of a page")
	c.Flags().StringVar(&page, "page", "", "where to go on, as a search before has printed it")
	return c
}

func printHits(w io.Writer, list []inbox.Summary, took time.Duration) {
	for _, s := range list {
		fmt.Fprintf(w, "%s  %-32s  %s\n", s.SentAt.UTC().Format("2006-01-02 15:04"), s.Sender, s.Subject)
	}
	fmt.Fprintf(w, "%d messages in %.3f ms\n", len(list), float64(took.Nanoseconds())/1e6)
}

// printPage and parsePage write and read where a page ends: its last hit.
func printPage(h inbox.Hit) string {
	return h.SentAt.UTC().Format(time.RFC3339Nano) + "/" + h.MessageID
}

func parsePage(text string) (*inbox.Hit, error) {
	if text == "" {
		return nil, nil
	}
	date, id, ok := strings.Cut(text, "/")
	at, err := time.Parse(time.RFC3339Nano, date)
	if !ok || err != nil {
		return nil, fmt.Errorf("--page %q is not what a search has printed", text)
	}
	return &inbox.Hit{SentAt: at, MessageID: id}, nil
}

func checkCommand(start Start) *cobra.Command {
	var mails mailFlags
	var where where
	var opts inbox.CheckOptions
	c := &cobra.Command{
		Use:   "check",
		Short: "Compare answers with a plain scan of the mail; fail on any difference",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			source, err := mails.open()
			if err != nil {
				return err
			}
			defer source.Close()
			return withInbox(c, start, &where, func(in *inbox.Inbox) error {
				result, err := in.Check(c.Context(), source, opts)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(c.OutOrStdout(), "%d searches with %d hits: no difference\n", result.Searches, result.Hits)
				return err
			})
		},
	}
	mails.add(c)
	where.add(c)
	c.Flags().IntVar(&opts.Words, "words", 2000, "words to search for")
	c.Flags().IntVar(&opts.Peers, "peers", 2000, "correspondents to search for")
	c.Flags().Uint64Var(&opts.Seed, "seed", 1, "which ones: the same seed takes the same")
	return c
}

func measureCommand(start Start) *cobra.Command {
	var mails mailFlags
	var where where
	var opts inbox.MeasureOptions
	c := &cobra.Command{
		Use:   "measure",
		Short: "Measure both searches and print the paper's table",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			source, err := mails.open()
			if err != nil {
				return err
			}
			defer source.Close()
			return withInbox(c, start, &where, func(in *inbox.Inbox) error {
				m, err := in.Measure(c.Context(), source, opts)
				if err != nil {
					return err
				}
				return m.Write(c.OutOrStdout(), fmt.Sprintf("%d messages", source.Position()))
			})
		},
	}
	mails.add(c)
	where.add(c)
	c.Flags().IntVar(&opts.Searches, "searches", 20_000, "searches of each kind")
	c.Flags().IntVar(&opts.Limit, "limit", 20, "messages of a page")
	c.Flags().IntSliceVar(&opts.Workers, "workers", []int{1}, "how many search at the same time; all is measured for each of several numbers")
	c.Flags().Uint64Var(&opts.Seed, "seed", 1, "which searches: the same seed takes the same")
	return c
}

func generateCommand() *cobra.Command {
	var opts mail.GeneratorOptions
	var file string
	c := &cobra.Command{
		Use:   "generate",
		Short: "Write invented mail as JSON lines",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if err := checkMail(opts); err != nil {
				return err
			}
			out := c.OutOrStdout()
			if file != "" {
				f, err := os.Create(file)
				if err != nil {
					return err
				}
				defer func() { err = errors.Join(err, f.Close()) }()
				out = f
			}
			n, err := mail.WriteJSONL(out, mail.Generate(opts))
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.ErrOrStderr(), "wrote %d messages\n", n)
			return err
		},
	}
	c.Flags().Uint64Var(&opts.Seed, "seed", 1, "the same seed gives the same mail")
	c.Flags().Int64Var(&opts.Messages, "messages", 10_000, "how many messages")
	c.Flags().IntVar(&opts.Mailboxes, "mailboxes", 50, "how many mailboxes")
	c.Flags().StringVar(&file, "out", "", "file to write (default: standard output)")
	return c
}

// checkMail refuses numbers for which the generator would take its defaults.
func checkMail(opts mail.GeneratorOptions) error {
	return errors.Join(atLeastOne("messages", opts.Messages), atLeastOne("mailboxes", int64(opts.Mailboxes)))
}

func atLeastOne(flag string, n int64) error {
	if n < 1 {
		return fmt.Errorf("--%s must be at least 1", flag)
	}
	return nil
}

// A reporter shows the progress of a load: a bar on a terminal, else a line every few seconds.
type reporter struct {
	out      io.Writer
	terminal bool
	last     time.Time
}

func newReporter(out io.Writer) *reporter {
	f, ok := out.(*os.File)
	return &reporter{out: out, terminal: ok && term.IsTerminal(int(f.Fd()))}
}

const plainInterval = 5 * time.Second

func (r *reporter) progress(p inbox.Progress) {
	done := 0.0
	if p.Size > 0 {
		done = min(float64(p.Offset)/float64(p.Size), 1) // a file may grow
	}
	rate := float64(p.Postings()) / max(p.Elapsed.Seconds(), 1e-9)
	if r.terminal {
		const width = 40
		filled := int(done * width)
		fmt.Fprintf(r.out, "\r[%s%s] %3.0f %%  %d messages  %.0f postings/s ",
			strings.Repeat("#", filled), strings.Repeat(".", width-filled), done*100, p.Skipped+p.Messages, rate)
		return
	}
	if time.Since(r.last) >= plainInterval {
		r.last = time.Now()
		fmt.Fprintf(r.out, "%3.0f %%  %d messages  %d postings  %.0f postings/s\n", done*100, p.Skipped+p.Messages, p.Postings(), rate)
	}
}

func (r *reporter) damaged(err error) { fmt.Fprintf(r.out, "passed over: %v\n", err) }

func (r *reporter) end() {
	if r.terminal {
		fmt.Fprintln(r.out)
	}
}
