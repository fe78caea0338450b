//go:build faults

package coordinator

import "os"

// faulty reports whether the bug is to be there that the environment names.
func faulty(name string) bool { return os.Getenv("ILIUM_FAULT") == name }
