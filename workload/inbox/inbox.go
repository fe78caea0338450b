// Package inbox is Ilium's main job, the inbox search of the 2009 Cassandra paper (section 6.1), as
// a program that uses the database: it loads mail, searches it, checks the answers against a plain
// scan of the mail, and measures. The database is a node in the process or a server of the CQL native
// protocol; see package client.
//
// Each user's mail is one partition in each of three tables: the messages; an index of words, for
// "all messages with these words"; and an index of correspondents, for "all messages exchanged
// with this person". Both indexes are ordered newest first, so that the first page of an answer is
// the first page of a slice.
package inbox

import (
	"context"
	"fmt"
	"time"

	"github.com/iliumdb/ilium/workload/client"
)

// Keyspace is where the workload keeps its tables.
const Keyspace = "inbox"

// schema creates the tables, unless they exist.
func schema(replicas int) []string {
	return []string{
		fmt.Sprintf(`CREATE KEYSPACE IF NOT EXISTS inbox WITH replication = {'class': 'SimpleStrategy', 'replication_factor': %d}`, replicas),
		`CREATE TABLE IF NOT EXISTS inbox.messages (
			user_id text, message_id text, sent_at timestamp, sender text, recipients frozen<list<text>>, cc frozen<list<text>>,
			subject text, body text, folder text,
			PRIMARY KEY ((user_id), message_id))`,
		`CREATE TABLE IF NOT EXISTS inbox.term_index (
			user_id text, word text, sent_at timestamp, message_id text,
			PRIMARY KEY ((user_id), word, sent_at, message_id))
			WITH CLUSTERING ORDER BY (word ASC, sent_at DESC, message_id ASC)`,
		`CREATE TABLE IF NOT EXISTS inbox.interactions (
			user_id text, peer text, sent_at timestamp, message_id text,
			PRIMARY KEY ((user_id), peer, sent_at, message_id))
			WITH CLUSTERING ORDER BY (peer ASC, sent_at DESC, message_id ASC)`,
		`CREATE TABLE IF NOT EXISTS inbox.load_progress (
			source text PRIMARY KEY, path text, position bigint, complete boolean, updated timestamp)`,
	}
}

// An Inbox is the workload on one database. It is safe for concurrent use.
type Inbox struct {
	database client.Database

	addMessage, addTerm, addInteraction client.Statement
	saveProgress, readProgress          client.Statement
	terms, termsUntil                   client.Statement
	interactions, interactionsUntil     client.Statement
	message                             client.Statement
}

// Open creates the tables if they are missing, with so many replicas, and prepares the statements.
func Open(ctx context.Context, database client.Database, replicas int) (*Inbox, error) {
	for _, ddl := range schema(replicas) {
		if err := database.Exec(ctx, ddl); err != nil {
			return nil, fmt.Errorf("creating the tables: %w", err)
		}
	}
	in := &Inbox{database: database}
	for _, p := range []struct {
		into *client.Statement
		text string
	}{
		{&in.addMessage, `INSERT INTO inbox.messages (user_id, message_id, sent_at, sender, recipients, cc, subject, body, folder)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`},
		{&in.addTerm, `INSERT INTO inbox.term_index (user_id, word, sent_at, message_id) VALUES (?, ?, ?, ?)`},
		{&in.addInteraction, `INSERT INTO inbox.interactions (user_id, peer, sent_at, message_id) VALUES (?, ?, ?, ?)`},
		{&in.saveProgress, `INSERT INTO inbox.load_progress (source, path, position, complete, updated) VALUES (?, ?, ?, ?, ?)`},
		{&in.readProgress, `SELECT position, complete FROM inbox.load_progress WHERE source = ?`},
		{&in.terms, `SELECT sent_at, message_id FROM inbox.term_index WHERE user_id = ? AND word = ?`},
		{&in.termsUntil, `SELECT sent_at, message_id FROM inbox.term_index WHERE user_id = ? AND word = ? AND sent_at <= ?`},
		{&in.interactions, `SELECT sent_at, message_id FROM inbox.interactions WHERE user_id = ? AND peer = ?`},
		{&in.interactionsUntil, `SELECT sent_at, message_id FROM inbox.interactions WHERE user_id = ? AND peer = ? AND sent_at <= ?`},
		{&in.message, `SELECT sender, recipients, subject, folder FROM inbox.messages WHERE user_id = ? AND message_id = ?`},
	} {
		st, err := database.Prepare(ctx, p.text)
		if err != nil {
			return nil, fmt.Errorf("preparing %s: %w", p.text, err)
		}
		*p.into = st
	}
	return in, nil
}

// A Hit is one message in an answer.
type Hit struct {
	SentAt    time.Time
	MessageID string
}

// before reports whether h comes before other in an answer: newest first, then by id.
func (h Hit) before(other Hit) bool {
	if !h.SentAt.Equal(other.SentAt) {
		return h.SentAt.After(other.SentAt)
	}
	return h.MessageID < other.MessageID
}

func (h Hit) equal(other Hit) bool {
	return h.SentAt.Equal(other.SentAt) && h.MessageID == other.MessageID
}

// A Summary is what is shown of a message in a list.
type Summary struct {
	Hit
	Sender          string
	Recipients      []string
	Subject, Folder string
}

// Summarize looks up the messages of an answer.
func (in *Inbox) Summarize(ctx context.Context, user string, hits []Hit) ([]Summary, error) {
	out := make([]Summary, 0, len(hits))
	for _, h := range hits {
		s := Summary{Hit: h}
		if err := client.One(in.message.Query(ctx, 0, user, h.MessageID), &s.Sender, &s.Recipients, &s.Subject, &s.Folder); err != nil {
			return nil, fmt.Errorf("message %s of %s: %w", h.MessageID, user, err)
		}
		out = append(out, s)
	}
	return out, nil
}
