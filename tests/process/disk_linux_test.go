package process

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// smallDisk mounts a file system in memory and returns its directory.
func smallDisk(t *testing.T, size int64) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("mounting a small file system takes root")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		t.Skipf("a small file system cannot be mounted: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// free returns how many bytes are free on the disk of dir.
func free(t *testing.T, dir string) int64 {
	t.Helper()
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		t.Fatal(err)
	}
	return int64(s.Bavail) * s.Bsize
}

// occupy makes a file of that size, as if others used the disk.
func occupy(t *testing.T, path string, size int64) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.Fallocate(int(f.Fd()), 0, 0, size); err != nil {
		t.Fatal(err)
	}
}

// A disk fills up: writes are refused in time, reads go on, and when there is space again writes
// go on too, without a restart.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t, 280<<20)
	others := filepath.Join(disk, "others")
	occupy(t, others, 70<<20)
	p := startRole(t, "full", "-dir", filepath.Join(disk, "data"))
	expect := func(command, want string) {
		t.Helper()
		if got := p.ask(command); !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", command, got, want)
		}
	}
	const refused = "full: no space for writes: " // the first answer of each thread; compaction may give space back then
	expect("fill", refused)
	t.Logf("%d MiB are free when writes are refused", free(t, disk)>>20)
	if n := free(t, disk); n < 32<<20 { // what was accepted is still flushed and compacted
		t.Errorf("only %d MiB were left free", n>>20)
	}
	expect("read", " ok")
	if err := os.Remove(others); err != nil {
		t.Fatal(err)
	}
	expect("write", "ok")
	expect("read", " ok")
	expect("fill", refused)
	expect("read", " ok")
	if o := p.wait(); o.code != 0 {
		t.Fatalf("stop: %+v", o)
	}
	p = startRole(t, "full", "-dir", filepath.Join(disk, "data"))
	expect("read", " ok")
	expect("fill", refused)
	if o := p.wait(); o.code != 0 {
		t.Fatalf("second stop: %+v", o)
	}
}

// Others fill the disk to the last byte. Ilium answers reads, refuses writes, stops and refuses to
// start, always with an error; nothing is lost when there is space again.
func TestDiskFilledByOthers(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t, 264<<20)
	dir, others := filepath.Join(disk, "data"), filepath.Join(disk, "others")
	p := startRole(t, "full", "-dir", dir)
	for range 20 {
		if got := p.ask("write"); got != "ok" {
			t.Fatal(got)
		}
	}
	occupy(t, others, free(t, disk))
	if got := p.ask("write"); !strings.HasPrefix(got, "full: ") {
		t.Error(got)
	}
	if got := p.ask("read"); got != "20 ok" {
		t.Error(got)
	}
	const full = " is full: 0 KiB are free, and recovering the commit log needs up to "
	if o := p.wait(); o.code != exitFailed || !strings.Contains(o.err, full) {
		t.Errorf("stop: exit status %d, signal %v: %.1000s", o.code, o.signal, o.err)
	}
	o := startRole(t, "full", "-dir", dir).wait()
	if o.code != exitNotReady || !strings.Contains(o.err, full) {
		t.Errorf("start: exit status %d, signal %v: %.1000s", o.code, o.signal, o.err)
	}
	t.Log(o.err)
	if err := os.Remove(others); err != nil {
		t.Fatal(err)
	}
	p = startRole(t, "full", "-dir", dir)
	if got := p.ask("read"); got != "20 ok" {
		t.Error(got)
	}
	if o := p.wait(); o.code != 0 {
		t.Errorf("%+v", o)
	}
}
