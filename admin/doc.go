// Package admin is the operator's part of the command line: `ilium status`, `ilium decommission` and so on. It asks a running
// node by HTTP (package wire/http) and prints what is answered, in the layout of Cassandra's nodetool where that has the same
// command.
//
//	root.AddCommand(admin.Commands()...)
//
// Each command takes --host and --http-port for the node to ask, --username and --password-file if nodes ask for passwords,
// and --tls, --cafile, --certfile and --keyfile if they use TLS. With --json, what the node has answered is printed as it is.
//
// An error is returned, so that the program ends with exit code 1; so is one in the middle of an action, after its progress has been
// printed.
package admin
