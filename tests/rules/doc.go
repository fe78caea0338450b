// Package rules holds the house rules as tests, so that they cannot be forgotten.
//
//	layers      a package imports only packages of the rows below its own, see layers_test.go;
//	            what comes from outside stays in the packages that are named for it there
//	comments    every package and every exported name has a doc comment
//	state       no init functions, and no package-level variable that changes
//	size        a file has 1000 lines at most, a function 100
//	sleep       no test sleeps: it waits for what it needs, or uses testing/synctest
//	paths       every path of the repository that the documents name exists
//
// The rules look at the source of the whole repository, parsed in this process: a test that asked
// `go list` would be cached by go test and miss a new import. A rule is a function from a tree of
// files to a list of complaints, and each has a test that gives it a small tree that breaks it.
//
// An exception to a rule is a line in the rule's file, with the reason.
package rules
