// Package cql runs CQL scripts against a database and compares the outcomes with those of Cassandra.
//
// The scripts are the files testdata/<feature>/<topic>. Their outcomes were recorded from Apache Cassandra 5.0.6 and
// are what Ilium has to answer:
//
//	go test ./tests/cql                                    Ilium gives the recorded outcomes, called and over a connection
//	go test ./tests/cql -peer 127.0.0.1:9042               a Cassandra at that address gives them
//	go test ./tests/cql -peer 127.0.0.1:9042 -rewrite      record the outcomes of that Cassandra
//	go test ./tests/cql -rewrite                           record what Ilium answers where it differs on purpose
//
// A subset is chosen with -run, for example -run 'TestScripts/select/paging'.
//
// # Scripts
//
// A script is in the format of the datadriven module: a directive with arguments, its input, a line of four dashes, and
// the outcome up to an empty line. Lines that start with # between directives are comments. Each script starts in an
// empty keyspace of its own with SimpleStrategy and replication factor 1, which is the session's current keyspace; all
// its statements go over one connection. The directives:
//
//	setup          statements, each ended by a semicolon at the end of a line. All must succeed: the outcome is ok.
//	exec           one statement, sent as text.
//	bind           one statement, ended by a semicolon at the end of a line, which is prepared; each line after it
//	               is one execution with the values of its bind markers.
//	ilium          follows a directive with the argument differs: the input says why Ilium answers something else,
//	               the outcome is what it answers.
//
// Arguments of exec and bind:
//
//	page=2           fetch two rows at a time; "-- page" stands between two pages, an empty last page is left out
//	cl=QUORUM        consistency level, ONE without it
//	serial=LOCAL_SERIAL  serial consistency level, which is otherwise not sent
//	ts=123           the client's default timestamp in microseconds
//	now=2000000000   the client's "now" in seconds, against which expiry is measured; also for setup
//	brief            print the first and last row of each page only
//	markers          bind only: print names and types of the bind markers first, and which are the partition key
//	differs          an ilium directive follows
//
// The argument times=5000 of setup runs each statement that often, with $i replaced by 0, 1, 2 and so on.
//
// Values after bind are terms of CQL separated by commas, or name = term where the markers have names; besides terms
// there are unset, and raw 0x0102 for bytes that are sent whatever the type is. An execution without values is
// written as a line with a single dot.
//
// In the input, $ks is the name of the script's keyspace; names of other keyspaces begin with it, so that they are
// dropped at the end. <<text*65535>> stands for text that often in a row, less a comma or space at the end, and with
// $i in text replaced by 1, 2, 3 and so on.
//
// # Outcomes
//
// An outcome is ok, or rows, or "error <kind>: <message>", where kind is the name of the protocol's error code in
// lower case, for example invalid or read_timeout, and what the error carries besides its message follows in
// brackets. An error in the preparation of a bind is "prepare: error ...".
//
// Rows have a header with names and types of the columns, values as CQL literals, and their number at the end. Types
// are shown without frozen, which the protocol does not carry. Warnings follow as "-- warning: ...". The name of the
// keyspace is replaced by ks, and 40 or more equal characters by <<x*40>>.
package cql
