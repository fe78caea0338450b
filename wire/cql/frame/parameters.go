package frame

import (
	"math"

	"github.com/iliumdb/ilium/coordinator/consistency"
)

// Parameters say how a QUERY or an EXECUTE is to be run.
type Parameters struct {
	Consistency consistency.Level

	// Values are bound to the markers of the statement: to those called Names, which has one name for each value, or in the
	// order of the statement if Names is empty.
	Values []Value
	Names  []string

	SkipMetadata bool   // the client knows the columns of the result: do not send them
	PageSize     int32  // rows a page; not positive: everything at once
	PagingState  []byte // where the page begins, as an earlier result said; nil for the first page

	Settings
}

// Settings are those parameters that a BATCH has too.
type Settings struct {
	// SerialConsistency is the level of the serial phase of conditional updates, Serial or LocalSerial. Zero means that the
	// client has not said, and Serial is to be used. Decode does not look whether the level is serial.
	SerialConsistency consistency.Level

	HasTimestamp bool
	Timestamp    int64 // of writes that do not say another, in microseconds

	Keyspace string // of tables without one, instead of the connection's; version 5 only

	HasNow bool
	Now    uint32 // the current time in seconds, for tests of TTL; version 5 only
}

// Flags of the parameters (section 4.1.4): a [byte] in versions 3 and 4, an [int] in version 5.
const (
	parameterValues            = 0x0001
	parameterSkipMetadata      = 0x0002
	parameterPageSize          = 0x0004
	parameterPagingState       = 0x0008
	parameterSerialConsistency = 0x0010
	parameterTimestamp         = 0x0020
	parameterNames             = 0x0040
	parameterKeyspace          = 0x0080
	parameterNow               = 0x0100
)

// parameterFlags reads the flags. Those that no version knows are ignored, as in Cassandra.
func (d *decoder) parameterFlags(v Version) int32 {
	if v >= V5 {
		return d.int("flags")
	}
	flags := int32(d.byte("flags"))
	if flags&parameterKeyspace != 0 {
		d.fail("flags", 1, "a keyspace in version %s", v)
	}
	return flags
}

func (e *encoder) parameterFlags(flags int32, v Version) {
	if v >= V5 {
		e.int(flags)
		return
	}
	e.byte(byte(flags))
}

func (p *Parameters) decode(d *decoder, v Version) {
	p.Consistency = d.level("consistency")
	flags := d.parameterFlags(v)
	p.SkipMetadata = flags&parameterSkipMetadata != 0
	p.decodeValues(d, flags, v)
	p.PageSize = 0
	if flags&parameterPageSize != 0 {
		p.PageSize = d.int("page size")
	}
	p.PagingState = nil
	if flags&parameterPagingState != 0 {
		p.PagingState = d.bytes("paging state")
	}
	p.Settings.decode(d, flags)
}

func (p *Parameters) decodeValues(d *decoder, flags int32, v Version) {
	n, names := 0, 0
	if flags&parameterValues != 0 {
		size := 4
		if flags&parameterNames != 0 {
			size = 6
		}
		n = d.count("values", size)
		if flags&parameterNames != 0 {
			names = n
		}
	}
	p.Values, p.Names = reuse(p.Values, n), reuse(p.Names, names)
	for i := range p.Values {
		if names > 0 {
			p.Names[i] = d.string("name of a value")
		}
		p.Values[i] = d.value("value", v)
	}
}

func (s *Settings) decode(d *decoder, flags int32) {
	*s = Settings{}
	if flags&parameterSerialConsistency != 0 {
		s.SerialConsistency = d.level("serial consistency")
		if s.SerialConsistency == consistency.Any {
			d.fail("serial consistency", 2, "it is ANY")
		}
	}
	if flags&parameterTimestamp != 0 {
		s.HasTimestamp = true
		s.Timestamp = d.long("timestamp")
		if s.Timestamp == math.MinInt64 {
			d.fail("timestamp", 8, "Out of bound timestamp, must be in [%d, %d] (got %d)",
				math.MinInt64+1, math.MaxInt64, s.Timestamp)
		}
	}
	if flags&parameterKeyspace != 0 {
		s.Keyspace = d.string("keyspace")
	}
	if flags&parameterNow != 0 {
		s.HasNow = true
		s.Now = uint32(d.int("now in seconds"))
	}
}

func (p *Parameters) encode(e *encoder, v Version) {
	e.short("consistency", int(p.Consistency))
	flags := p.Settings.flags()
	set := func(flag int32, wanted bool) {
		if wanted {
			flags |= flag
		}
	}
	set(parameterValues, len(p.Values) > 0)
	set(parameterNames, len(p.Names) > 0)
	set(parameterSkipMetadata, p.SkipMetadata)
	set(parameterPageSize, p.PageSize != 0)
	set(parameterPagingState, p.PagingState != nil)
	e.parameterFlags(flags, v)
	if len(p.Names) > 0 && len(p.Names) != len(p.Values) {
		e.fail("names of values", "%d names for %d values", len(p.Names), len(p.Values))
		return
	}
	if len(p.Values) > 0 {
		e.short("values", len(p.Values))
	}
	for i := range p.Values {
		if len(p.Names) > 0 {
			e.string("name of a value", p.Names[i])
		}
		e.value("value", p.Values[i], v)
	}
	if p.PageSize != 0 {
		e.int(p.PageSize)
	}
	if p.PagingState != nil {
		e.bytes("paging state", p.PagingState)
	}
	p.Settings.encode(e, v)
}

func (s *Settings) flags() int32 {
	var flags int32
	if s.SerialConsistency != 0 {
		flags |= parameterSerialConsistency
	}
	if s.HasTimestamp {
		flags |= parameterTimestamp
	}
	if s.Keyspace != "" {
		flags |= parameterKeyspace
	}
	if s.HasNow {
		flags |= parameterNow
	}
	return flags
}

func (s *Settings) encode(e *encoder, v Version) {
	if s.SerialConsistency != 0 {
		e.short("serial consistency", int(s.SerialConsistency))
	}
	if s.HasTimestamp {
		e.long(s.Timestamp)
	}
	if s.Keyspace != "" {
		e.needs(v, V5, "keyspace")
		e.string("keyspace", s.Keyspace)
	}
	if s.HasNow {
		e.needs(v, V5, "now in seconds")
		e.int(int32(s.Now))
	}
}

// needs fails if v is older than the version that has the field.
func (e *encoder) needs(v, least Version, field string) {
	if v < least {
		e.fail(field, "it came with version %s, this is %s", least, v)
	}
}
