package storage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/iliumdb/ilium/storage/row"
)

// Close waits for cursors: they read memory that closing unmaps.
func TestCloseWaitsForCursors(t *testing.T) {
	e := openEngine(t, testOptions(t.TempDir()))
	rows := fill(t, e, 1)
	c := e.Read(&Read{Incarnation: table7, Partition: prefixOf("pk")})
	closed := make(chan error, 1)
	go func() { closed <- e.Close() }()
	for !refusesReads(e) {
		runtime.Gosched()
	}
	n := 0
	for c.Next() {
		n++
		if n%100 == 0 {
			runtime.Gosched()
		}
	}
	select {
	case err := <-closed:
		t.Errorf("closed under a cursor: %v", err)
	default:
	}
	if n != rows || c.Err() != nil {
		t.Errorf("%d rows of %d, %v", n, rows, c.Err())
	}
	c.Close()
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

func refusesReads(e *Engine) bool {
	_, err := tryRead(e, &Read{Partition: prefixOf("none")})
	return errors.Is(err, ErrClosed)
}

// Compactions may be asked for by many, and while the engine is closed.
func TestCompactionsAtOnce(t *testing.T) {
	e := openEngine(t, testOptions(t.TempDir()))
	fill(t, e, 2)
	var work sync.WaitGroup
	for range 4 {
		work.Go(func() {
			for {
				if err := e.Compact(context.Background(), table7); err != nil {
					if !errors.Is(err, ErrClosed) {
						t.Error(err)
					}
					return
				}
			}
		})
	}
	for i := range 50 {
		m := mutation("other")
		insert(m, fmt.Sprint(i), 1, "v")
		apply(t, e, m)
	}
	closeEngine(t, e)
	work.Wait()
}

// Compacting a damaged store would write the damage anew, with right checksums.
func TestDamageIsNotCompacted(t *testing.T) {
	dir := t.TempDir()
	e := openEngine(t, testOptions(dir))
	fill(t, e, 2)
	closeEngine(t, e)
	files, _ := filepath.Glob(filepath.Join(dir, "*.sst"))
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(files[0], data, 0o600); err != nil {
		t.Fatal(err)
	}
	e = openEngine(t, testOptions(dir))
	defer closeEngine(t, e)
	var damaged *DamagedError
	if err := e.Compact(context.Background(), 8); !errors.As(err, &damaged) { // a table without data
		t.Errorf("Compact: %v", err)
	}
	if after, err := os.ReadFile(files[0]); err != nil || string(after) != string(data) {
		t.Errorf("the damaged file was changed: %v", err)
	}
}

// A failure may be answered by closing the engine.
func TestCloseOnFailure(t *testing.T) {
	opts := testOptions(t.TempDir())
	closed := make(chan error, 1)
	var e *Engine
	opts.OnFailure = func(error) { closed <- e.Close() }
	e = openEngine(t, opts)
	_ = e.fail(errors.New("a disk that is gone"))
	select {
	case err := <-closed:
		var failure *FailedError
		if !errors.As(err, &failure) {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("Close does not return")
	}
}

// When Badger cannot write what it was given, the engine fails, and can be closed although
// Badger goes on trying.
func TestFlushFails(t *testing.T) {
	dir := t.TempDir()
	opts := testOptions(dir)
	failed := make(chan error, 1)
	opts.OnFailure = func(err error) { failed <- err }
	e := openEngine(t, opts)
	e.closeWait = 10 * time.Millisecond
	unblock := blockTables(t, dir)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var err error
	for i := 0; err == nil; i++ {
		m := mutation("pk")
		insert(m, fmt.Sprint(i), 1, strings.Repeat("v", 100_000))
		err = e.Apply(ctx, m)
	}
	var failure *FailedError
	if !errors.As(err, &failure) {
		t.Errorf("writes end with %v", err)
	}
	select {
	case <-failed:
	default:
		t.Error("the failure was not reported")
	}
	if err := e.Close(); !errors.As(err, &failure) {
		t.Errorf("Close: %v", err)
	}
	unblock()
	<-e.filesClosed
}

// blockTables makes the next table files impossible to create, until it is taken back.
func blockTables(t *testing.T, dir string) (unblock func()) {
	t.Helper()
	var blocked []string
	for i := range 100 {
		name := filepath.Join(dir, fmt.Sprintf("%06d.sst", i+1))
		if err := os.Mkdir(name, 0o700); err != nil {
			t.Fatal(err)
		}
		blocked = append(blocked, name)
	}
	return func() {
		for _, name := range blocked {
			if err := os.Remove(name); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// A compaction does not wait for a file that Badger cannot write, and so does not hold up Close.
func TestCompactFails(t *testing.T) {
	dir := t.TempDir()
	e := openEngine(t, testOptions(dir))
	e.closeWait = 10 * time.Millisecond
	m := mutation("pk")
	insert(m, "x", 1, "v")
	apply(t, e, m)
	unblock := blockTables(t, dir)
	var failure *FailedError
	if err := e.Compact(context.Background(), table7); !errors.As(err, &failure) {
		t.Errorf("Compact: %v", err)
	}
	if err := e.Close(); !errors.As(err, &failure) {
		t.Errorf("Close: %v", err)
	}
	unblock()
	<-e.filesClosed
}

// A large mutation is carried out as a whole or not at all, whatever the disk does meanwhile.
func TestDiskFillsDuringLargeMutation(t *testing.T) {
	for refused := range 12 {
		dir := t.TempDir()
		e := openEngine(t, testOptions(dir))
		begun, calls := false, 0
		e.disk.free = func() (int64, error) { // called by the committer and, without begun, by the folder
			if begun {
				if calls++; calls-1 == refused {
					return 0, nil
				}
			}
			return 1 << 50, nil
		}
		m := mutation("pk")
		const rows = 1000
		for i := range rows {
			insert(m, fmt.Sprintf("%04d", i), 1, strings.Repeat("v", 2000))
		}
		e.folder.exclusively(func() {
			begun = true
			err := e.Apply(context.Background(), m)
			begun = false
			stillWrites(t, e)
			check := func() {
				t.Helper()
				got := strings.Count(readAll(t, e, &Read{Partition: prefixOf("pk")}), "=")
				if err == nil && got != rows || err != nil && got != 0 {
					t.Errorf("call %d refused: %d of %d rows, %v", refused, got, rows, err)
				}
			}
			check()
		})
		closeEngine(t, e)
		e = openEngine(t, testOptions(dir))
		if got := strings.Count(readAll(t, e, &Read{Partition: prefixOf("pk")}), "="); got != 0 && got != rows {
			t.Errorf("call %d refused, reopened: %d of %d rows", refused, got, rows)
		}
		closeEngine(t, e)
	}
}

// A large mutation whose writer gave up waiting is carried out now or never, not when the engine
// is opened again after the tombstones of later deletions are gone.
func TestLargeMutationAfterTimeout(t *testing.T) {
	dir := t.TempDir()
	e := openEngine(t, testOptions(dir))
	m := mutation("pk")
	const rows = 1000
	for i := range rows {
		insert(m, fmt.Sprintf("%04d", i), 1, strings.Repeat("v", 2000))
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := e.Apply(ctx, m); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	stillWrites(t, e) // behind it
	before := strings.Count(readAll(t, e, &Read{Partition: prefixOf("pk")}), "=")
	closeEngine(t, e)
	e = openEngine(t, testOptions(dir))
	defer closeEngine(t, e)
	after := strings.Count(readAll(t, e, &Read{Partition: prefixOf("pk")}), "=")
	if before != after || before != 0 && before != rows {
		t.Errorf("%d rows before and %d after the engine was opened again", before, after)
	}
}

// What was staged is carried out also when the disk is full or damaged: the engine must open.
func TestStagedMutationOnFullDisk(t *testing.T) {
	dir := t.TempDir()
	e := openEngine(t, testOptions(dir))
	m := mutation("pk")
	insert(m, "a", 5, "staged")
	key, value := m.Entry(0)
	staging, _ := e.stage(1, encodePairs(pair{key, value}), nil)
	if err := e.commit.submit(context.Background(), staging...); err != nil {
		t.Fatal(err)
	}
	closeEngine(t, e)
	opts := testOptions(dir)
	opts.DiskFloor = 1 << 60
	e = openEngine(t, opts)
	defer closeEngine(t, e)
	if got := readAll(t, e, &Read{Partition: prefixOf("pk")}); got != "a=staged " {
		t.Errorf("got %q", got)
	}
}

// The first header of a table is seen together with the rows that were written with it.
func TestFirstHeaderIsSeenWithItsRows(t *testing.T) {
	e := openEngine(t, testOptions(t.TempDir()))
	defer closeEngine(t, e)
	for incarnation := uint32(100); incarnation < 160; incarnation++ {
		m := new(row.Mutation)
		m.Begin(incarnation, 42, []byte("pk"))
		insert(m, "old", 1, "v")
		apply(t, e, m)
		m = new(row.Mutation)
		m.Begin(incarnation, 42, []byte("pk"))
		deletePartition(m, 5, 1)
		insert(m, "new", 6, "v")
		var work sync.WaitGroup
		done := make(chan struct{})
		for range 2 {
			work.Go(func() {
				for {
					c := e.Read(&Read{Incarnation: incarnation, Partition: prefixOf("pk")})
					seen := ""
					for c.Next() {
						seen += string(c.Clustering()) + " "
					}
					c.Close()
					if seen != "old " && seen != "new " {
						t.Errorf("table %d: rows %s", incarnation, seen)
						return
					}
					select {
					case <-done:
						return
					default:
					}
				}
			})
		}
		apply(t, e, m)
		close(done)
		work.Wait()
		if t.Failed() {
			return
		}
	}
}

// Readers see all of a large mutation or nothing, while its parts are committed one by one.
func TestLargeMutationIsSeenWhole(t *testing.T) {
	e := openEngine(t, testOptions(t.TempDir()))
	defer closeEngine(t, e)
	e.groupSize, e.valueThreshold = 2000, 1000
	const rows = 500
	done := make(chan struct{})
	var readers sync.WaitGroup
	for reverse := range 2 {
		readers.Go(func() {
			for {
				got, err := tryRead(e, &Read{Partition: prefixOf("pk"), Reverse: reverse == 1})
				values := map[string]int{}
				for _, row := range strings.Fields(got) {
					values[row[strings.IndexByte(row, '='):]]++
				}
				if err != nil || len(values) > 1 || len(values) == 1 && strings.Count(got, "=") != rows {
					t.Errorf("%v of %d rows, %v", values, rows, err)
					return
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for version := range int64(10) {
		m := mutation("pk")
		for i := range rows {
			insert(m, fmt.Sprintf("%04d", i), version, fmt.Sprint("version", version))
		}
		apply(t, e, m)
	}
	close(done)
	readers.Wait()
}
