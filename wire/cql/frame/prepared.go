package frame

import "encoding/binary"

// Prepared is the RESULT of PREPARE.
type Prepared struct {
	ID []byte // for EXECUTE

	// ResultMetadataID is the id of Result, for EXECUTE in version 5. Older versions have no place for it, so it is left out
	// there.
	ResultMetadataID []byte

	// Markers describes the bind markers.
	Markers []Column

	// PartitionKey holds, for each column of the partition key, the index of the marker that is bound to it, so that clients
	// can find the replicas. It is empty if not all have one. Version 4 and newer; left out in version 3.
	PartitionKey []uint16

	// Result describes the rows that executing returns; NoMetadata without columns if there are none.
	Result Metadata
}

// Opcode returns OpResult.
func (*Prepared) Opcode() Opcode { return OpResult }

// Decode implements Message.
func (p *Prepared) Decode(body []byte, v Version) error {
	d := decoder{message: "RESULT", body: body}
	d.kind(KindPrepared)
	p.ID, p.ResultMetadataID = d.shortBytes("statement id"), nil
	if v >= V5 {
		p.ResultMetadataID = d.shortBytes("result metadata id")
	}
	p.decodeMarkers(&d, v)
	p.Result.decode(&d, v)
	return d.result()
}

func (p *Prepared) decodeMarkers(d *decoder, v Version) {
	flags := d.int("marker flags")
	n := d.int("number of markers")
	if n < 0 {
		d.fail("number of markers", 4, "%d is negative", n)
	}
	keys := 0
	if v >= V4 {
		keys = d.longCount("partition key", 2)
	}
	p.PartitionKey = reuse(p.PartitionKey, keys)
	for i := range p.PartitionKey {
		p.PartitionKey[i] = uint16(d.short("partition key"))
	}
	none := flags&metadataNone != 0
	if none {
		n = 0
	}
	p.Markers = d.columns(p.Markers, int(n), flags&metadataGlobal != 0 && !none, v)
}

// Encode implements Message.
func (p *Prepared) Encode(dst []byte, v Version) ([]byte, error) {
	e := newEncoder("RESULT", dst)
	e.int(int32(KindPrepared))
	e.shortBytes("statement id", p.ID)
	if v >= V5 {
		e.shortBytes("result metadata id", p.ResultMetadataID)
	}
	global := sameTable(p.Markers)
	if global {
		e.int(metadataGlobal)
	} else {
		e.int(0)
	}
	e.size("number of markers", len(p.Markers))
	if v >= V4 {
		e.size("partition key", len(p.PartitionKey))
		for _, i := range p.PartitionKey {
			e.b = binary.BigEndian.AppendUint16(e.b, i)
		}
	}
	e.columns(p.Markers, global, v)
	p.Result.encode(&e, v)
	return e.result()
}
