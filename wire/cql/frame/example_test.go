package frame_test

import (
	"fmt"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/wire/cql/frame"
)

// A server and a client talk through slices of bytes instead of a socket.
func Example() {
	s := &server{reader: frame.NewServerReader(frame.HandshakeMaxLength)}
	reader := frame.NewClientReader(frame.DefaultMaxLength)
	var writer frame.Writer
	call := func(m frame.Message) frame.Message {
		if err := writer.Add(frame.V5, 0, nil, m); err != nil {
			return nil
		}
		reader.Feed(s.answer(writer.Bytes()))
		writer.Reset()
		f, err := reader.Next()
		if err != nil {
			return nil
		}
		_, answer, err := frame.DecodeMessage(f)
		if err != nil {
			return nil
		}
		return answer
	}

	options := map[string]string{frame.OptionCQLVersion: "3.0.0", frame.OptionCompression: frame.LZ4.String()}
	reader.Negotiate(frame.V5, frame.LZ4)
	fmt.Printf("%T\n", call(&frame.Startup{Options: options}))
	writer.Negotiate(frame.V5, frame.LZ4)

	q := &frame.Query{Text: "SELECT word FROM words", Parameters: frame.Parameters{Consistency: consistency.LocalOne}}
	rows := call(q).(*frame.Rows)
	for row := range rows.Each() {
		fmt.Println(rows.Metadata.Columns[0].Name, "=", string(row[0]))
	}
	fmt.Println(call(&frame.Prepare{Text: "?"}))
	// Output:
	// *frame.Ready
	// word = hello
	// word = world
	// INVALID: only queries, please
}

// server answers every query with the same two rows.
type server struct {
	reader *frame.Reader
	writer frame.Writer
	query  frame.Query // reused
}

// answer returns what to send for what was received.
func (s *server) answer(received []byte) []byte {
	s.writer.Reset()
	s.reader.Feed(received)
	for {
		f, err := s.reader.Next()
		if err != nil {
			return s.writer.Bytes() // a real server looks what the error is: see Reader.Next
		}
		var prologue frame.Prologue
		body, err := prologue.Decode(f)
		if err == nil {
			err = s.handle(f, body)
		}
		if err != nil {
			refusal := &frame.Error{Code: frame.ErrorInvalid, Message: err.Error()}
			if err := s.writer.Add(f.Version, f.Stream, nil, refusal); err != nil {
				return nil
			}
		}
	}
}

func (s *server) handle(f frame.Frame, body []byte) error {
	switch f.Opcode {
	case frame.OpStartup:
		var startup frame.Startup
		if err := startup.Decode(body, f.Version); err != nil {
			return err
		}
		compression, err := frame.ParseCompression(startup.Options[frame.OptionCompression], f.Version)
		if err != nil {
			return err
		}
		if err := s.writer.Add(f.Version, f.Stream, nil, &frame.Ready{}); err != nil {
			return err
		}
		s.reader.Negotiate(f.Version, compression)
		s.writer.Negotiate(f.Version, compression)
		s.reader.SetMaxLength(frame.DefaultMaxLength)
		return nil
	case frame.OpQuery:
		if err := s.query.Decode(body, f.Version); err != nil {
			return err
		}
		column := frame.Column{Keyspace: "ks", Table: "words", Name: "word", Type: cqltype.TypeText}
		rows := frame.Rows{Metadata: frame.Metadata{Columns: []frame.Column{column}}}
		rows.AppendRow([]byte("hello"))
		rows.AppendRow([]byte("world"))
		return s.writer.Add(f.Version, f.Stream, nil, &rows)
	default:
		return fmt.Errorf("only queries, please")
	}
}
