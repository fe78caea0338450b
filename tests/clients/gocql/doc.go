// Package gocql drives a running server of the CQL native protocol with Apache's Go driver, as an application would:
//
//	ilium start &
//	cd tests/clients/gocql && go test . -hosts 127.0.0.1:9042
//
// Without -hosts it builds the program from this repository and starts it on a free port. It is a module of its own, so
// that the driver is no dependency of Ilium.
package gocql
