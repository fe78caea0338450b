package hint

import (
	"log/slog"
	"time"

	"github.com/iliumdb/ilium/wire/peer"
)

// Options say how a Store works. Only Dir is needed.
type Options struct {
	Dir string // made if it is missing

	Window          time.Duration // that an endpoint may be down, or 0 for no bound
	MaxBytesPerHost int64         // on disk and in memory, or 0 for no bound
	MaxFileSize     int64         // after which the next file begins, or 0 for 128 MiB
	MaxBuffer       int64         // bytes in memory, or 0 for 32 MiB
	FlushPeriod     time.Duration // between writes to disk, or 0 for 10 s

	// Throttle is how many bytes in a second an endpoint gets from all nodes together, or 0 for no
	// bound. Nodes returns how many nodes the cluster has; nil stands for two.
	Throttle int64
	Nodes    func() int

	// Final reports whether an endpoint would refuse a hint with this failure again, so that it is
	// skipped and not kept. If it is nil, all failures are final.
	Final func(*peer.Failure) bool

	Free func() bool      // whether the disk has room; nil if it always has
	Now  func() time.Time // the time of day; nil stands for time.Now
	Log  *slog.Logger     // or nil
}

const (
	defaultFileSize    = 128 << 20
	defaultBuffer      = 32 << 20
	defaultFlushPeriod = 10 * time.Second
)

// complete returns o with the defaults filled in.
func (o Options) complete() Options {
	if o.MaxFileSize <= 0 {
		o.MaxFileSize = defaultFileSize
	}
	if o.MaxBuffer <= 0 {
		o.MaxBuffer = defaultBuffer
	}
	o.MaxBuffer = min(o.MaxBuffer, sealBit-1-recordSize) // so that any length fits
	if o.FlushPeriod <= 0 {
		o.FlushPeriod = defaultFlushPeriod
	}
	if o.Nodes == nil {
		o.Nodes = func() int { return 2 }
	}
	if o.Final == nil {
		o.Final = func(*peer.Failure) bool { return true }
	}
	if o.Free == nil {
		o.Free = func() bool { return true }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}
