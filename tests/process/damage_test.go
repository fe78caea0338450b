package process

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/iliumdb/ilium/config"
	"github.com/iliumdb/ilium/node"
)

// stoppedDataset makes the dataset in a directory, restarting the node after each phase, so that
// there are several table files of all kinds. The node is stopped.
func stoppedDataset(t *testing.T, sync config.CommitlogSync) string {
	t.Helper()
	dir := t.TempDir()
	start := func() *node.Node {
		n, err := startNode(t.Context(), dir, sync)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	n := start()
	err := loadData(t.Context(), n, func(phase int) (*node.Node, error) {
		if phase == 1 {
			if err := n.Compact(t.Context(), "d", "t"); err != nil {
				return nil, err
			}
		}
		if err := n.Stop(); err != nil {
			return nil, err
		}
		if phase < 3 {
			n = start()
		}
		return n, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// killedDataset makes the dataset and kills the node: all of it is in the write-ahead log.
func killedDataset(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	p := startRole(t, "loader", "-dir", dir)
	if p.out.await(regexp.MustCompile("^loaded$")) == nil {
		t.Fatal(p.wait().err)
	}
	p.kill()
	p.wait()
	return dir
}

// copyDir copies a data directory. Holes stay holes: the log files are mostly that.
func copyDir(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return copyFile(path, filepath.Join(to, d.Name()))
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

func copyFile(from, to string) error {
	data, size, err := readUsed(from)
	if err != nil {
		return err
	}
	if err := os.WriteFile(to, data, 0o600); err != nil {
		return err
	}
	return os.Truncate(to, size)
}

// readUsed returns what is in a file, up to a long run of zeros, and its size.
func readUsed(file string) (data []byte, size int64, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	zeros := make([]byte, 256<<10)
	for {
		at := len(data)
		data = append(data, zeros...)
		n, err := io.ReadFull(f, data[at:])
		if data = data[:at+n]; bytes.Equal(data[at:], zeros[:n]) {
			return data[:at], info.Size(), nil
		}
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, 0, err
		}
	}
}

// A damager changes one file.
type damager func(random *rand.Rand, file string) error

// flip changes single bits, most of them in the part of the file that is in use.
func flip(bits int) damager {
	return edit(func(random *rand.Rand, data []byte, used int) []byte {
		for range bits {
			data[random.IntN(used)] ^= 1 << random.IntN(8)
		}
		return data
	})
}

// zero clears a run of bytes, as a lost disk block does.
func zero(size int) damager {
	return edit(func(random *rand.Rand, data []byte, used int) []byte {
		at := random.IntN(used)
		clear(data[at:min(at+size, len(data))])
		return data
	})
}

// scramble overwrites a run of bytes.
func scramble(size int) damager {
	return edit(func(random *rand.Rand, data []byte, used int) []byte {
		at := random.IntN(used)
		for i := at; i < min(at+size, len(data)); i++ {
			data[i] = byte(random.Uint32())
		}
		return data
	})
}

func cut(random *rand.Rand, file string) error {
	return edit(func(random *rand.Rand, data []byte, used int) []byte { return data[:random.IntN(used)] })(random, file)
}

func empty(_ *rand.Rand, file string) error  { return os.Truncate(file, 0) }
func remove(_ *rand.Rand, file string) error { return os.Remove(file) }

// edit returns a damager that changes the content. used is its length without zeros at the end.
func edit(change func(random *rand.Rand, data []byte, used int) []byte) damager {
	return func(random *rand.Rand, file string) error {
		data, size, err := readUsed(file)
		if err != nil || len(data) == 0 {
			return err
		}
		before := len(data)
		data = change(random, data, max(1, len(bytes.TrimRight(data, "\x00"))))
		if err := os.WriteFile(file, data, 0o600); err != nil || len(data) < before {
			return err
		}
		return os.Truncate(file, size)
	}
}

// A tally counts what became of damaged directories.
type tally struct {
	refused, answered             int // at start; or it served
	right, errors, wrong, unclear int // answers
}

var verdictLine = regexp.MustCompile(`^right (\d+) refused (\d+) wrong (\d+) unclear (\d+)$`)

// read lets a reader loose on a damaged directory. It must refuse to start, saying what is
// damaged, or give right answers and errors that name table and key. It reports whether it served.
func (s *tally) read(t *testing.T, what, dir string, args ...string) bool {
	t.Helper()
	o := startRole(t, append([]string{"reader", "-dir", dir}, args...)...).wait()
	v := verdictLine.FindStringSubmatch(o.out[strings.LastIndexByte(o.out, '\n')+1:])
	switch {
	case o.code == exitNotReady:
		s.refused++
		text := strings.ReplaceAll(o.err, dir, "DIR")
		if !clearRefusal.MatchString(text) {
			t.Errorf("%s: the error does not say what is damaged: %s", what, text)
		} else {
			t.Logf("%s: %s", what, text)
		}
		return false
	case o.code != 0 || v == nil:
		t.Errorf("%s: exit status %d, signal %v\n%s\n%.3000s", what, o.code, o.signal, o.out, o.err)
		return false
	}
	s.answered++
	for i, into := range []*int{&s.right, &s.errors, &s.wrong, &s.unclear} {
		var n int
		if _, err := fmt.Sscan(v[i+1], &n); err != nil {
			t.Fatal(err)
		}
		*into += n
		if n > 0 && i >= 2 {
			t.Errorf("%s: %.2000s", what, o.out)
		}
	}
	return true
}

// clearRefusal is what an error at start must name: the file, or table and key.
var clearRefusal = regexp.MustCompile(`\.sst|\.vlog|\.mem|MANIFEST|COMMITTED|KEYREGISTRY|table d\.t at key p = `)

func (s *tally) String() string {
	return fmt.Sprintf("%d refused to start; %d served: %d right answers, %d errors, %d wrong, %d unclear errors",
		s.refused, s.answered, s.right, s.errors, s.wrong, s.unclear)
}

// damageCase is a way to damage the files that match a pattern, tried several times.
type damageCase struct {
	name, files string
	times       int
	damage      damager
}

// runDamage damages copies of a directory and reads them.
func runDamage(t *testing.T, pristine string, cases []damageCase, args ...string) {
	t.Helper()
	_, seed := newRandom(t)
	for i, c := range cases {
		t.Run(c.name+" "+c.files, func(t *testing.T) {
			t.Parallel()
			var s tally
			for try := range c.times * rounds(t) {
				random := rand.New(rand.NewPCG(seed, uint64(i)<<32|uint64(try)))
				dir := copyDir(t, pristine)
				files, err := filepath.Glob(filepath.Join(dir, c.files))
				if err != nil || len(files) == 0 {
					t.Fatalf("no files %s, %v", c.files, err)
				}
				file := files[random.IntN(len(files))]
				if err := c.damage(random, file); err != nil {
					t.Fatal(err)
				}
				what := fmt.Sprintf("%s %s, try %d", c.name, filepath.Base(file), try)
				if !s.read(t, what, dir, args...) {
					expectUntouched(t, what, pristine, dir, filepath.Base(file), args...)
				}
				if err := os.RemoveAll(dir); err != nil {
					t.Fatal(err)
				}
			}
			t.Log(&s)
		})
	}
}

// expectUntouched puts the one damaged file back in place after a refused start, which must have
// left everything else as it was: all answers must be right then.
func expectUntouched(t *testing.T, what, pristine, dir, file string, args ...string) {
	t.Helper()
	if err := copyFile(filepath.Join(pristine, file), filepath.Join(dir, file)); err != nil {
		t.Fatal(err)
	}
	var s tally
	if !s.read(t, what+", repaired", dir, args...) || s.errors > 0 {
		t.Errorf("%s: the refused start has done harm: %s", what, &s)
	}
}

// The files of a stopped node are damaged in every way: it says so, at start or for every answer
// that it cannot give, and all other answers are right.
func TestDamagedFiles(t *testing.T) {
	runDamage(t, stoppedDataset(t, config.SyncGroup), []damageCase{
		{"one bit of", "*.sst", 12, flip(1)},
		{"four bits of", "*.sst", 4, flip(4)},
		{"zeros in", "*.sst", 3, zero(4096)},
		{"64 random bytes in", "*.sst", 3, scramble(64)},
		{"cut", "*.sst", 2, cut},
		{"empty", "*.sst", 1, empty},
		{"removed", "*.sst", 1, remove},
		{"one bit of", "*.vlog", 2, flip(1)},
		{"cut", "*.vlog", 2, cut},
		{"empty", "*.vlog", 2, empty},
		{"removed", "*.vlog", 2, remove},
		{"one bit of", "MANIFEST", 3, flip(1)},
		{"cut", "MANIFEST", 5, cut},
		{"empty", "MANIFEST", 1, empty},
		{"removed", "MANIFEST", 1, remove},
		{"one bit of", "COMMITTED", 1, flip(1)},
		{"cut", "COMMITTED", 1, cut},
		{"removed", "COMMITTED", 1, remove},
		{"one bit of", "KEYREGISTRY", 1, flip(1)},
		{"cut", "KEYREGISTRY", 1, cut},
		{"removed", "KEYREGISTRY", 1, remove},
		{"one bit of", "DISCARD", 1, flip(1)},
		{"cut", "DISCARD", 1, cut},
		{"removed", "DISCARD", 1, remove},
	})
}

// The same after kill -9, when the data is still in the write-ahead log.
func TestDamagedLog(t *testing.T) {
	runDamage(t, killedDataset(t), []damageCase{
		{"one bit of", "*.mem", 6, flip(1)},
		{"zeros in", "*.mem", 3, zero(4096)},
		{"64 random bytes in", "*.mem", 3, scramble(64)},
		{"cut", "*.mem", 4, cut},
		{"empty", "*.mem", 1, empty},
		{"removed", "*.mem", 1, remove},
		{"one bit of", "*.vlog", 2, flip(1)},
		{"cut", "*.vlog", 2, cut},
		{"empty", "*.vlog", 1, empty},
		{"removed", "*.vlog", 1, remove},
	})
}

// With commitlog_sync periodic nothing may be missing either after a clean stop.
func TestDamagedFilesOfPeriodicNode(t *testing.T) {
	runDamage(t, stoppedDataset(t, config.SyncPeriodic), []damageCase{
		{"cut", "MANIFEST", 3, cut},
		{"removed", "MANIFEST", 1, remove},
		{"removed", "*.sst", 1, remove},
		{"one bit of", "*.sst", 2, flip(1)},
	}, "-sync", "periodic")
}

// The reader finds errors that were planted by ordinary statements.
func TestDatasetFindsPlantedErrors(t *testing.T) {
	pristine := stoppedDataset(t, config.SyncGroup)
	check := func(statement string, wrong int) {
		t.Helper()
		dir := copyDir(t, pristine)
		if statement != "" {
			n, err := startNode(t.Context(), dir, config.SyncGroup)
			if err != nil {
				t.Fatal(err)
			}
			if err := n.Session().Query(statement).Exec(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := n.Stop(); err != nil {
				t.Fatal(err)
			}
		}
		o := startRole(t, "reader", "-dir", dir).wait()
		if want := fmt.Sprintf("refused 0 wrong %d unclear 0", wrong); !strings.HasSuffix(o.out, want) {
			t.Errorf("%s: want %s: %s %s", statement, want, o.out, o.err)
		}
	}
	check("", 0)
	check(`DELETE FROM d.t WHERE p = 3 AND c = 5`, 4) // a point, two slices, the scan
	check(`INSERT INTO d.t (p, c, v) VALUES (3, 2, 'a deleted row')`, 4)
	check(`UPDATE d.t SET v = 'another value' WHERE p = 3 AND c = 5`, 4)
	check(`UPDATE d.t SET s = 'another value' WHERE p = 3`, 2+countRows(3))
}

func countRows(p int) (n int) {
	for c := range dataRows {
		if dataVersion(p, c) > 0 {
			n++
		}
	}
	return n
}
