package dial

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/summary"
)

func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serve(c)
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return l.Addr().String()
}

// tlsServer is a self-signed server that logs nothing: its handshakes fail on purpose.
func tlsServer(cfg *tls.Config) *httptest.Server {
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.TLS = cfg
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	return srv
}

func TestBytesAreCounted(t *testing.T) {
	address := listen(t, func(c net.Conn) {
		defer c.Close()
		_, _ = io.CopyN(io.Discard, c, 5)
		_, _ = c.Write(make([]byte, 1000))
	})
	d := New(Config{})
	defer d.Close()
	var counter Counter
	conn, err := d.Dial(t.Context(), address, &counter)
	require.NoError(t, err)
	_, err = conn.Write([]byte("hello"))
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, conn)
	require.NoError(t, err)
	sent, rcvd := counter.Take()
	require.EqualValues(t, 5, sent)
	require.EqualValues(t, 1000, rcvd)
	sent, rcvd = counter.Take()
	require.Zero(t, sent+rcvd, "a Take takes away")
	require.Same(t, conn, Under(conn))
	require.Nil(t, Under(conn.Conn))
}

// Bytes of TLS are those on the socket: handshake and records included.
func TestTLSBytesAreCounted(t *testing.T) {
	srv := tlsServer(nil)
	defer srv.Close()
	d := New(Config{})
	defer d.Close()
	var counter Counter
	conn, err := d.DialTLS(t.Context(), srv.Listener.Addr().String(), &tls.Config{InsecureSkipVerify: true}, &counter)
	require.NoError(t, err)
	sent, rcvd := counter.Take()
	require.Greater(t, sent, int64(200))
	require.Greater(t, rcvd, int64(700))
	under := Under(conn)
	require.NotNil(t, under)
	require.True(t, under.Secured.After(under.Connected))
	require.Equal(t, under.Secured, under.Ready())
}

func TestCloseEndsWhatIsOpen(t *testing.T) {
	address := listen(t, func(c net.Conn) {
		_, _ = io.Copy(io.Discard, c)
		c.Close()
	})
	d := New(Config{})
	conn, err := d.Dial(t.Context(), address, new(Counter))
	require.NoError(t, err)
	d.Close()
	_, err = conn.Read(make([]byte, 1))
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = d.Dial(t.Context(), address, new(Counter))
	require.ErrorIs(t, err, net.ErrClosed)
	require.Empty(t, d.conns)
}

// Field reports 1, 2, 19, 27, 29: what a person reads, and k6's code.
func TestDialErrors(t *testing.T) {
	closed := listen(t, func(c net.Conn) { c.Close() })
	selfSigned := tlsServer(nil)
	defer selfSigned.Close()
	old := tlsServer(&tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}})
	defer old.Close()
	plain := listen(t, func(c net.Conn) {
		_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
		c.Close()
	})
	unused, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	refused := unused.Addr().String()
	require.NoError(t, unused.Close())

	roots := x509.NewCertPool()
	roots.AddCert(selfSigned.Certificate())
	d := New(Config{Resolver: names{}})
	defer d.Close()
	for _, tc := range []struct {
		name    string
		address string
		tls     *tls.Config
		code    uint16
		text    string
		connect bool // its time is kept
	}{
		{"refused", refused, nil, core.CodeRefused, "connection refused", false},
		{"no such host", "nowhere.invalid:80", nil, core.CodeNoSuchHost, "lookup nowhere.invalid: no such host", false},
		{"self-signed", selfSigned.Listener.Addr().String(), &tls.Config{ServerName: "example.com"}, core.CodeUnknownAuthority, "certificate signed by unknown authority", true},
		{"expired", selfSigned.Listener.Addr().String(), &tls.Config{ServerName: "example.com", RootCAs: roots, Time: func() time.Time { return time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC) }},
			core.CodeUnknownAuthority, "expired", true},
		{"no shared cipher", old.Listener.Addr().String(), &tls.Config{InsecureSkipVerify: true}, core.CodeTLS, "no shared cipher", true},
		{"no TLS", plain, &tls.Config{InsecureSkipVerify: true}, core.CodeTLSHeader, "first record does not look like a TLS handshake", true},
		{"closed at once", closed, &tls.Config{InsecureSkipVerify: true}, 0, "TLS handshake", true},
		{"bad port", "127.0.0.1:99999", nil, core.CodeGeneric, "invalid port", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var err error
			if tc.tls == nil {
				_, err = d.Dial(t.Context(), tc.address, new(Counter))
			} else {
				_, err = d.DialTLS(t.Context(), tc.address, tc.tls, new(Counter))
			}
			var e *Error
			require.ErrorAs(t, err, &e)
			require.Contains(t, e.Text, tc.text)
			require.Equal(t, tc.connect, e.Connecting > 0)
			if tc.code != 0 { // closed at once is an end of file or a reset, as the kernel likes
				require.Equal(t, tc.code, e.Code, e.Text)
			}
		})
	}
}

