package storage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// crashedCopy writes commits one by one and returns a copy of the directory, as a kill leaves it.
func crashedCopy(t *testing.T, opts Options, commits int) string {
	t.Helper()
	e := openEngine(t, opts)
	defer closeEngine(t, e)
	for i := range commits {
		m := mutation("pk")
		insert(m, fmt.Sprintf("%04d", i), 1, "v")
		apply(t, e, m)
	}
	crashed := t.TempDir()
	if err := os.CopyFS(filepath.Join(crashed, "data"), os.DirFS(opts.Dir)); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(crashed, "data")
}

func readLog(t *testing.T, dir string) (string, []byte) {
	t.Helper()
	logs, err := numbered(dir, ".mem")
	if err != nil || len(logs) != 1 {
		t.Fatalf("logs %v, %v", logs, err)
	}
	data, err := os.ReadFile(filepath.Join(dir, logs[0]))
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, logs[0]), data
}

func writeFile(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// The parser of the log agrees with Badger.
func TestLogCommits(t *testing.T) {
	opts := testOptions(t.TempDir())
	_, data := readLog(t, crashedCopy(t, opts, 30))
	seqs := slices.Collect(logCommits(data))
	for i, seq := range seqs {
		if seq != uint64(i+1) {
			t.Fatalf("commits %v", seqs)
		}
	}
	e := openEngine(t, opts)
	defer closeEngine(t, e)
	if recovered := e.db.MaxVersion(); len(seqs) != int(recovered) || recovered < 30 {
		t.Errorf("%d commits in the log, Badger has recovered %d", len(seqs), recovered)
	}
	for n := range 3000 {
		if cut := slices.Collect(logCommits(data[:n])); len(cut) > len(seqs) {
			t.Fatalf("%d commits in the first %d bytes", len(cut), n)
		}
	}
}

// Damage in a log that is followed by another one leaves a gap, which the newest commit does not show.
func TestGapBetweenLogs(t *testing.T) {
	dir := crashedCopy(t, testOptions(t.TempDir()), 30)
	first, data := readLog(t, dir)
	ends := []int{logHeaderSize} // of the commits
	for rest := data[logHeaderSize:]; ; {
		meta, _, n := logEntry(rest)
		if n == 0 {
			break
		}
		rest = rest[n:]
		if meta&logEndTxn != 0 {
			ends = append(ends, len(data)-len(rest))
		}
	}
	second := strings.Replace(first, "1.mem", "2.mem", 1)
	split := func(firstEnd, secondStart int) {
		one, two := make([]byte, len(data)), make([]byte, len(data))
		copy(one, data[:ends[firstEnd]])
		copy(two, data[:logHeaderSize])
		copy(two[logHeaderSize:], data[ends[secondStart]:])
		writeFile(t, first, one)
		writeFile(t, second, two)
	}
	split(10, 12) // commits 11 and 12 are missing
	var lost *LostCommitsError
	for range 2 { // the refusal changes nothing
		if _, err := Open(testOptions(dir)); !errors.As(err, &lost) || lost.Found != 10 {
			t.Fatalf("a gap: %v", err)
		}
	}
	split(10, 10)
	e := openEngine(t, testOptions(dir))
	defer closeEngine(t, e)
	if rows := strings.Fields(readAll(t, e, &Read{Partition: prefixOf("pk")})); len(rows) != 30 {
		t.Errorf("%d rows", len(rows))
	}
}

// A process that is killed while it creates or removes a log leaves it empty.
func TestEmptyLogs(t *testing.T) {
	dir := crashedCopy(t, testOptions(t.TempDir()), 5)
	for _, name := range []string{"00000.mem", "00002.mem", "000000.vlog", "000002.vlog"} {
		writeFile(t, filepath.Join(dir, name), nil)
	}
	e := openEngine(t, testOptions(dir))
	if rows := strings.Fields(readAll(t, e, &Read{Partition: prefixOf("pk")})); len(rows) != 5 {
		t.Errorf("%d rows", len(rows))
	}
	closeEngine(t, e)
}

// With periodic sync, what was synced is promised: at every period, and at a clean stop.
func TestPeriodicPromise(t *testing.T) {
	opts := testOptions(t.TempDir())
	opts.Sync, opts.SyncPeriod = SyncPeriodic, time.Hour
	e := openEngine(t, opts)
	promised := func() uint64 {
		w, promised, err := openWatermark(opts.Dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.file.Close(); err != nil {
			t.Fatal(err)
		}
		return promised
	}
	write := func(clustering string) {
		m := mutation("pk")
		insert(m, clustering, 1, "v")
		apply(t, e, m)
	}
	write("a")
	if n := promised(); n != 0 {
		t.Errorf("%d commits are promised before a sync", n)
	}
	if err := e.syncLogs(); err != nil {
		t.Fatal(err)
	}
	synced := promised()
	if synced == 0 || synced != e.visible.Load() {
		t.Errorf("%d of %d commits are promised after a sync", synced, e.visible.Load())
	}
	write("b")
	if n := promised(); n != synced {
		t.Errorf("%d commits are promised, of which %d are synced", n, synced)
	}
	closeEngine(t, e)
	if n := promised(); n <= synced {
		t.Errorf("%d commits are promised after a clean stop", n)
	}
	if err := os.Truncate(filepath.Join(opts.Dir, "MANIFEST"), 8); err != nil {
		t.Fatal(err)
	}
	var lost *LostCommitsError
	if _, err := Open(opts); !errors.As(err, &lost) {
		t.Errorf("without its list of tables: %v", err)
	}
	if tables, err := numbered(opts.Dir, ".sst"); err != nil || len(tables) == 0 {
		t.Errorf("tables %v are left, %v", tables, err)
	}
}

// Damage that hides metadata is no reason to go on without it.
func TestDamagedMetadata(t *testing.T) {
	dir := t.TempDir()
	e := openEngine(t, testOptions(dir))
	for i := range 100 {
		if err := e.Put(context.Background(), Put{fmt.Sprintf("schema/%03d", i), make([]byte, 300)}); err != nil {
			t.Fatal(err)
		}
	}
	closeEngine(t, e)
	tables, err := numbered(dir, ".sst")
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, tables[0]))
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	writeFile(t, filepath.Join(dir, tables[0]), data)
	e, err = Open(testOptions(dir))
	var corrupt *CorruptError
	if err == nil {
		defer closeEngine(t, e)
		err = e.Values("schema/", func(string, []byte) error { return nil })
	}
	if !errors.As(err, &corrupt) || !strings.Contains(err.Error(), ".sst") {
		t.Errorf("got %v", err)
	}
}

// A footer of zeros has the checksum of nothing; a flipped bit may name an unknown kind of checksum.
func TestDamagedFooter(t *testing.T) {
	if _, err := tableIndex("x", make([]byte, 100)); err == nil {
		t.Error("zeros are an index")
	}
	if verifySum([]byte("x"), []byte{8, 99, 16, 1}) {
		t.Error("an unknown kind of checksum fits")
	}
}
