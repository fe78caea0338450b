// Package hint keeps writes for endpoints that did not take them, and hands them over later.
//
// A hint is the body of a request that one replica should have carried out, as bytes that mean nothing
// here. The coordinator adds a hint when a replica is down or does not answer in time. When the
// endpoint is up, a Dispatcher replays what is there. Hints shorten the time in which replicas differ;
// only repair makes them the same, because hints can be lost: they are refused when there are too many,
// and dropped when they are too old.
//
// # Adding
//
// Add copies a hint into memory and returns. A goroutine writes what has gathered to disk every
// Options.FlushPeriod, or when much has gathered, and syncs it; a crash loses at most the hints of that
// time. Cassandra syncs when a file is complete, and can lose more. AddDurable returns when the hint is
// on disk. It is for writes at consistency level ANY, which a hint alone may acknowledge; those that
// wait at the same time share one fsync.
//
// A hint is refused, and counted as dropped, with
//   - a *WindowError if its endpoint is down for longer than Options.Window, or is down and has a hint
//     that has been waiting for longer than that (Cassandra's hint_window_persistent_enabled; it holds
//     when a restart has forgotten since when the endpoint is down). Such an endpoint needs repair.
//   - a *FullError if its endpoint's hints would take more than Options.MaxBytesPerHost.
//   - a *BusyError if the disk does not keep up and Options.MaxBuffer bytes wait for it.
//   - a *DiskFullError if Options.Free says so.
//   - an *ExpiredError if it is too old already; it is counted as expired.
//
// # Expiry
//
// A hint that is replayed after the tombstones that delete its data are gone would bring the data
// back. So each has a time of expiry, the smallest gc_grace_seconds of its tables after the write, and is
// not sent from then on. Files in which everything has expired are removed, also if their endpoint
// stays down.
//
// # Replaying
//
// Replay sends an endpoint's hints in the order in which they were added. Up to 128 hints, or 1 MiB of
// them, are under way at a time. A hint that the endpoint refuses for good, such as one for a table that
// was dropped, is skipped and counted as failed. Any other error ends the replay; the rest is kept. The
// position is written to the file now and then, so that a replay that ends early, or a crash, makes some
// hints be sent twice, and a hint must not mind that.
//
// Options.Throttle bounds what one endpoint gets from all other nodes. As in Cassandra, each node takes
// the part of it that belongs to one of the others: with three nodes, half. The bound is one for each
// endpoint, not one for all that this node sends. Transfer is Replay at the whole rate: it is for a node
// that leaves and gives its hints, with their expiry, to another one to keep.
//
// # Files
//
// A file is called <host id>-<milliseconds>-<number>.hints, with the time of its first hint and a number
// that orders the files of an endpoint. It has a header of 64 bytes: magic, version, host id, time
// and number as in the name, CRC32C; then the position of the replay, with a CRC32C, which is
// overwritten in place. Records follow:
//
//	length u32 | created i64 | expires i64 | CRC32C of these u32 | CRC32C of these and the body u32 | body
//
// Times are nanoseconds since 1970, numbers are big-endian. The checksums depend on the
// file's identity and the record's position too, so that bytes which were a record elsewhere are not taken for one, not
// even if they are in the body of a hint. The top bit of the length marks the seal, the last record of a complete
// file, with the newest time of creation, the latest expiry, and in its body the number of hints. A
// file is sealed when it has reached Options.MaxFileSize, when its replay begins, and by Close. Files that a
// crash has left without a seal are read by Open, which cuts off what is damaged at their end.
//
// A damaged record is logged and skipped: reading goes on at the next place where the checksums of a
// record are right.
package hint
