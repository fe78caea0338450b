package storage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// A watermark is a small file that says up to which commit sequence number writes were
// durable, and so what recovery must reach. Badger takes a damaged write-ahead log for one that
// ends early; the watermark tells that from the end a crash leaves.
type watermark struct {
	file *os.File
	mu   sync.Mutex
	buf  [watermarkSize]byte // guarded by mu
}

const (
	watermarkName = "COMMITTED"
	watermarkSize = 12 // sequence number u64, crc32c u32
)

// openWatermark opens the file in dir and returns the sequence number that recovery must reach,
// or 0 if there is none.
func openWatermark(dir string) (*watermark, uint64, error) {
	f, err := os.OpenFile(filepath.Join(dir, watermarkName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, 0, err
	}
	w := &watermark{file: f}
	n, err := f.ReadAt(w.buf[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, 0, errors.Join(err, f.Close())
	}
	if n < watermarkSize || !w.intact() {
		return w, 0, nil // new, or torn: it promises nothing
	}
	return w, binary.BigEndian.Uint64(w.buf[:]), nil
}

func (w *watermark) intact() bool {
	return crc32.Checksum(w.buf[:8], castagnoli) == binary.BigEndian.Uint32(w.buf[8:])
}

// set records that everything up to seq is durable. It is not synced itself: it may only lag.
func (w *watermark) set(seq uint64) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	binary.BigEndian.PutUint64(w.buf[:], seq)
	binary.BigEndian.PutUint32(w.buf[8:], crc32.Checksum(w.buf[:8], castagnoli))
	_, err := w.file.WriteAt(w.buf[:], 0)
	return err
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// syncPeriodically runs until the engine stops, and makes writes durable every period. Badger's
// own Sync covers only the newest write-ahead log, so the others are synced by their names.
func (e *Engine) syncPeriodically(period time.Duration) {
	tick := time.NewTicker(period)
	defer tick.Stop()
	for {
		select {
		case <-e.stop:
			return
		case <-tick.C:
			if err := e.syncLogs(); err != nil {
				_ = e.fail(fmt.Errorf("syncing the commit log: %w", err))
				return
			}
		}
	}
}

func (e *Engine) syncLogs() error {
	durable := e.visible.Load()
	if err := e.db.Sync(); err != nil {
		return err
	}
	logs, err := filepath.Glob(filepath.Join(e.opts.Dir, "*.mem"))
	if err != nil {
		return err
	}
	for _, name := range logs {
		f, err := os.OpenFile(name, os.O_RDWR, 0)
		if errors.Is(err, os.ErrNotExist) {
			continue // flushed into a table, which is synced
		}
		if err != nil {
			return err
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			return err
		}
	}
	return e.committed.set(durable)
}

// scrub checks all table files once a day, and those that Open left out soon after it.
func (e *Engine) scrub(left *verifier) {
	for wait := time.Duration(0); ; wait = 24 * time.Hour {
		timer := time.NewTimer(wait)
		select {
		case <-e.stop:
			timer.Stop()
			return
		case <-timer.C:
		}
		if left == nil {
			var err error
			if left, err = newVerifier(e.opts.Dir); err != nil {
				e.opts.Log.Warn("the stored files cannot be checked", "error", err)
				left = nil
				continue
			}
		}
		e.scrubFiles(left)
		left = nil
	}
}

// scrubFiles checks files one by one, leaving the disk time for others in between.
func (e *Engine) scrubFiles(v *verifier) {
	for len(v.todo) > 0 {
		if err := e.verify(v, 1); err != nil {
			e.opts.Log.Error("a stored file cannot be read", "error", err)
		}
		select {
		case <-e.stop:
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}
