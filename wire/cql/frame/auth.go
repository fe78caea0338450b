package frame

// Authenticate is AUTHENTICATE: the server wants to know who is there before it takes requests.
type Authenticate struct {
	Authenticator string // a class of Cassandra's by which drivers choose what to answer
}

// PasswordAuthenticator is the Authenticator that every driver knows: SASL PLAIN, a name and a password.
const PasswordAuthenticator = "org.apache.cassandra.auth.PasswordAuthenticator"

// Opcode returns OpAuthenticate.
func (*Authenticate) Opcode() Opcode { return OpAuthenticate }

// Decode implements Message.
func (a *Authenticate) Decode(body []byte, _ Version) error {
	d := decoder{message: "AUTHENTICATE", body: body}
	a.Authenticator = d.string("authenticator")
	return d.result()
}

// Encode implements Message.
func (a *Authenticate) Encode(dst []byte, _ Version) ([]byte, error) {
	e := newEncoder("AUTHENTICATE", dst)
	e.string("authenticator", a.Authenticator)
	return e.result()
}

// AuthResponse is AUTH_RESPONSE: what the client says to AUTHENTICATE or AUTH_CHALLENGE.
type AuthResponse struct {
	Token []byte // nil is null
}

// Opcode returns OpAuthResponse.
func (*AuthResponse) Opcode() Opcode { return OpAuthResponse }

// Decode implements Message.
func (a *AuthResponse) Decode(body []byte, _ Version) error {
	return decodeToken("AUTH_RESPONSE", body, &a.Token)
}

// Encode implements Message.
func (a *AuthResponse) Encode(dst []byte, _ Version) ([]byte, error) {
	return encodeToken("AUTH_RESPONSE", dst, a.Token)
}

// AuthChallenge is AUTH_CHALLENGE: the server wants to hear more.
type AuthChallenge struct {
	Token []byte // nil is null
}

// Opcode returns OpAuthChallenge.
func (*AuthChallenge) Opcode() Opcode { return OpAuthChallenge }

// Decode implements Message.
func (a *AuthChallenge) Decode(body []byte, _ Version) error {
	return decodeToken("AUTH_CHALLENGE", body, &a.Token)
}

// Encode implements Message.
func (a *AuthChallenge) Encode(dst []byte, _ Version) ([]byte, error) {
	return encodeToken("AUTH_CHALLENGE", dst, a.Token)
}

// AuthSuccess is AUTH_SUCCESS: the server takes requests.
type AuthSuccess struct {
	Token []byte // nil is null
}

// Opcode returns OpAuthSuccess.
func (*AuthSuccess) Opcode() Opcode { return OpAuthSuccess }

// Decode implements Message.
func (a *AuthSuccess) Decode(body []byte, _ Version) error {
	return decodeToken("AUTH_SUCCESS", body, &a.Token)
}

// Encode implements Message.
func (a *AuthSuccess) Encode(dst []byte, _ Version) ([]byte, error) {
	return encodeToken("AUTH_SUCCESS", dst, a.Token)
}

func decodeToken(message string, body []byte, token *[]byte) error {
	d := decoder{message: message, body: body}
	*token = d.bytes("token")
	return d.result()
}

func encodeToken(message string, dst, token []byte) ([]byte, error) {
	e := newEncoder(message, dst)
	e.bytes("token", token)
	return e.result()
}
