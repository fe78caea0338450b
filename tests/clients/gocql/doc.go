// Package gocql drives the running program with Apache's Go driver, as an application would. Its folder v1 does the same
// with the driver's first major version.
//
// It is a module of its own, so that the drivers are no dependencies of Ilium.
package gocql
