package dial

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"syscall"
	"unicode"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/summary"
)

// maxText bounds an error's text, in bytes.
const maxText = 300

// Classify maps a failure of the network to k6's error code (k6 v2.2; core's Code constants) and a short text for
// people. The text holds no credential: it never quotes a URL, nor what a server sent that is no HTTP.
func Classify(err error) (code uint16, text string) {
	var e *Error
	if errors.As(err, &e) {
		return e.Code, e.Text
	}
	return codeOf(err), textOf(err)
}

func codeOf(err error) uint16 {
	var (
		denied  *deniedError
		blocked *blockedError
		dns     *net.DNSError
		op      *net.OpError
	)
	switch {
	case exhausted(err):
		return summary.CodeGenerator
	case errors.As(err, &denied):
		return core.CodeDenied
	case errors.As(err, &blocked):
		return core.CodeBlocked
	case errors.As(err, &dns):
		if dns.IsNotFound {
			return core.CodeNoSuchHost
		}
		return core.CodeDNS
	case errors.Is(err, errConnectTimeout):
		return core.CodeDialTimeout
	case errors.Is(err, context.DeadlineExceeded):
		return core.CodeTimeout
	case errors.Is(err, syscall.ECONNRESET):
		return core.CodeReset
	case errors.Is(err, syscall.EPIPE):
		return core.CodeBrokenPipe
	}
	if code := tlsCode(err); code != 0 {
		return code
	}
	if code := http2Code(err); code != 0 {
		return code
	}
	if errors.As(err, &op) {
		return opCode(op)
	}
	return core.CodeGeneric
}

// exhausted tells whether the generator itself ran out of something: descriptors, ports, buffers or memory.
func exhausted(err error) bool {
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.EADDRNOTAVAIL, syscall.ENOBUFS, syscall.ENOMEM} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

func tlsCode(err error) uint16 {
	var (
		header    tls.RecordHeaderError
		authority x509.UnknownAuthorityError
		invalid   x509.CertificateInvalidError // expired, not for servers, ...
		hostname  x509.HostnameError
		alert     *net.OpError // crypto/tls hands its alerts out so
		handshake tlsError
	)
	switch {
	case errors.As(err, &header):
		return core.CodeTLSHeader
	case errors.As(err, &authority), errors.As(err, &invalid):
		return core.CodeUnknownAuthority
	case errors.As(err, &hostname):
		return core.CodeHostname
	case errors.As(err, &alert) && strings.HasSuffix(alert.Op, " error"), errors.As(err, &handshake):
		return core.CodeTLS
	}
	return 0
}

func opCode(op *net.OpError) uint16 {
	var errno syscall.Errno
	hasErrno := errors.As(op.Err, &errno)
	dialling := op.Op == "dial"
	switch {
	case !strings.HasPrefix(op.Net, "tcp"):
		return core.CodeNonTCP
	case dialling && errno == syscall.ECONNREFUSED:
		return core.CodeRefused
	case dialling && op.Timeout():
		return core.CodeDialTimeout
	case dialling && hasErrno:
		return core.CodeDialErrno
	case dialling:
		return core.CodeDial
	case hasErrno:
		return core.CodeTCPErrno
	}
	return core.CodeTCP
}

// streamError has the shape by which net/http hands out its HTTP/2 stream errors: see its http2StreamError.As.
type streamError struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

func (e streamError) Error() string { return "stream error" }

// http2Codes are the codes of RFC 9113 section 7, by number, as net/http writes them.
var http2Codes = [...]string{
	"NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
	"FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
	"INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
}

// http2Code knows net/http's HTTP/2 errors: stream errors by their type, the others, which have none that can be
// named, by their text.
func http2Code(err error) uint16 {
	var stream streamError
	if errors.As(err, &stream) {
		if int(stream.Code) < len(http2Codes) {
			return core.CodeHTTP2Stream + 1 + uint16(stream.Code)
		}
		return core.CodeHTTP2Stream
	}
	text := err.Error()
	if _, rest, ok := strings.Cut(text, "server sent GOAWAY"); ok {
		_, rest, _ = strings.Cut(rest, "ErrCode=")
		return core.CodeHTTP2GoAway + http2Number(rest)
	}
	if _, rest, ok := strings.Cut(text, "connection error: "); ok {
		return core.CodeHTTP2Connection + http2Number(rest)
	}
	return 0
}

// http2Number is 1 + n for a text that begins with the name of code n, and 0 for any other.
func http2Number(text string) uint16 {
	for n, name := range http2Codes {
		if strings.HasPrefix(text, name) {
			return uint16(n) + 1
		}
	}
	return 0
}

// textOf is what a person reads about err.
func textOf(err error) string {
	text := err.Error()
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		text = "request timeout"
	case strings.HasSuffix(text, "tls: handshake failure"): // an alert, RFC 8446 section 6.2
		text += ": no shared cipher or version"
	case strings.HasSuffix(text, "EOF"):
		text = "the server closed the connection (" + text + ")"
	}
	return clean(text)
}

// clean leaves out what a server sent, which net and net/http quote or write behind "malformed MIME header line:";
// also control characters, and what is longer than maxText.
func clean(text string) string {
	text, _, _ = strings.Cut(text, `"`)
	if before, _, ok := strings.Cut(text, "MIME header line:"); ok {
		text = before + "MIME header line"
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "")
	}
	return strings.TrimRight(text, " :")
}