// Field report 30: running out is the generator's trouble, not the target's.
func TestClassify(t *testing.T) {
	dialling := func(err error) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", err)}
	}
	reading := func(err error) error {
		return &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", err)}
	}
	long := strings.Repeat("é", 1000)
	for _, tc := range []struct {
		name string
		err  error
		code int
		text string
	}{
		{"too many open files", dialling(syscall.EMFILE), summary.CodeGenerator, "dial tcp: connect: too many open files"},
		{"in the whole system", dialling(syscall.ENFILE), summary.CodeGenerator, "dial tcp: connect: too many open files in system"},
		{"no ports", dialling(syscall.EADDRNOTAVAIL), summary.CodeGenerator, "dial tcp: connect: cannot assign requested address"},
		{"no buffers", reading(syscall.ENOBUFS), summary.CodeGenerator, "read tcp: read: no buffer space available"},
		{"no memory", dialling(syscall.ENOMEM), summary.CodeGenerator, "dial tcp: connect: cannot allocate memory"},
		{"refused", dialling(syscall.ECONNREFUSED), core.CodeRefused, "dial tcp: connect: connection refused"},
		{"unreachable", dialling(syscall.EHOSTUNREACH), core.CodeDialErrno, "dial tcp: connect: no route to host"},
		{"connect timed out", dialling(syscall.ETIMEDOUT), core.CodeDialTimeout, "dial tcp: connect: connection timed out"},
		{"dial", &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("x")}, core.CodeDial, "dial tcp: x"},
		{"reset", reading(syscall.ECONNRESET), core.CodeReset, "read tcp: read: connection reset by peer"},
		{"broken pipe", reading(syscall.EPIPE), core.CodeBrokenPipe, "read tcp: read: broken pipe"},
		{"another errno", reading(syscall.EIO), core.CodeTCPErrno, "read tcp: read: input/output error"},
		{"tcp", &net.OpError{Op: "read", Net: "tcp", Err: errors.New("x")}, core.CodeTCP, "read tcp: x"},
		{"not tcp", &net.OpError{Op: "read", Net: "udp", Err: errors.New("x")}, core.CodeNonTCP, "read udp: x"},
		{"alert", &net.OpError{Op: "remote error", Err: errors.New("tls: certificate required")}, core.CodeTLS, "remote error: tls: certificate required"},
		{"dns", &net.DNSError{Err: "server misbehaving", Name: "a.test"}, core.CodeDNS, "lookup a.test: server misbehaving"},
		{"deadline", fmt.Errorf("x: %w", context.DeadlineExceeded), core.CodeTimeout, "request timeout"},
		{"end of file", io.EOF, core.CodeGeneric, "the server closed the connection (EOF)"},
		{"cut", io.ErrUnexpectedEOF, core.CodeGeneric, "the server closed the connection (unexpected EOF)"},
		{"no HTTP", errors.New(`net/http: HTTP/1.x transport connection broken: malformed HTTP response "secret"`), core.CodeGeneric, "net/http: HTTP/1.x transport connection broken: malformed HTTP response"},
		{"bad header", errors.New("malformed MIME header line: secret"), core.CodeGeneric, "malformed MIME header line"},
		{"goaway", errors.New(`http2: server sent GOAWAY and closed the connection; LastStreamID=1, ErrCode=ENHANCE_YOUR_CALM, debug="secret"`), 1622, "http2: server sent GOAWAY and closed the connection; LastStreamID=1, ErrCode=ENHANCE_YOUR_CALM, debug="},
		{"h2 connection", errors.New("connection error: PROTOCOL_ERROR"), 1652, "connection error: PROTOCOL_ERROR"},
		{"unknown h2 code", errors.New("connection error: unknown error code 0xff"), 1650, "connection error: unknown error code 0xff"},
		{"h2 stream", streamError{Code: 7}, 1638, "stream error"},
		{"unknown h2 stream code", streamError{Code: 70}, 1630, "stream error"},
		{"control characters", errors.New("a\x1b[31m\nb"), core.CodeGeneric, "a [31m b"},
		{"endless", errors.New(long), core.CodeGeneric, long[:300]},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, err := range []error{tc.err, newError(tc.err)} {
				code, text := Classify(err)
				require.EqualValues(t, tc.code, code)
				require.Equal(t, tc.text, text)
			}
		})
	}
}

// A handshake that hangs ends with its context, and says that connecting went well.
func TestHandshakeEndsWithItsContext(t *testing.T) {
	address := listen(t, func(c net.Conn) {
		_, _ = io.Copy(io.Discard, c)
		c.Close()
	})
	d := New(Config{})
	defer d.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := d.DialTLS(ctx, address, &tls.Config{InsecureSkipVerify: true}, new(Counter))
	var e *Error
	require.ErrorAs(t, err, &e)
	require.EqualValues(t, core.CodeTimeout, e.Code)
	require.Positive(t, e.Connecting)
}
