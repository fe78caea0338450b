package node

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/iliumdb/ilium/config"
)

// gossipKeySize is the size of a key for AES-256.
const gossipKeySize = 32

// gossipKeys reads the keys that gossip is encrypted with, one to a line, in base64 or hexadecimal. The first is used to
// send. There are none without a file.
func gossipKeys(file string) ([][]byte, error) {
	if file == "" {
		return nil, nil
	}
	content, err := config.ReadSecretFile(file)
	if err != nil {
		return nil, fmt.Errorf("gossip_encryption_key_file %s: %w", file, err)
	}
	var keys [][]byte
	for i, line := range strings.Split(string(content), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, err := hex.DecodeString(line)
		if err != nil {
			key, err = base64.StdEncoding.DecodeString(line)
		}
		if err != nil || len(key) != gossipKeySize {
			return nil, fmt.Errorf("gossip_encryption_key_file %s: line %d is no key of %d bytes in base64 or hexadecimal", file, i+1, gossipKeySize)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("gossip_encryption_key_file %s: it holds no key", file)
	}
	return keys, nil
}
