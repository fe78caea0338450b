// Package v1 drives the running program with the first major version of the Go driver, which many programs still use.
// The tests are those of the folder above, but for what this version lacks.
package v1
