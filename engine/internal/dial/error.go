package dial

import (
	"errors"
	"fmt"
	"net/netip"
	"time"
)

var (
	errConnectTimeout   = errors.New("no connection within " + connectTimeout.String())
	errHandshakeTimeout = errors.New("no end of the TLS handshake within " + connectTimeout.String())
)

// Error is why a connection could not be made.
type Error struct {
	Code       uint16        // k6's
	Text       string        // bounded, without credentials
	Connecting time.Duration // of the TCP connect, if that went well
	err        error
}

func newError(err error) *Error {
	code, text := Classify(err)
	return &Error{Code: code, Text: text, err: err}
}

func (e *Error) Error() string { return e.Text }
func (e *Error) Unwrap() error { return e.err }

// deniedError is a name, or a literal, that leads to denied addresses only.
type deniedError struct {
	host string
	addr netip.Addr
}

func (e *deniedError) Error() string {
	if e.host == e.addr.String() {
		return fmt.Sprintf("address %v is on the deny-list", e.addr)
	}
	return fmt.Sprintf("%.100s leads to %v, which is on the deny-list", e.host, e.addr)
}

// blockedError is a name that the plan blocks.
type blockedError struct{ host string }

func (e *blockedError) Error() string { return fmt.Sprintf("%.100s is blocked by the plan", e.host) }

// lookupError is a lookup that failed, and how long that took.
type lookupError struct {
	err  error
	took time.Duration
}

func (e *lookupError) Error() string {
	return fmt.Sprintf("%v (after %v)", e.err, e.took.Round(time.Millisecond))
}
func (e *lookupError) Unwrap() error { return e.err }

// tlsError is a handshake that failed.
type tlsError struct{ err error }

func (e tlsError) Error() string { return "TLS handshake: " + e.err.Error() }
func (e tlsError) Unwrap() error { return e.err }
