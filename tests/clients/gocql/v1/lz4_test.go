package v1

import "github.com/apache/cassandra-gocql-driver/v2/lz4"

// A compressor is the LZ4 of the second version in the form of the first, which has its own in another module.
type compressor struct{ lz4.LZ4Compressor }

func (c compressor) Encode(data []byte) ([]byte, error) {
	return c.AppendCompressedWithLength(nil, data)
}

func (c compressor) Decode(data []byte) ([]byte, error) {
	return c.AppendDecompressedWithLength(nil, data)
}
