package process

import (
	"os"
	"regexp"
	"testing"

	"golang.org/x/sys/unix"
)

// A directory that must not be written. For root it is mounted read-only.
func TestReadOnlyDirectory(t *testing.T) {
	dir := t.TempDir()
	if o := run(t, "cql", "--set", dataIn(dir), "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"); o.code != 0 {
		t.Fatal(o.err)
	}
	makeReadOnly(t, dir)
	refusal{"read-only", nil, []string{"cql", "--set", dataIn(dir), "SELECT 1"},
		`data directory ` + regexp.QuoteMeta(dir) + `: .*(read-only file system|permission denied)`}.test(t)
}

// makeReadOnly makes a directory one that cannot be written, also for root.
func makeReadOnly(t *testing.T, dir string) {
	t.Helper()
	if os.Geteuid() != 0 {
		if err := os.Chmod(dir, 0o500); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(dir, 0o700) }) // so that it can be removed
		return
	}
	if err := unix.Mount(dir, dir, "", unix.MS_BIND, ""); err != nil {
		t.Skipf("a read-only directory cannot be made for root: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	if err := unix.Mount("", dir, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Skipf("a read-only directory cannot be made for root: %v", err)
	}
}
