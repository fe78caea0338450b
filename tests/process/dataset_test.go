package process

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"

	"github.com/iliumdb/ilium/node"
)

// The dataset is a table whose every answer is known: rows that were written, overwritten,
// deleted one by one and by range, and written again, partly compacted, with static columns and
// values so large that they are kept apart. Its roles are the loader, which makes it, and the
// reader, which asks for all of it in several ways and judges the answers.

const (
	dataPartitions = 24
	dataRows       = 150
	bigRow         = 140 // of every sixth partition
)

const createDataTable = `CREATE TABLE d.t (p int, c int, v text, s text static, PRIMARY KEY ((p), c))`

// dataVersion returns which phase wrote the row last, 0 for a row that is not there.
func dataVersion(p, c int) int {
	switch {
	case (p+c*3)%11 == 0:
		return 3
	case deletedAlone(p, c), deletedByRange(p, c):
		return 0
	case overwritten(p, c):
		return 2
	default:
		return 1
	}
}

func overwritten(p, c int) bool    { return (p*7+c)%3 == 0 }
func deletedAlone(p, c int) bool   { return (p+c)%5 == 0 }
func deletedByRange(p, c int) bool { return p%4 == 0 && c >= 60 && c < 70 }

// dataValue returns what a phase writes into a row. It differs from all others.
func dataValue(p, c, version int) string {
	random := rand.New(rand.NewPCG(uint64(p)<<32|uint64(c), uint64(version)))
	words := 10 + random.IntN(10)
	if c == bigRow && p%6 == 0 {
		words = 25_000
	}
	var value []byte
	for range words {
		value = binary.LittleEndian.AppendUint64(value, random.Uint64()&0x3f3f3f3f3f3f3f3f|0x4040404040404040) // ASCII
	}
	return string(value)
}

func dataStatic(p int) string { return fmt.Sprintf("static of %d", p) }

// loadData carries out all phases. between is called after each.
func loadData(ctx context.Context, n *node.Node, between func(phase int) (*node.Node, error)) error {
	for phase := 1; phase <= 3; phase++ {
		l := dataLoader{ctx: ctx, session: n.Session()}
		l.phase(phase)
		if l.err != nil {
			return l.err
		}
		var err error
		if n, err = between(phase); err != nil {
			return err
		}
	}
	return nil
}

type dataLoader struct {
	ctx     context.Context
	session *node.Session
	err     error
}

func (l *dataLoader) exec(text string, values ...any) {
	if l.err == nil {
		l.err = l.session.Query(text, values...).Exec(l.ctx)
	}
}

func (l *dataLoader) phase(phase int) {
	if phase == 1 {
		l.exec(`CREATE KEYSPACE d WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}`)
		l.exec(createDataTable)
	}
	for p := range dataPartitions {
		batch := l.session.Batch()
		for c := range dataRows {
			switch {
			case phase == 1, phase == 2 && overwritten(p, c), phase == 3 && dataVersion(p, c) == 3:
				batch.AddText(`INSERT INTO d.t (p, c, v) VALUES (?, ?, ?)`, p, c, dataValue(p, c, phase))
			case phase == 2 && deletedAlone(p, c):
				batch.AddText(`DELETE FROM d.t WHERE p = ? AND c = ?`, p, c)
			}
		}
		if phase == 1 {
			batch.AddText(`INSERT INTO d.t (p, s) VALUES (?, ?)`, p, dataStatic(p))
		}
		if l.err == nil {
			l.err = batch.Exec(l.ctx)
		}
		if phase == 2 { // with later timestamps than what the batch overwrote
			for c := range dataRows {
				if deletedAlone(p, c) && overwritten(p, c) {
					l.exec(`DELETE FROM d.t WHERE p = ? AND c = ?`, p, c)
				}
			}
			if p%4 == 0 {
				l.exec(`DELETE FROM d.t WHERE p = ? AND c >= 60 AND c < 70`, p)
			}
		}
	}
}

// playLoader makes the dataset, says so, and waits to be killed.
func playLoader(ctx context.Context, n *node.Node, _ *roleFlags) error {
	err := loadData(ctx, n, func(phase int) (*node.Node, error) {
		if phase == 1 {
			return n, n.Compact(ctx, "d", "t")
		}
		return n, nil
	})
	if err != nil {
		return err
	}
	fmt.Println("loaded")
	_, err = os.Stdin.Read(make([]byte, 1))
	return err
}

