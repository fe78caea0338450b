// Package shell runs CQL that people type, or keep in files.
//
// Command is `ilium shell`: statements go to a server over the native protocol, Ilium or Apache Cassandra, and results come
// back in the layout of cqlsh, the shell of Cassandra that needs Python. It knows cqlsh's commands for the shell itself, such as
// CONSISTENCY and TRACING; docs/SHELL.md describes them. CQLCommand is `ilium cql`: the statements are carried out on a node
// embedded in the process, without a server, and none of them is a command. Both print alike.
//
// The parts are: statements, which cuts text where statements end; printer and result, which lay out rows; shell, which holds
// the connection and the settings, and carries out statements and commands one after another; and editor, which reads
// lines from a terminal. A shell reads its input as it goes, so that a file may be endless and a terminal is asked for a line
// only when one is needed.
package shell
