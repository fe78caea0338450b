// Package peer carries requests between the nodes of a cluster: many at once over one connection, each with a deadline, answered
// in any order.
//
// # Use
//
// A node has one [Hub], which listens at one address and knows other nodes by their host id:
//
//	hub, err := peer.Listen(ctx, "10.0.0.1:7000", peer.Options{
//		Cluster: "orders", Self: id, Sockets: peer.TCP(),
//		Resolve:  topology.Address,
//		Handlers: map[peer.Verb]peer.Handler{peer.VerbRead: read},
//	})
//	...
//	answer, err := hub.Call(ctx, other, peer.VerbRead, body)
//
// [Hub.Send] is the same without a goroutine that waits: it never blocks, and calls back once. What it calls runs on the goroutine that
// reads from the other node, so it must not block, and must not wait for another answer; it never runs before Send returns on
// the goroutine that calls Send. The answer it is given is valid during the call only. [Hub.CallAddress] is for nodes of which only an address is
// known, such as seeds. [Hub.DialStream] and [Hub.Streams] make plain connections over the same port, for protocols of their own.
//
// A [Handler] runs on a goroutine that is used again and again. Its context ends when the deadline of the request passes or the
// hub closes; its answer can be built in Request.Memory, which saves an allocation.
//
// # Errors
//
// A call ends with an answer or with one of these:
//
//   - *[Failure]: the other node has answered that it could not. [CodeOverloaded] and [CodeUnknownVerb] mean that nothing was done; codes from
//     [FirstCode] on are the handlers' own.
//   - *[TimeoutError]: the deadline passed. The other node may have done what it was asked.
//   - *[UnreachableError]: there is no connection, or it ended while the request was under way, in which case the other node may have done
//     what it was asked. Its cause may be a *[HandshakeError], an *[IdentityError], [ErrBacklog] or [ErrClosed].
//   - *[SizeError]: the request is larger than Options.MaxFrame. Nothing was sent.
//   - [ErrSelf]: a node does not send to itself.
//   - the error of Call's context, if it was cancelled.
//
// # Connections
//
// A hub dials one connection to each node it sends to, at the first request, and a second one for verbs that move much data
// ([Verb.Bulk]), so that these do not delay the others. Requests go from the dialler to the acceptor, answers the other way: two
// nodes that ask each other have two connections. While a connection is being dialled, requests wait for it, until there are MaxFrame bytes of them;
// all fail if dialling fails. As many may wait for a node that takes them slowly. After that, requests fail at once for 100 ms, and for longer after each further attempt, up to
// 2 s; [Hub.Retry] ends this when something says that the node is up again. The address is asked for at each attempt, so a
// node that comes back at another address is found there as soon as the old connection has ended.
//
// A connection on which nothing has arrived for 5 s although an answer is missing is closed. Before, after half of that time, a ping goes
// out, which is answered whatever the handlers do, and a node that takes a large request for long says so now and then: only a dead
// node or a broken network is silent, in one direction or both. Nothing is sent while nothing is unanswered.
//
// Each connection has one goroutine that writes what has gathered with as few system calls as possible, and one that reads. A call that waits
// costs an entry in a table, and no goroutine or timer.
//
// # Limits
//
// Requests and answers have up to Options.MaxFrame bytes; memory for them is allocated as they arrive. The requests that handlers are at work on
// have up to Options.MaxInFlight bytes together, with their answers, which are taken to be as large as the verb's usually are until they are there.
// Requests that come then fail with CodeOverloaded; verbs by which the cluster governs itself (from
// VerbRaft to below VerbPull) have a quarter more, so that load alone does not take nodes apart. A node that takes no answers is read from no
// more once 8 MiB of them wait. Requests whose deadline has passed before their handler could start are dropped.
//
// # Bytes
//
// A connection begins with a message from each side: magic bytes, a range of versions of the protocol, the class of the connection, the cluster's
// name, host ids, and whether to compress. Each side refuses another cluster, a version out of range and a node that is not
// who was expected, and says why, to the other side and, at most once a minute for each address, in its log. Who says nothing, or nothing sensible,
// within 5 s and 1 KiB is dropped. Frames follow, little-endian:
//
//	0   uint32  length of the payload
//	4   uint8   kind: 1 request, 2 answer, 3 failure, 4 ping, 5 pong; with 0x80 if the payload is compressed (S2 block)
//	5   uint8   verb
//	6   uint16  code of a failure
//	8   uint64  id, chosen by who asks
//	16  uint32  milliseconds that are left for the answer; all ones: no limit
//	20  uint32  CRC32C of the payload
//	24  uint32  CRC32C of the 24 bytes above
//	28  payload; the message of a failure
//
// A frame that breaks these rules ends its connection. Compression, if both sides have it on, is for payloads from 1 KiB that get smaller by it.
//
// # Tests
//
// All of this runs on [Sockets]. Package memory has simulated ones, which lose, delay and block at a test's will and run in
// bubbles of testing/synctest.
package peer
