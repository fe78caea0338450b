package metadata

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/iliumdb/ilium/schema"
)

const compressorPackage = "org.apache.cassandra.io.compress."

// compressors are those of Cassandra, with the options each takes besides those of all.
var compressors = map[string][]string{
	"LZ4Compressor":     {lz4Type, lz4Level},
	"SnappyCompressor":  nil,
	"DeflateCompressor": nil,
	"ZstdCompressor":    {zstdLevel},
	"NoopCompressor":    nil,
}

// Options of compression.
const (
	enabledOption = "enabled"
	chunkOption   = "chunk_length_in_kb"
	ratioOption   = "min_compress_ratio"

	lz4Type   = "lz4_compressor_type"
	lz4Level  = "lz4_high_compressor_level"
	zstdLevel = "compression_level"
)

const defaultChunkKiB = 16

// parseCompression checks the map and returns it with the full name of the class and the chunk length.
func parseCompression(given map[string]string) (map[string]string, error) {
	enabled, switched := given[enabledOption]
	class, classified := given[classOption]
	switch {
	case len(given) == 0:
		return map[string]string{enabledOption: "false"}, nil
	case switched && !strings.EqualFold(enabled, "true"):
		if len(given) > 1 {
			return nil, schema.Misconfigured("If the 'enabled' option is set to false no other options must be specified")
		}
		return map[string]string{enabledOption: "false"}, nil
	case !classified:
		return nil, schema.Misconfigured("Missing sub-option 'class' for the 'compression' option.")
	case class == "":
		return nil, schema.Misconfigured("The 'class' option must not be empty. To disable compression use 'enabled' : false")
	}
	chunk, err := parseChunk(given)
	if err != nil {
		return nil, err
	}
	ratio, err := parseRatio(given)
	if err != nil {
		return nil, err
	}
	class = strings.TrimPrefix(class, compressorPackage)
	own, known := compressors[class]
	if !known {
		if !strings.Contains(class, ".") {
			class = compressorPackage + class
		}
		return nil, schema.Misconfigured("Could not create Compression for type %s", class)
	}
	if err := checkCompressor(class, given, own); err != nil {
		return nil, err
	}
	switch {
	case chunk <= 0:
		return nil, schema.Misconfigured("Invalid negative or null chunk_length_in_kb")
	case chunk&(chunk-1) != 0:
		return nil, schema.Misconfigured("chunk_length_in_kb must be a power of 2")
	case ratio < 0:
		return nil, schema.Misconfigured("Invalid negative min_compress_ratio")
	case ratio > 0 && ratio < 1:
		return nil, schema.Misconfigured("min_compress_ratio can either be 0 or greater than or equal to 1")
	}
	out := maps.Clone(given)
	delete(out, enabledOption)
	delete(out, ratioOption)
	out[classOption], out[chunkOption] = compressorPackage+class, strconv.FormatInt(chunk, 10)
	if ratio > 0 {
		out[ratioOption] = formatDouble(ratio)
	}
	return out, nil
}

// parseChunk returns the length of a chunk, in KiB.
func parseChunk(given map[string]string) (int64, error) {
	text, ok := given[chunkOption]
	if !ok {
		return defaultChunkKiB, nil
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0, schema.Misconfigured("Invalid value for chunk_length_in_kb")
	}
	if n > math.MaxInt32/1024 {
		return 0, schema.Misconfigured("Value of chunk_length_in_kb is too large (%d)", n)
	}
	return n, nil
}

func parseRatio(given map[string]string) (float64, error) {
	text, ok := given[ratioOption]
	if !ok {
		return 0, nil
	}
	ratio, ok := parseDouble(text)
	if !ok || math.IsNaN(ratio) || math.IsInf(ratio, 0) {
		return 0, schema.Misconfigured("Invalid value %s for min_compress_ratio", text)
	}
	return ratio, nil
}

// checkCompressor checks the options that only the one compressor has.
func checkCompressor(class string, given map[string]string, own []string) error {
	for _, name := range own {
		text, ok := given[name]
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 32)
		switch {
		case name == lz4Type && text != "high" && text != "fast":
			return schema.Misconfigured("Invalid compressor type '%s' specified for LZ4 parameter '%s'. Valid options are [high, fast].", text, name)
		case name == lz4Level && (err != nil || n < 1 || n > 17):
			return schema.Misconfigured("Invalid value [%s] for parameter '%s'. Value must be between 1 and 17.", text, name)
		case name == zstdLevel && (err != nil || n < -131072 || n > 22):
			return schema.Misconfigured("Invalid value %s for parameter '%s' of %s. Value must be between -131072 and 22.", text, name, class)
		}
	}
	known := append([]string{classOption, enabledOption, chunkOption, ratioOption}, own...)
	if unknown := keysBeside(given, known...); len(unknown) > 0 {
		return schema.Misconfigured("Unknown compression options %s", unknown[0])
	}
	return nil
}

// keysBeside returns the keys of m that are not known, in order.
func keysBeside(m map[string]string, known ...string) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(m)), func(key string) bool { return slices.Contains(known, key) })
}
