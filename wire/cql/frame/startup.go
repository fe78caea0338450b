package frame

import (
	"maps"
	"slices"
	"strings"
)

// Options is OPTIONS: the client asks what it may say in STARTUP. It has no content.
type Options struct{}

// Opcode returns OpOptions.
func (*Options) Opcode() Opcode { return OpOptions }

// Decode implements Message.
func (*Options) Decode([]byte, Version) error { return nil }

// Encode implements Message.
func (*Options) Encode(dst []byte, _ Version) ([]byte, error) { return dst, nil }

// Names of the options of STARTUP and SUPPORTED.
const (
	OptionCQLVersion       = "CQL_VERSION"       // must be given in STARTUP
	OptionCompression      = "COMPRESSION"       // see Compression
	OptionDriverName       = "DRIVER_NAME"       // for the list of clients
	OptionDriverVersion    = "DRIVER_VERSION"    // for the list of clients
	OptionThrowOnOverload  = "THROW_ON_OVERLOAD" // "1": answer OVERLOADED instead of reading more slowly
	OptionProtocolVersions = "PROTOCOL_VERSIONS" // in SUPPORTED only; see SupportedVersions
)

// Startup is STARTUP: the client opens the conversation.
type Startup struct {
	Options map[string]string // names in upper case
}

// Opcode returns OpStartup.
func (*Startup) Opcode() Opcode { return OpStartup }

// Decode implements Message. As in Cassandra, names of options come out in upper case.
func (s *Startup) Decode(body []byte, _ Version) error {
	d := decoder{message: "STARTUP", body: body}
	s.Options = make(map[string]string)
	for range d.count("options", 4) {
		name := strings.ToUpper(d.string("name of an option"))
		s.Options[name] = d.string("option")
	}
	return d.result()
}

// Encode implements Message.
func (s *Startup) Encode(dst []byte, _ Version) ([]byte, error) {
	e := newEncoder("STARTUP", dst)
	e.short("options", len(s.Options))
	for _, name := range slices.Sorted(maps.Keys(s.Options)) {
		e.string("name of an option", name)
		e.string("option", s.Options[name])
	}
	return e.result()
}

// Supported is SUPPORTED, the answer to OPTIONS: for each option of STARTUP the values it may have.
type Supported struct {
	Options map[string][]string
}

// Opcode returns OpSupported.
func (*Supported) Opcode() Opcode { return OpSupported }

// Decode implements Message.
func (s *Supported) Decode(body []byte, _ Version) error {
	d := decoder{message: "SUPPORTED", body: body}
	s.Options = make(map[string][]string)
	for range d.count("options", 4) {
		name := d.string("name of an option")
		s.Options[name] = d.stringList("option", nil)
	}
	return d.result()
}

// Encode implements Message.
func (s *Supported) Encode(dst []byte, _ Version) ([]byte, error) {
	e := newEncoder("SUPPORTED", dst)
	e.short("options", len(s.Options))
	for _, name := range slices.Sorted(maps.Keys(s.Options)) {
		e.string("name of an option", name)
		e.stringList("option", s.Options[name])
	}
	return e.result()
}

// Ready is READY: the server takes requests. It has no content.
type Ready struct{}

// Opcode returns OpReady.
func (*Ready) Opcode() Opcode { return OpReady }

// Decode implements Message.
func (*Ready) Decode([]byte, Version) error { return nil }

// Encode implements Message.
func (*Ready) Encode(dst []byte, _ Version) ([]byte, error) { return dst, nil }
