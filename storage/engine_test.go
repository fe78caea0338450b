package storage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/iliumdb/ilium/storage/row"
)

func TestMain(m *testing.M) {
	slog.SetLogLoggerLevel(slog.LevelError + 1) // the tests provoke errors that the engine reports
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/golang/glog.(*fileSink).flushDaemon"))
}

// testTables knows every incarnation under one definition.
func testTables(t Table) func(uint32) (Table, bool) {
	return func(uint32) (Table, bool) { return t, true }
}

func testOptions(dir string) Options {
	return Options{Dir: dir, Memory: minMemory,
		Tables: testTables(Table{Name: "ks.t", GCGrace: 10 * 24 * time.Hour, Compress: true,
			FormatKey: func(k []byte) string { return fmt.Sprintf("%q", k) }})}
}

func openEngine(t testing.TB, opts Options) *Engine {
	t.Helper()
	e, err := Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func closeEngine(t testing.TB, e *Engine) {
	t.Helper()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

func insert(m *row.Mutation, clustering string, timestamp int64, value string) {
	f := row.NewFragment()
	f.Liveness = row.Liveness{Timestamp: timestamp}
	f.Cells = append(f.Cells, row.Cell{Column: 1, Value: []byte(value), Timestamp: timestamp})
	m.AddRow(f, []byte(clustering))
}

const table7 = 7

func prefixOf(key string) []byte { return row.AppendPartition(nil, 42, []byte(key)) }

func mutation(key string) *row.Mutation {
	m := new(row.Mutation)
	m.Begin(table7, 42, []byte(key))
	return m
}

func apply(t testing.TB, e *Engine, mutations ...*row.Mutation) {
	t.Helper()
	if err := e.Apply(context.Background(), mutations...); err != nil {
		t.Fatal(err)
	}
}

func readAll(t testing.TB, e *Engine, r *Read) string {
	t.Helper()
	out, err := tryRead(e, r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func tryRead(e *Engine, r *Read) (string, error) {
	r.Incarnation = table7
	c := e.Read(r)
	defer c.Close()
	var out strings.Builder
	for c.Next() {
		fmt.Fprintf(&out, "%s=%s ", c.Clustering(), c.Row().Cells[0].Value)
	}
	return out.String(), c.Err()
}

func TestWriteAndRead(t *testing.T) {
	e := openEngine(t, testOptions(t.TempDir()))
	m := mutation("pk")
	for _, c := range []string{"b", "a", "c"} {
		insert(m, c, 10, "v"+c)
	}
	apply(t, e, m)
	check := func(reverse bool, want string) {
		t.Helper()
		if got := readAll(t, e, &Read{Partition: prefixOf("pk"), Reverse: reverse}); got != want {
			t.Errorf("reverse=%v: got %q, want %q", reverse, got, want)
		}
	}
	check(false, "a=va b=vb c=vc ")
	check(true, "c=vc b=vb a=va ")
	if err := e.Compact(context.Background(), table7); err != nil {
		t.Fatal(err)
	}
	check(false, "a=va b=vb c=vc ")
	check(true, "c=vc b=vb a=va ")
	closeEngine(t, e)
	if err := e.Close(); !errors.Is(err, ErrClosed) {
		t.Errorf("second Close: %v", err)
	}
	if err := e.Apply(context.Background(), m); !errors.Is(err, ErrClosed) {
		t.Errorf("Apply after Close: %v", err)
	}
	if _, err := tryRead(e, &Read{Partition: prefixOf("pk")}); !errors.Is(err, ErrClosed) {
		t.Errorf("Read after Close: %v", err)
	}
}

// Writers, readers and folding at once: nothing is lost, and every mutation is seen whole.
func TestFoldingUnderLoad(t *testing.T) {
	e := openEngine(t, testOptions(t.TempDir()))
	defer closeEngine(t, e)
	const writers, rounds, keys = 4, 300, 40
	ctx, stop := context.WithCancel(context.Background())
	var work, background sync.WaitGroup
	background.Go(func() {
		for ctx.Err() == nil {
			if err := e.Compact(context.Background(), table7); err != nil {
				t.Error(err)
				return
			}
		}
	})
	background.Go(func() {
		for ctx.Err() == nil {
			checkTwins(t, e)
		}
	})
	last := [writers][keys]int{}
	for w := range writers {
		work.Go(func() {
			random := rand.New(rand.NewPCG(uint64(w), 1))
			for n := 1; n <= rounds; n++ {
				k := random.IntN(keys)
				m := mutation("pk")
				for _, twin := range []string{"a", "b"} { // far apart: they land in different pages
					insert(m, fmt.Sprintf("%s-%d-%02d", twin, w, k), int64(n), fmt.Sprintf("%d.%s", n, strings.Repeat("x", 200)))
				}
				apply(t, e, m)
				last[w][k] = n
			}
		})
	}
	work.Wait()
	stop()
	background.Wait()
	rows := strings.Fields(readAll(t, e, &Read{Partition: prefixOf("pk")}))
	i := 0
	for _, twin := range []string{"a", "b"} {
		for w := range writers {
			for k := range keys {
				if last[w][k] == 0 {
					continue
				}
				want := fmt.Sprintf("%s-%d-%02d=%d.", twin, w, k, last[w][k])
				if i >= len(rows) || !strings.HasPrefix(rows[i], want) {
					t.Fatalf("row %d: got %.20q, want %q", i, rows[min(i, len(rows)-1)], want)
				}
				i++
			}
		}
	}
}

// checkTwins reads the partition once and compares the rows that are always written together.
func checkTwins(t *testing.T, e *Engine) {
	rows := strings.Fields(readAll(t, e, &Read{Partition: prefixOf("pk")}))
	half := len(rows) / 2
	for i := range half {
		if rows[i][1:] != rows[half+i][1:] {
			t.Errorf("one mutation, half seen: %.20s and %.20s", rows[i], rows[half+i])
			return
		}
	}
	if len(rows)%2 == 1 {
		t.Errorf("%d rows: one mutation was half seen", len(rows))
	}
}

func TestLargeMutations(t *testing.T) {
	dir := t.TempDir()
	e := openEngine(t, testOptions(dir))
	m := mutation("many") // more rows than fit a Badger transaction
	n := e.groupCount + 100
	for i := range n {
		insert(m, fmt.Sprintf("%08d", i), 1, "v")
	}
	apply(t, e, m)
	big := mutation("big") // values larger than one
	blob := strings.Repeat("0123456789abcdef", 12<<20/16)
	insert(big, "x", 1, blob)
	insert(big, "y", 1, blob[:3<<20])
	apply(t, e, big)
	check := func() {
		t.Helper()
		if got := strings.Count(readAll(t, e, &Read{Partition: prefixOf("many")}), "=v"); got != n {
			t.Errorf("%d rows of %d", got, n)
		}
		if got, want := readAll(t, e, &Read{Partition: prefixOf("big")}), "x="+blob+" y="+blob[:3<<20]+" "; got != want {
			t.Errorf("large values: got %d bytes, want %d", len(got), len(want))
		}
	}
	check()
	if err := e.Compact(context.Background(), table7); err != nil {
		t.Fatal(err)
	}
	check()
	closeEngine(t, e)
	e = openEngine(t, testOptions(dir))
	defer closeEngine(t, e)
	check()

	over := mutation("over")
	insert(over, "x", 1, strings.Repeat("x", 17<<20))
	var tooLarge *MutationTooLargeError
	if err := e.Apply(context.Background(), over); !errors.As(err, &tooLarge) {
		t.Errorf("17 MiB: %v", err)
	}
	long := mutation(strings.Repeat("k", 70_000))
	insert(long, "x", 1, "v")
	var tooLong *KeyTooLongError
	if err := e.Apply(context.Background(), long); !errors.As(err, &tooLong) {
		t.Errorf("a key of 70,000 bytes: %v", err)
	}
}

// A mutation that was staged before a crash is carried out when the engine opens again.
func TestStagedMutationSurvives(t *testing.T) {
	dir := t.TempDir()
	e := openEngine(t, testOptions(dir))
	m := mutation("pk")
	insert(m, "a", 5, "staged")
	key, value := m.Entry(0)
	encoded := encodePairs(pair{key, value})
	e.valueThreshold = 10 // many pieces
	whole, _ := e.stage(1, encoded, nil)
	half, _ := e.stage(2, encoded, nil)
	if err := e.commit.submit(context.Background(), append(whole, half[:len(half)-1]...)...); err != nil {
		t.Fatal(err)
	}
	closeEngine(t, e)
	e = openEngine(t, testOptions(dir))
	defer closeEngine(t, e)
	if got := readAll(t, e, &Read{Partition: prefixOf("pk")}); got != "a=staged " {
		t.Errorf("got %q", got)
	}
	txn := e.db.NewTransactionAt(math.MaxUint64, false)
	defer txn.Discard()
	it := iterate(txn, metaKey(metaStaged, nil), false, false)
	defer it.Close()
	if it.Rewind(); it.Valid() {
		t.Errorf("%x is still there", it.Item().Key())
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	e := openEngine(t, testOptions(dir))
	if _, err := Open(testOptions(dir)); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), dir) {
		t.Errorf("opened twice: %v", err)
	}
	closeEngine(t, e)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(testOptions(file)); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("a file as data directory: %v", err)
	}
}

// fill writes rows until at least so many table files exist.
func fill(t *testing.T, e *Engine, files int) (rows int) {
	for len(e.db.Tables()) < files {
		m := mutation("pk")
		for range 500 {
			insert(m, fmt.Sprintf("%08d", rows), 1, fmt.Sprintf("%0200d", rows))
			rows++
		}
		apply(t, e, m)
	}
	return rows
}

// Every damaged block is found when the engine opens. Reads that need it fail and name it;
// reads of other tables are served; writes are refused.
func TestDamagedTableFile(t *testing.T) {
	dir := t.TempDir()
	e := openEngine(t, testOptions(dir))
	other := new(row.Mutation)
	other.Begin(9, 1, []byte("other"))
	insert(other, "a", 1, "v")
	apply(t, e, other)
	rows := fill(t, e, 2)
	closeEngine(t, e)

	files, _ := filepath.Glob(filepath.Join(dir, "*.sst"))
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 5 { // the damage adds up
		at := random.IntN(len(data) * 3 / 4) // behind that is the index
		data[at] ^= 1 << random.IntN(8)
		if err := os.WriteFile(files[0], data, 0o600); err != nil {
			t.Fatal(err)
		}
		e = openEngine(t, testOptions(dir))
		got, err := tryRead(e, &Read{Partition: prefixOf("pk")})
		var corrupt *CorruptError
		if !errors.As(err, &corrupt) || corrupt.Table != "ks.t" || !strings.Contains(corrupt.Key, "pk") {
			t.Fatalf("byte %d of %s changed: read %d of %d rows, error %v", at, files[0], strings.Count(got, "="), rows, err)
		}
		c := e.Read(&Read{Incarnation: 9, Partition: row.AppendPartition(nil, 1, []byte("other"))})
		if !c.Next() || c.Err() != nil {
			t.Errorf("another table: %v", c.Err())
		}
		c.Close()
		var damaged *DamagedError
		if err := e.Apply(context.Background(), other); !errors.As(err, &damaged) {
			t.Errorf("write to a damaged store: %v", err)
		}
		closeEngine(t, e)
	}
}

// A value that was changed behind the checksum of its block is caught by its own.
func TestChangedValue(t *testing.T) {
	e := openEngine(t, testOptions(t.TempDir()))
	defer closeEngine(t, e)
	m := mutation("pk")
	insert(m, "a", 1, "right")
	key, value := m.Entry(0)
	bad := append([]byte(nil), value...)
	bad[len(bad)-1] ^= 1
	if err := e.commit.submit(context.Background(), &request{exclusive: true, changes: []change{{key: append([]byte(nil), key...), value: bad}}}); err != nil {
		t.Fatal(err)
	}
	_, err := tryRead(e, &Read{Partition: prefixOf("pk")})
	var corrupt *CorruptError
	if !errors.As(err, &corrupt) || corrupt.Table != "ks.t" || !strings.Contains(corrupt.Key, "pk") {
		t.Errorf("got %v", err)
	}
	if err := e.Compact(context.Background(), table7); !errors.As(err, &corrupt) {
		t.Errorf("Compact: %v", err)
	}
}

func TestLostCommits(t *testing.T) {
	dir := t.TempDir()
	e := openEngine(t, testOptions(dir))
	for i := range 50 {
		m := mutation("pk")
		insert(m, fmt.Sprint(i), 1, "v")
		apply(t, e, m)
	}
	crashed := filepath.Join(t.TempDir(), "crashed")
	if err := os.CopyFS(crashed, os.DirFS(dir)); err != nil { // as after kill -9
		t.Fatal(err)
	}
	closeEngine(t, e)
	logs, _ := filepath.Glob(filepath.Join(crashed, "*.mem"))
	f, err := os.OpenFile(logs[0], os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("damage"), 1000); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	var lost *LostCommitsError
	if _, err := Open(testOptions(crashed)); !errors.As(err, &lost) || lost.Promised <= lost.Found {
		t.Fatalf("a damaged commit log: %v", err)
	}
	if err := os.Remove(filepath.Join(crashed, watermarkName)); err != nil {
		t.Fatal(err)
	}
	closeEngine(t, openEngine(t, testOptions(crashed)))
}

func TestDiskFloor(t *testing.T) {
	dir := t.TempDir()
	e := openEngine(t, testOptions(dir))
	m := mutation("pk")
	insert(m, "a", 1, "v")
	apply(t, e, m)
	closeEngine(t, e)

	opts := testOptions(dir)
	opts.DiskFloor = 1 << 60
	e = openEngine(t, opts)
	m = mutation("pk")
	insert(m, "b", 1, "v")
	static := row.NewFragment()
	static.Cells = append(static.Cells, row.Cell{Column: 3, Timestamp: 1, Value: []byte("s")})
	m.AddHeader(static)
	var full *DiskFullError
	if err := e.Apply(context.Background(), m); !errors.As(err, &full) {
		t.Fatalf("write below the floor: %v", err)
	}
	if got := readAll(t, e, &Read{Partition: prefixOf("pk")}); got != "a=v " {
		t.Errorf("read below the floor: %q", got)
	}
	e.disk.floor = 0
	apply(t, e, m)
	closeEngine(t, e)
	e = openEngine(t, testOptions(dir))
	defer closeEngine(t, e)
	c := e.Read(&Read{Incarnation: table7, Partition: prefixOf("pk")})
	defer c.Close()
	first, second := c.Next(), c.Next()
	if !first || !second || len(c.Static().Cells) != 1 {
		t.Errorf("after space was made: static cells %v, %v", c.Static().Cells, c.Err())
	}
}

func TestReclaim(t *testing.T) {
	var known sync.Map
	known.Store(uint32(table7), true)
	opts := testOptions(t.TempDir())
	table := Table{Name: "ks.t"}
	opts.Tables = func(n uint32) (Table, bool) {
		_, ok := known.Load(n)
		return table, ok
	}
	e := openEngine(t, opts)
	defer closeEngine(t, e)
	m := mutation("pk")
	for i := range 2000 {
		insert(m, fmt.Sprint(i), 1, "v")
	}
	apply(t, e, m)
	if err := e.reclaimAll(); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(readAll(t, e, &Read{Partition: prefixOf("pk")}), "="); got != 2000 {
		t.Fatalf("%d rows of a table that exists", got)
	}
	known.Delete(uint32(table7))
	if err := e.reclaimAll(); err != nil {
		t.Fatal(err)
	}
	if left, err := e.incarnations(); err != nil || len(left) > 0 {
		t.Errorf("incarnations %v are left, %v", left, err)
	}
}

func TestNamedValues(t *testing.T) {
	dir := t.TempDir()
	e := openEngine(t, testOptions(dir))
	ctx := context.Background()
	if err := e.Put(ctx, Put{"schema/b", []byte("2")}, Put{"schema/a", []byte{}}, Put{"other", []byte("3")}); err != nil {
		t.Fatal(err)
	}
	if err := e.Put(ctx, Put{"schema/b", []byte("4")}, Put{Name: "other"}); err != nil {
		t.Fatal(err)
	}
	closeEngine(t, e)
	e = openEngine(t, testOptions(dir))
	defer closeEngine(t, e)
	got := ""
	for _, prefix := range []string{"schema/", "other", ""} {
		if err := e.Values(prefix, func(name string, value []byte) error {
			got += fmt.Sprintf("%s=%s ", name, value)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if want := "schema/a= schema/b=4 schema/a= schema/b=4 "; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTombstoneLimit(t *testing.T) {
	opts := testOptions(t.TempDir())
	opts.TombstoneFail = 100
	e := openEngine(t, opts)
	defer closeEngine(t, e)
	m := mutation("pk")
	for i := range 200 {
		f := row.NewFragment()
		f.Deletion = row.Deletion{Timestamp: 1, LocalTime: time.Now().Unix()}
		m.AddRow(f, []byte(fmt.Sprint(i)))
	}
	apply(t, e, m)
	var tombstones *TombstoneError
	if _, err := tryRead(e, &Read{Partition: prefixOf("pk")}); !errors.As(err, &tombstones) || tombstones.Table != "ks.t" {
		t.Errorf("got %v", err)
	}
}

func TestPeriodicSync(t *testing.T) {
	dir := t.TempDir()
	opts := testOptions(dir)
	opts.Sync, opts.SyncPeriod = SyncPeriodic, time.Millisecond
	e := openEngine(t, opts)
	fill(t, e, 1)
	if err := e.syncLogs(); err != nil {
		t.Fatal(err)
	}
	closeEngine(t, e)
	e = openEngine(t, testOptions(dir))
	defer closeEngine(t, e)
	if readAll(t, e, &Read{Partition: prefixOf("pk")}) == "" {
		t.Error("nothing is left")
	}
}
