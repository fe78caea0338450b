package frame

// A Message is the content of a frame: what one opcode means. The types that implement it can be encoded and decoded, so
// server and client share them.
type Message interface {
	// Opcode returns the opcode of frames that carry the message.
	Opcode() Opcode

	// Decode reads the message from the body of a frame, behind the prologue. It overwrites all fields and reuses the slices
	// that they hold. Fields of type []byte become parts of body: they are valid as long as it is. Strings are copies. Nothing
	// is allocated for what body merely announces. Decode returns a ProtocolError for a body that is too short
	// or wrong; the fields are then unspecified. Bytes behind the message are ignored, as the protocol demands.
	Decode(body []byte, v Version) error

	// Encode appends the message in the form of that version. It returns an EncodeError, and dst as it was, if the version
	// cannot express it.
	Encode(dst []byte, v Version) ([]byte, error)
}

// NewMessage returns an empty message of an opcode, nil if there is none. For RESULT, whose body tells the type, it
// returns a Void; see NewResult.
func NewMessage(o Opcode) Message {
	switch o {
	case OpError:
		return new(Error)
	case OpStartup:
		return new(Startup)
	case OpReady:
		return new(Ready)
	case OpAuthenticate:
		return new(Authenticate)
	case OpOptions:
		return new(Options)
	case OpSupported:
		return new(Supported)
	case OpQuery:
		return new(Query)
	case OpResult:
		return new(Void)
	case OpPrepare:
		return new(Prepare)
	case OpExecute:
		return new(Execute)
	case OpRegister:
		return new(Register)
	case OpEvent:
		return new(Event)
	case OpBatch:
		return new(Batch)
	case OpAuthChallenge:
		return new(AuthChallenge)
	case OpAuthResponse:
		return new(AuthResponse)
	case OpAuthSuccess:
		return new(AuthSuccess)
	default:
		return nil
	}
}

// DecodeMessage returns the prologue and the message of a frame of any kind, newly allocated. It suits clients and tools; a
// server switches on the opcode and decodes into messages that it reuses.
func DecodeMessage(f Frame) (Prologue, Message, error) {
	var p Prologue
	body, err := p.Decode(f)
	if err != nil {
		return p, nil, err
	}
	m := NewMessage(f.Opcode)
	if f.Opcode == OpResult {
		kind, err := KindOf(body)
		if err != nil {
			return p, nil, err
		}
		m = NewResult(kind)
	}
	if m == nil {
		return p, nil, unknownOpcode(f.Opcode)
	}
	return p, m, m.Decode(body, f.Version)
}
