package kv

import (
	"encoding/binary"
	"fmt"
)

// nonceSize is the length of what a value begins with, which decides the rest together with its place.
const nonceSize = 8

// A place is where a value belongs.
type place struct {
	key, column int64 // the column, or the position in a partition
}

// fill writes a value with a nonce.
func (p place) fill(value []byte, nonce uint64) {
	binary.LittleEndian.PutUint64(value, nonce)
	state := p.state(nonce)
	rest := value[nonceSize:]
	for ; len(rest) >= 8; rest = rest[8:] {
		state += step
		binary.LittleEndian.PutUint64(rest, mix(state))
	}
	last := mix(state + step)
	for i := range rest {
		rest[i] = byte(last >> (8 * i))
	}
}

// check returns an error unless fill has made the value in this place, with so many bytes.
func (p place) check(value []byte, size int) error {
	if len(value) != size {
		return &WrongError{"wrong length", fmt.Sprintf("key %d, value %d has %d bytes, not %d", p.key, p.column, len(value), size)}
	}
	state := p.state(binary.LittleEndian.Uint64(value))
	rest := value[nonceSize:]
	wrong := uint64(0)
	for ; len(rest) >= 8; rest = rest[8:] {
		state += step
		wrong |= binary.LittleEndian.Uint64(rest) ^ mix(state)
	}
	last := mix(state + step)
	for i := range rest {
		wrong |= uint64(rest[i] ^ byte(last>>(8*i)))
	}
	if wrong != 0 {
		return &WrongError{"wrong value", fmt.Sprintf("key %d, value %d was not written there: %x", p.key, p.column, value)}
	}
	return nil
}

func (p place) state(nonce uint64) uint64 {
	return mix(nonce) ^ mix(mix(uint64(p.key)+step)+uint64(p.column))
}

// step and mix are those of SplitMix64: fast, and random enough that nothing compresses it.
const step = 0x9e3779b97f4a7c15

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
