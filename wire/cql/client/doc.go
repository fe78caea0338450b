// Package client is a client of Cassandra's native protocol: one connection to one node, one request at a time. It speaks
// to Ilium and to Apache Cassandra alike. It is made for tools that people run, such as a shell; it has no pool, does not
// retry, and knows nothing of the cluster. Programs use one of Cassandra's drivers.
//
//	conn, err := client.Dial(ctx, "127.0.0.1:9042", client.Options{Username: "ada", Password: secret})
//	if err != nil {
//		return err
//	}
//	defer conn.Close()
//	result, err := conn.Query(ctx, client.Request{Text: "SELECT * FROM ks.t", Consistency: consistency.One, PageSize: 100})
//	if refused, ok := errors.AsType[*frame.Error](err); ok {
//		fmt.Println(refused.Code, refused.Message)
//	}
//	for row := range result.Each() {
//		...
//	}
//
// # Connecting
//
// Dial begins with version 5 of the protocol and steps down to 4 and 3 where the server refuses it. A server that asks for
// a password gets the one of the options, by SASL PLAIN.
//
// # Paging
//
// A result with a PagingState has a next page: the same Request with that state asks for it.
//
// # Giving up
//
// When the context of a Query ends, Query returns its error and the connection stays usable: the answer is dropped when
// it comes. The server goes on with what it has begun; the protocol has no message to stop it. Only a request that was not
// sent whole makes the connection unusable, as does every other error of the network; Broken tells.
package client
