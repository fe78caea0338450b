package query

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/query/plan"
)

// ask carries out a statement and returns whether it was applied, and the data of its rows.
func ask(t testing.TB, s *Session, parameters *Parameters, text string) (applied bool, data []byte) {
	t.Helper()
	if parameters.Consistency == 0 {
		parameters.Consistency = consistency.One
	}
	r, err := s.Execute(t.Context(), text, parameters)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if r.Rows.Columns[0].Name != plan.AppliedColumn {
		t.Fatalf("%s: the first column is %s", text, r.Rows.Columns[0].Name)
	}
	return r.Rows.Data[4] == 1, r.Rows.Data
}

// singleNumber returns the single value of a query.
func singleNumber(t testing.TB, s *Session, text string) int64 {
	t.Helper()
	data := execute(t, s, text).Rows.Data
	n := int64(0)
	for _, b := range data[4:] {
		n = n<<8 | int64(b)
	}
	return n
}

// TestTransactionsAreSerial has many sessions count together: none of the steps is lost.
func TestTransactionsAreSerial(t *testing.T) {
	s := newSession(t, Options{}, "CREATE TABLE t (k int PRIMARY KEY, v int)", "INSERT INTO t (k, v) VALUES (1, 0)")
	const workers, steps = 8, 25
	var applied atomic.Int64
	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() {
			for present := 0; present < steps; {
				r, err := s.Execute(t.Context(), fmt.Sprintf("UPDATE t SET v = %d WHERE k = 1 IF v = %d", present+1, present),
					&Parameters{Consistency: consistency.One})
				if err != nil {
					t.Error(err)
					return
				}
				if r.Rows.Data[4] == 1 {
					applied.Add(1)
					present++
				} else {
					present = int(r.Rows.Data[len(r.Rows.Data)-1])
				}
			}
		})
	}
	wait.Wait()
	if n := singleNumber(t, s, "SELECT v FROM t WHERE k = 1"); n != steps || applied.Load() != steps {
		t.Errorf("the value is %d after %d changes, not %d", n, applied.Load(), steps)
	}
}

// TestTimestampsOfTransactions: those of clients do not count, and who writes afterwards is newer.
func TestTimestampsOfTransactions(t *testing.T) {
	s := newSession(t, Options{}, "CREATE TABLE t (k int PRIMARY KEY, v int, l list<int>)")
	if applied, _ := ask(t, s, &Parameters{Timestamp: Given(5)}, "INSERT INTO t (k, v) VALUES (1, 1) IF NOT EXISTS"); !applied {
		t.Fatal("not applied")
	}
	first := singleNumber(t, s, "SELECT writetime(v) FROM t WHERE k = 1")
	if first < 1e15 {
		t.Errorf("written at %d", first)
	}
	for i := range 50 {
		ask(t, s, &Parameters{}, "UPDATE t SET v = 2, l = [1] WHERE k = 1 IF EXISTS")
		written := singleNumber(t, s, "SELECT writetime(v) FROM t WHERE k = 1")
		if written <= first {
			t.Fatalf("written at %d, not after %d", written, first)
		}
		first = written
		execute(t, s, "UPDATE t SET v = 3 WHERE k = 1")
		if n := singleNumber(t, s, "SELECT v FROM t WHERE k = 1"); n != 3 {
			t.Fatalf("round %d: a write after the transaction is lost: %d", i, n)
		}
	}
	// A value of the far future stays behind: the transaction has seen it.
	const future = int64(1) << 60
	execute(t, s, fmt.Sprintf("UPDATE t USING TIMESTAMP %d SET v = 4 WHERE k = 1", future))
	if applied, _ := ask(t, s, &Parameters{}, "UPDATE t SET v = 5 WHERE k = 1 IF v = 4"); !applied {
		t.Error("not applied")
	}
	if n := singleNumber(t, s, "SELECT v FROM t WHERE k = 1"); n != 5 {
		t.Errorf("the value is %d", n)
	}
	execute(t, s, "INSERT INTO t (k, v) VALUES (2, 1)")
	if written := singleNumber(t, s, "SELECT writetime(v) FROM t WHERE k = 2"); written >= future {
		t.Errorf("another row is written at %d", written)
	}
}

func TestTransactionWithoutChange(t *testing.T) {
	s := newSession(t, Options{}, "CREATE TABLE t (k int PRIMARY KEY, v int)")
	unset := &Parameters{Values: []plan.Value{{Unset: true}}}
	if applied, _ := ask(t, s, unset, "UPDATE t SET v = ? WHERE k = 1 IF v = null"); !applied {
		t.Error("not applied")
	}
	if n := execute(t, s, "SELECT * FROM t").Rows.Count; n != 0 {
		t.Errorf("%d rows", n)
	}
}

func TestSizeOfConditionalBatch(t *testing.T) {
	s := newSession(t, Options{BatchFail: 200, BatchWarn: 100}, "CREATE TABLE t (k int, c int, v text, PRIMARY KEY (k, c))")
	batch := func(n int) string {
		text := "BEGIN BATCH INSERT INTO t (k, c) VALUES (1, 0) IF NOT EXISTS; "
		for i := range n {
			text += fmt.Sprintf("INSERT INTO t (k, c, v) VALUES (1, %d, 'some text'); ", i+1)
		}
		return text + "APPLY BATCH"
	}
	if _, err := s.Execute(t.Context(), batch(50), &Parameters{Consistency: consistency.One}); err == nil || err.Error() != "Batch too large" {
		t.Errorf("error %v", err)
	}
	if n := execute(t, s, "SELECT * FROM t").Rows.Count; n != 0 {
		t.Errorf("%d rows of a refused batch", n)
	}
	r, err := s.Execute(t.Context(), batch(3), &Parameters{Consistency: consistency.One})
	if err != nil || len(r.Warnings) != 1 {
		t.Error(r, err)
	}
}

// TestBatchOfPreparedConditions carries out prepared statements together.
func TestBatchOfPreparedConditions(t *testing.T) {
	s := newSession(t, Options{}, "CREATE TABLE t (k int, c int, v int, PRIMARY KEY (k, c))", "CREATE TABLE o (k int PRIMARY KEY, v int)")
	prepare := func(text string) *Prepared {
		p, err := s.Prepare(text)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	insert, update := prepare("INSERT INTO t (k, c, v) VALUES (1, ?, 1) IF NOT EXISTS"), prepare("UPDATE t SET v = 1 WHERE k = 1 AND c = ?")
	other := prepare("INSERT INTO o (k, v) VALUES (1, ?)")
	value := func(n byte) []plan.Value { return []plan.Value{{Bytes: []byte{0, 0, 0, n}}} }
	run := func(entries ...BatchEntry) (*Result, error) {
		return s.ExecuteBatch(t.Context(), entries, &Parameters{Consistency: consistency.One, Timestamp: Given(1)})
	}
	for i, want := range []byte{1, 0} {
		r, err := run(BatchEntry{insert, value(1)}, BatchEntry{update, value(2)})
		if err != nil || r.Rows.Data[4] != want || len(r.Rows.Columns) != 1+3*i {
			t.Errorf("%d: %+v %v", i, r, err)
		}
	}
	if n := execute(t, s, "SELECT * FROM t").Rows.Count; n != 2 {
		t.Errorf("%d rows", n)
	}
	if _, err := run(BatchEntry{insert, value(1)}, BatchEntry{other, value(2)}); err == nil || err.Error() != "Batch with conditions cannot span multiple tables" {
		t.Errorf("error %v", err)
	}
}