// playReader asks for the whole dataset and prints the verdict.
func playReader(ctx context.Context, n *node.Node, _ *roleFlags) error {
	r := reader{ctx: ctx, session: n.Session()}
	for p := range dataPartitions {
		r.slice(p, false)
		r.slice(p, true)
		for c := range dataRows {
			r.point(p, c)
		}
	}
	r.scan()
	fmt.Printf("right %d refused %d wrong %d unclear %d\n", r.right, r.refused, r.wrong, r.unclear)
	return nil
}

// A reader counts its answers: right ones; errors that name the table and a key; errors that do
// not; and wrong ones.
type reader struct {
	ctx                            context.Context
	session                        *node.Session
	right, refused, wrong, unclear int
}

func (r *reader) verdict(question string, err error, mistake string) {
	switch {
	case mistake != "":
		r.wrong++
		fmt.Printf("wrong: %s: %s\n", question, mistake)
	case err == nil:
		r.right++
	case strings.Contains(err.Error(), "d.t") && strings.Contains(err.Error(), "p = "):
		r.refused++
	default:
		r.unclear++
		fmt.Printf("unclear: %s: %v\n", question, err)
	}
}

// point asks for one row.
func (r *reader) point(p, c int) {
	rows := r.session.Query(`SELECT c, v, s FROM d.t WHERE p = ? AND c = ?`, p, c).Iter(r.ctx)
	want := []int{}
	if dataVersion(p, c) > 0 {
		want = append(want, c)
	}
	mistake, err := compare(rows, p, want)
	r.verdict(fmt.Sprintf("row %d of %d", c, p), err, mistake)
}

// slice asks for one partition, in several pages.
func (r *reader) slice(p int, reverse bool) {
	query, want := `SELECT c, v, s FROM d.t WHERE p = ?`, []int{}
	for c := range dataRows {
		if reverse {
			c = dataRows - 1 - c
		}
		if dataVersion(p, c) > 0 {
			want = append(want, c)
		}
	}
	if reverse {
		query += ` ORDER BY c DESC`
	}
	mistake, err := compare(r.session.Query(query, p).PageSize(40).Iter(r.ctx), p, want)
	r.verdict(fmt.Sprintf("slice of %d, reverse %v", p, reverse), err, mistake)
}

// compare reads the rows of partition p, which must be those in want, or the first of them
// before an error.
func compare(rows *node.Iter, p int, want []int) (mistake string, err error) {
	defer rows.Close()
	for rows.Next() {
		var c int
		var v, s string
		if err := rows.Scan(&c, &v, &s); err != nil {
			return err.Error(), nil
		}
		switch {
		case len(want) == 0 || c != want[0]:
			return fmt.Sprintf("row %d, want one of %v", c, want), nil
		case v != dataValue(p, c, dataVersion(p, c)):
			return fmt.Sprintf("row %d has another value", c), nil
		case s != dataStatic(p):
			return fmt.Sprintf("static column %q", s), nil
		}
		want = want[1:]
	}
	if rows.Err() == nil && len(want) > 0 {
		return fmt.Sprintf("rows %v are missing", want), nil
	}
	return "", rows.Err()
}

// scan asks for the whole table. Partitions come in the order of their tokens, rows in theirs.
func (r *reader) scan() {
	rows := r.session.Query(`SELECT p, c, v FROM d.t`).PageSize(300).Iter(r.ctx)
	defer rows.Close()
	seen := make(map[int]int) // rows of each partition
	total := 0
	for rows.Next() {
		var p, c int
		var v string
		if err := rows.Scan(&p, &c, &v); err != nil {
			r.verdict("scan", nil, err.Error())
			return
		}
		if dataVersion(p, c) == 0 || v != dataValue(p, c, dataVersion(p, c)) {
			r.verdict("scan", nil, fmt.Sprintf("row %d of %d is wrong", c, p))
			return
		}
		seen[p]++
		total++
	}
	mistake := ""
	if rows.Err() == nil {
		for p := range dataPartitions {
			for c := range dataRows {
				if dataVersion(p, c) > 0 {
					total--
				}
			}
		}
		if total != 0 || len(seen) != dataPartitions {
			mistake = fmt.Sprintf("%d rows too many in %d partitions", total, len(seen))
		}
	}
	r.verdict("scan", rows.Err(), mistake)
}
