// Package cqltype knows the types of CQL as of Cassandra 5.0: their names, which bytes are a value, in which order
// values sort, their keys, the literals that stand for them, how they look to people, and their Go forms.
//
// # Values
//
// A value is a []byte in the serialized form of the native protocol, version 5. A nil slice is null; zero
// bytes that are not nil are Cassandra's empty value, which most types of a fixed size have besides the
// ordinary ones. Methods that read values expect those that Validate accepts: bytes from outside go through
// it once, before anything else. Other bytes never make a method panic, but what comes out is unspecified.
//
// Type is immutable and safe for concurrent use, like everything else here.
//
// # Order and keys
//
// Compare is the order of clustering columns, of set elements and of map keys. AppendKey turns values into bytes that
// bytes.Compare puts into the same order, so that a storage engine that knows only bytes keeps rows sorted:
//
//	key = cqltype.TypeText.AppendKey(key, word, false)
//	key = cqltype.TypeTimestamp.AppendKey(key, sentAt, true) // newest first
//
//	low := key
//	high := cqltype.PrefixSuccessor(nil, key) // all rows with that word and time
//
// The keys of text, ascii, blob and duration are the bytes with 00 written as 00 FF, closed by 00 01. All others start
// with a marker byte that tells empty values from others: int takes 1+4 bytes, timestamp 1+8, uuid 1+16. A number has
// its sign turned, a uuid its version or time moved to the front, a varint its length in the marker, and a decimal
// becomes exponent and digits; the comments of the codecs have the details. With desc all bits are turned. These
// forms are stored on disk: changing one needs a migration.
//
// Values that compare equal, such as the decimals 1.0 and 1.00, have one key. What ReadKey returns for them: the decimal
// with the fewest digits (but integers of up to 40 digits with scale 0), the varint without needless bytes, true as
// 01, the NaN of Java, and tuples and UDTs with all their fields.
//
// # Where it differs from Cassandra
//
// Some values and literals that Cassandra lets in, and then cannot read back or sort, are refused: a time
// beyond the day, a decimal without a number, a duration with bytes behind it, a collection with a negative
// count, a vector of durations as a key, a counter in a collection. A decimal literal may exceed the range of a double.
// The dimension of a vector is limited to what Cassandra's documentation says. Time zone abbreviations that mean
// several zones are unknown, and host names are not looked up for an inet.
//
// # Go forms
//
// Encode takes and Decode fills:
//
//	ascii, text        string, []byte
//	blob               []byte, string
//	boolean            bool
//	tinyint to bigint  any integer type and *big.Int, with range checks; counter too
//	float, double      float32, float64; a double is not decoded into a float32
//	varint             any integer type, *big.Int, string
//	decimal            Decimal, string; Encode also takes what varint does
//	date               Date, time.Time, string
//	time               time.Duration, int64, string
//	timestamp          time.Time, int64 (milliseconds), string
//	duration           Duration, string; Encode also takes time.Duration
//	inet               netip.Addr, net.IP, string
//	uuid, timeuuid     UUID, any [16]byte, []byte, string
//	list, vector       slice, array
//	set                slice, array, map[T]struct{}
//	map                map, []Entry
//	tuple              slice, array, struct (exported fields in order)
//	UDT                map[string]T, struct (fields by tag cql:"name" or lower-cased name)
//
// Named types count as what they are made of. Pointers may be nil for null, as may slices and maps for Encode. A variable
// of type any receives what GoValue returns. Other types implement Encoder and Decoder.
package cqltype
