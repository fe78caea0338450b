// Package http is the server for operators: what a node knows of itself and of its cluster, as JSON, and what can be done to
// them. `ilium status` and its like are its clients, and curl does as well.
//
//	server := http.New(operator, http.Options{Login: roles.Login})
//	go server.Serve(listener)
//	...
//	server.Stop(ctx)
//
// The server knows no node: what it shows and does is an Operator's.
//
// # Questions
//
// All are GET, under /api/v1/. The answers are the types of this package as JSON.
//
//	status?keyspace=    a *Status: the nodes, their state and what they own
//	ring?keyspace=      a *Ring: the tokens in order, each with its node
//	info                an *Info: the node that is asked
//	gossipinfo          []GossipNode: what nodes say of themselves
//	describecluster     a *Cluster: name, versions, keyspaces
//	netstats            a *Netstats: connections, and data on its way to this node
//	hints               []PendingHints: writes that wait for nodes which are down
//
// /healthz is answered as soon as the process serves, /readyz by 200 if the node takes clients and by 503 if not, both
// without a password and without a word about the node.
//
// # Actions
//
// All are POST, under /api/v1/, with the Content-Type application/json. What they need is in the URL; the body may be
// empty.
//
//	decommission?force=        the node gives its data to others and leaves the cluster; with force=true, also if too few are left
//	                           for the replication of a keyspace
//	removenode?id=             a dead node is taken out of the cluster
//	abort?id=                  the join of a node is given up
//	cleanup?keyspace=          data of ranges that the node is no replica of is removed; without a keyspace, of all of them
//	truncatehints?id=          hints are thrown away; without an id, all of them
//	compact?keyspace=&table=   data is brought into its compact form; without a table, that of all tables
//
// The answer is lines of JSON, each a Line. It begins with any number of {"progress":"..."} and ends with {"done":true} or
// {"error":"..."}. An action that fails before there was any progress is answered by a status that is not 200
// and {"error":"..."}. If the answer ends otherwise, the outcome is not known.
//
// An action goes on for as long as its client waits: it ends when the connection is closed, or the node stops. What a
// decommission has moved by then stays moved, and the node stays LEAVING: who asks again goes on there.
//
// # Errors
//
// All have the form {"error":"..."}. 400: the request makes no sense; 401: name or password are missing or wrong; 403: a web
// page of somewhere else has sent it; 404: no such thing; 405, 413, 415: as usual; 409: the state of the cluster
// does not allow it; 429: too many wrong passwords; 500: the node has failed; 501: the node cannot do it; 503: not now.
//
// # Who may ask
//
// With Options.Login, those who have the password of a role, by basic authentication, with the same waiting time for those who
// guess as elsewhere. Without, everybody who can connect. Whoever makes the listener has to see to it that those are the right
// ones.
//
// Browsers can connect to loopback addresses too, and do so for the pages of others. So actions are refused if they come from another
// origin, or are what a form could send; there is no CORS; and without passwords, which no page of others knows, or TLS, the Host of a
// request must be an address, localhost or one of Options.Hosts: a page whose name its owner has pointed at this machine
// ("DNS rebinding") counts as of the same origin.
package http
