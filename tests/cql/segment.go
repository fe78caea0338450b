package cql

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
)

// The framing of native protocol version 5 (its section 2): after the handshake, frames travel in segments. A segment is
// a header of three bytes, their CRC24, the payload, and its CRC32. Without compression the header holds, from
// the lowest bit on, 17 bits of payload length and one bit that says whether the payload is whole frames.
const (
	maxSegment    = 1<<17 - 1
	selfContained = 1 << 17
)

// crc24 is the checksum of segment headers; its polynomial and start value are fixed by the specification.
func crc24(b []byte) uint32 {
	crc := uint32(0x875060)
	for _, c := range b {
		crc ^= uint32(c) << 16
		for range 8 {
			if crc <<= 1; crc&0x1000000 != 0 {
				crc ^= 0x1974f0b
			}
		}
	}
	return crc
}

// payloadCRC is the checksum of payloads: a CRC32 that has already seen four bytes.
func payloadCRC(b []byte) uint32 {
	return crc32.Update(crc32.ChecksumIEEE([]byte{0xfa, 0x2d, 0x55, 0xca}), crc32.IEEETable, b)
}

// appendSegments appends frame in as many segments as it needs.
func appendSegments(dst, frame []byte) []byte {
	flag := uint32(selfContained)
	if len(frame) > maxSegment {
		flag = 0
	}
	for len(frame) > 0 {
		payload := frame[:min(len(frame), maxSegment)]
		frame = frame[len(payload):]
		header := binary.LittleEndian.AppendUint32(nil, uint32(len(payload))|flag)[:3]
		crc := crc24(header)
		dst = append(dst, header...)
		dst = append(dst, byte(crc), byte(crc>>8), byte(crc>>16))
		dst = append(dst, payload...)
		dst = binary.LittleEndian.AppendUint32(dst, payloadCRC(payload))
	}
	return dst
}

// segmentReader reads the payloads of segments as one stream of bytes.
type segmentReader struct {
	r    *bufio.Reader
	rest []byte
}

func (s *segmentReader) Read(b []byte) (int, error) {
	for len(s.rest) == 0 {
		if err := s.next(); err != nil {
			return 0, err
		}
	}
	n := copy(b, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

func (s *segmentReader) next() error {
	var header [6]byte
	if _, err := io.ReadFull(s.r, header[:]); err != nil {
		return err
	}
	crc := crc24(header[:3])
	if [3]byte(header[3:]) != [3]byte{byte(crc), byte(crc >> 8), byte(crc >> 16)} {
		return fmt.Errorf("segment header %x has a wrong checksum", header)
	}
	length := (uint32(header[0]) | uint32(header[1])<<8 | uint32(header[2])<<16) & maxSegment
	b := make([]byte, length+4)
	if _, err := io.ReadFull(s.r, b); err != nil {
		return err
	}
	if binary.LittleEndian.Uint32(b[length:]) != payloadCRC(b[:length]) {
		return fmt.Errorf("segment of %d bytes has a wrong checksum", length)
	}
	s.rest = b[:length]
	return nil
}
