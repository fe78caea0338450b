package row

import (
	"encoding/binary"
	"hash/crc32"
)

// sealSize is what Seal puts in front of a body.
const sealSize = crc32.Size

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// BeginSeal appends room for a checksum to dst. The caller appends a body and calls EndSeal.
func BeginSeal(dst []byte) []byte {
	return append(dst, 0, 0, 0, 0)
}

// EndSeal fills in the CRC32C of key and of the body that was appended since BeginSeal.
// sealed is the whole value, checksum first.
func EndSeal(key, sealed []byte) {
	binary.LittleEndian.PutUint32(sealed, checksum(key, sealed[sealSize:]))
}

// Open returns the body of a sealed value, and false if its checksum does not fit it and its key.
func Open(key, sealed []byte) (body []byte, ok bool) {
	if len(sealed) <= sealSize {
		return nil, false
	}
	body = sealed[sealSize:]
	return body, binary.LittleEndian.Uint32(sealed) == checksum(key, body)
}

func checksum(key, body []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, body)
}
