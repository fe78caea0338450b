//go:build faults

package fault

import "os"

// On reports whether the bug is to be there that the environment names.
func On(name string) bool { return os.Getenv("ILIUM_FAULT") == name }
