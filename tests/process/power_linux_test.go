package process

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// powerVariable asks for the test of power loss.
const powerVariable = "PROCESS_POWER_LOSS"

// An ext4Disk is an ext4 file system in a file, mounted through a loop device.
type ext4Disk struct {
	t          *testing.T
	image, dir string
	mounted    bool
}

func newExt4Disk(t *testing.T) *ext4Disk {
	t.Helper()
	if os.Getenv(powerVariable) == "" {
		t.Skipf("takes root and half a minute: set %s=1", powerVariable)
	}
	d := &ext4Disk{t: t, image: filepath.Join(t.TempDir(), "image"), dir: t.TempDir()}
	f, err := os.Create(d.image)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(1 << 30); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	d.command("mkfs.ext4", "-q", "-F", d.image)
	t.Cleanup(d.unmount)
	d.mount()
	return d
}

func (d *ext4Disk) command(name string, args ...string) {
	d.t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		d.t.Fatalf("%s %v: %v: %s", name, args, err, out)
	}
}

func (d *ext4Disk) mount() {
	d.t.Helper()
	d.command("mount", "-o", "loop", d.image, d.dir)
	d.mounted = true
}

func (d *ext4Disk) unmount() {
	d.t.Helper()
	if d.mounted {
		d.command("umount", d.dir)
		d.mounted = false
	}
}

// loseForever is the flag of EXT4_IOC_SHUTDOWN that drops everything which is not on the disk yet,
// the journal's newest entries too.
const (
	ioctlShutdown = 0x8004587d // EXT4_IOC_SHUTDOWN
	loseForever   = 2          // EXT4_GOING_FLAGS_NOLOGFLUSH
)

// fail takes the power away: from now on all writes and syncs fail, and what was not on the disk is lost.
func (d *ext4Disk) fail() {
	d.t.Helper()
	f, err := os.Open(d.dir)
	if err != nil {
		d.t.Fatal(err)
	}
	defer f.Close()
	flags := uint32(loseForever)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), ioctlShutdown, uintptr(unsafe.Pointer(&flags))); errno != 0 {
		d.t.Fatalf("EXT4_IOC_SHUTDOWN: %v", errno)
	}
}

// restore mounts the file system again, which replays its journal.
func (d *ext4Disk) restore() {
	d.t.Helper()
	d.unmount()
	d.mount()
}

// The power fails again and again under a writer. With commitlog_sync group, every acknowledged
// batch is there afterwards; with periodic, those that were acknowledged some periods before. In
// both no batch is torn.
func TestPowerLoss(t *testing.T) {
	for _, sync := range []string{"group", "periodic"} {
		t.Run(sync, func(t *testing.T) {
			disk := newExt4Disk(t)
			random, seed := newRandom(t)
			dir, l := filepath.Join(disk.dir, "data"), newLedger(seed)
			total, failures := 0, 12*rounds(t)
			for range failures {
				w := l.startWriter(t, dir, sync, "")
				settled := -1
				if !w.out.awaitCount(1 + random.IntN(1500)) {
					t.Fatalf("the writer ended by itself: %s", w.wait().err)
				}
				if sync == "periodic" {
					settled = l.awaitSync(t, w, dir)
				}
				disk.fail()
				w.kill()
				out := w.wait().out
				disk.restore()
				total += l.record(t, out)
				if settled >= 0 {
					l.doubt(t, out, settled)
				}
				l.verify(t, dir)
			}
			t.Logf("%d acknowledged batches, of which %d were synced: all of these are there; of the others %d are lost",
				total, len(l.acknowledged), l.absent)
			if sync == "periodic" && l.absent <= failures*threads {
				t.Error("nothing was lost that had not been synced: the power did not fail")
			}
		})
	}
}

var failedDisk = regexp.MustCompile(`(?m)^ilium: .*takes no more writes: .*input/output error`)

// The power of the disk fails, but the process lives on: it says so and ends.
func TestDiskFailure(t *testing.T) {
	disk := newExt4Disk(t)
	mail := filepath.Join(t.TempDir(), "mail.jsonl")
	generate(t, mail, 4000)
	dir := filepath.Join(disk.dir, "data")
	args := []string{"workload", "inbox", "load", "--data", mail, "--set", "data_directory=" + dir, "--set", "memory=64MiB"}
	p := ilium(t, args...)
	if p.err.await(progressLine) == nil {
		t.Fatal(p.wait().err)
	}
	disk.fail()
	if o := p.wait(); o.code != 1 || !failedDisk.MatchString(o.err) {
		t.Errorf("exit status %d, signal %v: %.2000s", o.code, o.signal, o.err)
	}
	disk.restore()
	if before := resume(t, args, 4000); before == 0 {
		t.Error("nothing was loaded before")
	}
	check(t, mail, "--set", "data_directory="+dir)
}
