//go:build !linux

package storage

// trimMapped does nothing where resident mapped files cannot be told apart and released.
func (e *Engine) trimMapped(int64) {}
