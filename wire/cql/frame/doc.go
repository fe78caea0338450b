// Package frame is the codec of Cassandra's native protocol, versions 3, 4 and 5: frames, the messages in them, compression,
// and the segments in which version 5 sends frames. It knows no sockets and no goroutines: a Reader is fed with bytes, a
// Writer collects them. The server and its clients share it.
//
// # Receiving
//
// A Reader finds frames in the bytes of a connection. Their bodies are parts of its buffers, or of the caller's, without
// a copy wherever that is possible; they are valid until the Reader is called again. Decode methods overwrite the
// message they are called on and reuse its slices, so that a server which keeps one message of each type per connection
// takes a request apart without allocating. Values, ids and other []byte fields are parts of the body: who needs them for
// longer, copies them. Strings are copies.
//
//	reader := frame.NewServerReader(frame.HandshakeMaxLength)
//	for {
//		n, err := conn.Read(buffer)
//		...
//		reader.Feed(buffer[:n])
//		for {
//			f, err := reader.Next()
//			if err == frame.ErrIncomplete {
//				break
//			}
//			if refused, ok := errors.AsType[*frame.FrameError](err); ok {
//				writer.Add(refused.Header.Version, refused.Header.Stream, nil, refusal(err))
//				continue
//			}
//			if old, ok := errors.AsType[*frame.VersionError](err); ok {
//				conn.Write(old.AppendReply(nil))
//			}
//			if err != nil {
//				return err
//			}
//			body, err := prologue.Decode(f)
//			...
//			switch f.Opcode {
//			case frame.OpStartup:
//				err = startup.Decode(body, f.Version)
//				...
//				writer.Add(f.Version, f.Stream, nil, &frame.Ready{})
//				reader.Negotiate(f.Version, compression)
//				writer.Negotiate(f.Version, compression)
//				reader.SetMaxLength(frame.DefaultMaxLength)
//			case frame.OpExecute:
//				err = execute.Decode(body, f.Version)
//				...
//			}
//		}
//		conn.Write(writer.Bytes())
//		writer.Reset()
//	}
//
// # Sending
//
// Writer.Add encodes a message into a frame and puts it behind those that are there; Bytes returns what is to be sent. A
// frame can also be made elsewhere, with AppendFrame, and added by AddFrame. Rows are appended to Rows.Content as they
// are read, before it is known how many there will be.
//
//	rows := frame.Rows{Metadata: frame.Metadata{Columns: columns}}
//	for ... {
//		for ... {
//			rows.Content = frame.AppendValue(rows.Content, value)
//		}
//		rows.Count++
//	}
//	err := writer.Add(version, stream, nil, &rows)
//
// A client does the same with a NewClientReader; DecodeMessage suits it where allocating does not matter. It calls
// Reader.Negotiate when it has sent STARTUP, and Writer.Negotiate when it has received READY or AUTHENTICATE.
//
// # Bounds
//
// No length or count in received bytes is trusted. Memory is taken for what has come, not for what is announced: slices
// of a message have room for as many elements as the bytes left can hold, a Reader grows with what it is fed, and
// a body that is longer than the limit is dropped as it comes. Decompression is bounded by the limit too, and by what
// so few bytes can stand for. Decode never panics; it returns a ProtocolError that says what is wrong and where.
//
// # Versions
//
// Encode leaves out what a version has no place for if leaving it out is harmless, such as warnings or the id of metadata
// in version 3, and translates errors and schema changes as Cassandra does; otherwise, as for an unset value in version
// 3, it returns an EncodeError. Types that a version has no id for travel as custom types: date, time, smallint and
// tinyint in version 3, duration in versions 3 and 4, vectors in all.
//
// Frames, types and segments were compared with those of Cassandra 5.0.6 (testdata). Where it differs from the text of the
// specification, this package does what Cassandra does: segments are marked as not compressed by a zero length of what
// they are when decompressed, not by one of what they are on the wire; the CRC32 of payloads begins as if four more bytes
// stood in front; requests of versions 1 and 2 are refused in their own format; a frame that claims to be compressed is
// taken as it is if no compression was agreed upon; now in seconds is unsigned.
package frame
