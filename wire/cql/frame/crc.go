package frame

import "hash/crc32"

// CRC24 protects headers of segments (section 2.1 of version 5). It takes bytes as they come, highest bit first.
const (
	crc24Polynomial = 0x1974f0b
	crc24Initial    = 0x875060
)

// crc24Table holds, for each byte, what it does to the checksum.
var crc24Table = makeCRC24Table()

func makeCRC24Table() (table [256]uint32) {
	for i := range table {
		crc := uint32(i) << 16
		for range 8 {
			if crc <<= 1; crc&0x1000000 != 0 {
				crc ^= crc24Polynomial
			}
		}
		table[i] = crc
	}
	return table
}

func crc24(b []byte) uint32 {
	crc := uint32(crc24Initial)
	for _, c := range b {
		crc = crc<<8&0xffffff ^ crc24Table[byte(crc>>16)^c]
	}
	return crc
}

// crc32Initial is the CRC32 of the bytes FA 2D 55 CA, which Cassandra puts in front of every payload in thought; the
// specification does not mention them.
const crc32Initial = 0x44777ed3

// payloadCRC is the checksum of the payload of a segment.
func payloadCRC(payload []byte) uint32 { return crc32.Update(crc32Initial, crc32.IEEETable, payload) }
