//go:build linux

package loop

import (
	"crypto/tls"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/nollagluiz/broadside/engine/internal/http1"
)

// These tests pin what secure rests on. Should a new Go fail one, TLS belongs on goroutines (package http1) until it is
// understood.

// half is a conn over which a client shook hands, and the server on the other side, by hand.
type half struct {
	c      *conn
	server *tls.Conn
	raw    *wire
	keys   *keyLog
}

// wire is the server's end. While it holds, what the server writes is kept.
type wire struct {
	net.Conn
	hold bool
	kept []byte
	all  []byte // that went
}

func (w *wire) Write(p []byte) (int, error) {
	if w.hold {
		w.kept = append(w.kept, p...)
		return len(p), nil
	}
	w.all = append(w.all, p...)
	return w.Conn.Write(p)
}

// let lets the first n bytes of what is kept go.
func (w *wire) let(t testing.TB, n int) {
	t.Helper()
	_, err := w.Conn.Write(w.kept[:n])
	require.NoError(t, err)
	w.kept = w.kept[n:]
}

// newHalf shakes hands and takes the client's side over, as a dial does.
func newHalf(t testing.TB, version uint16) *half {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	d := newDialer(t)
	config := d.TLSConfig("example.com", true, "http/1.1")
	config.MinVersion, config.MaxVersion, config.Renegotiation = version, version, tls.RenegotiateNever
	config.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256} // of TLS 1.2; that of 1.3 is the same
	made := make(chan dialled)
	go func() {
		made <- connect(t.Context(), d, &http1.Origin{Address: l.Addr().String(), Secure: true}, config)
	}()
	raw, err := l.Accept()
	require.NoError(t, err)
	h := &half{raw: &wire{Conn: raw}, keys: &keyLog{}}
	h.server = tls.Server(h.raw, &tls.Config{Certificates: certificates(t), KeyLogWriter: h.keys, SessionTicketsDisabled: true})
	require.NoError(t, h.server.Handshake())
	got := <-made
	require.NoError(t, got.err)
	h.c = got.conn
	h.c.vu = &vu{host: &Host{loop: &Loop{}}}
	t.Cleanup(func() {
		h.c.end()
		raw.Close()
	})
	return h
}

// nothing reads and finds nothing.
func (h *half) nothing(t testing.TB) {
	t.Helper()
	h.c.readable = true
	n, err := h.c.read(make([]byte, 100))
	require.ErrorIs(t, err, again{})
	require.Zero(t, n)
	require.False(t, h.c.readable)
}

// reads reads until it has all of want.
func (h *half) reads(t testing.TB, want string) {
	t.Helper()
	var got []byte
	for len(got) < len(want) {
		ready(t, h.c.fd, unix.POLLIN)
		for h.c.readable = true; ; {
			b := make([]byte, 100)
			n, err := h.c.read(b)
			got = append(got, b[:n]...)
			if n == 0 {
				require.ErrorIs(t, err, again{})
				break
			}
		}
	}
	require.Equal(t, want, string(got))
}

// arrives sends b in two parts, split at every byte, and reads want after it; before there is nothing to read, again and
// again. b is made anew each time.
func (h *half) arrives(t testing.TB, want string, b func() []byte) {
	t.Helper()
	for at := 1; ; at++ {
		h.raw.kept = b()
		if at > len(h.raw.kept) {
			h.raw.let(t, len(h.raw.kept))
			h.reads(t, want)
			return
		}
		h.raw.let(t, at)
		ready(t, h.c.fd, unix.POLLIN)
		if len(h.raw.kept) > 0 {
			h.nothing(t)
			h.nothing(t)
			h.raw.let(t, len(h.raw.kept))
		}
		h.reads(t, want)
		h.nothing(t)
	}
}

// ready waits until a descriptor is.
func ready(t testing.TB, fd int32, events int16) {
	t.Helper()
	n, err := unix.Poll([]unix.PollFd{{Fd: fd, Events: events}}, 10_000)
	require.NoError(t, err)
	require.Equal(t, 1, n)
}

func overVersions(t *testing.T, f func(t *testing.T, version uint16)) {
	for _, v := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(v), func(t *testing.T) { f(t, v) })
	}
}

// written is what a server's writes come to.
func (h *half) written(t testing.TB, texts ...string) []byte {
	t.Helper()
	h.raw.hold = true
	for _, text := range texts {
		_, err := io.WriteString(h.server, text)
		require.NoError(t, err)
	}
	h.raw.hold = false
	out := h.raw.kept
	h.raw.kept = nil
	return out
}

func TestRecordSplitAtEveryByte(t *testing.T) {
	overVersions(t, func(t *testing.T, version uint16) {
		h := newHalf(t, version)
		h.arrives(t, "hello", func() []byte { return h.written(t, "hello") })
	})
}

func TestRecordsByteByByte(t *testing.T) {
	overVersions(t, func(t *testing.T, version uint16) {
		h := newHalf(t, version)
		var got []byte
		for _, b := range h.written(t, "hello", ", ", "world") {
			_, err := h.raw.Conn.Write([]byte{b})
			require.NoError(t, err)
			ready(t, h.c.fd, unix.POLLIN)
			h.c.readable = true
			in := make([]byte, 100)
			n, err := h.c.read(in)
			got = append(got, in[:n]...)
			if n == 0 {
				require.ErrorIs(t, err, again{})
			}
		}
		require.Equal(t, "hello, world", string(got))
	})
}

// New keys, asked for and not: the message split at every byte of its record, and over two records. The client answers
// with new keys of its own where it is asked to, and goes on to be understood.
func TestKeyUpdate(t *testing.T) {
	const keyUpdate, handshake, applicationData = 24, 22, 23 // RFC 8446 sections 4 and 5.1
	for _, asked := range []byte{0, 1} {
		for cut := range 5 {
			h := newHalf(t, tls.VersionTLS13)
			server := h.keys.sealer(t, "SERVER_TRAFFIC_SECRET_0")
			client := h.keys.sealer(t, "CLIENT_TRAFFIC_SECRET_0")
			message := []byte{keyUpdate, 0, 0, 1, asked}
			h.arrives(t, "hello", func() []byte {
				var b []byte
				if cut > 0 {
					b = server.seal(handshake, message[:cut])
				}
				b = append(b, server.seal(handshake, message[cut:])...)
				server.update()
				return append(b, server.seal(applicationData, []byte("hello"))...)
			})
			_, err := h.c.write([]byte("request"))
			require.NoError(t, err)
			for {
				kind, text := client.open(t, h.raw)
				if kind == handshake {
					require.EqualValues(t, 1, asked)
					require.Equal(t, []byte{keyUpdate, 0, 0, 1, 0}, text)
					client.update()
					continue
				}
				require.Equal(t, "request", string(text))
				break
			}
			require.Equal(t, asked == 1, client.updates > 0)
			if asked == 1 {
				require.Equal(t, server.updates, client.updates)
			}
		}
	}
}

// The answer to a demand for new keys finds no room, and is not lost.
func TestKeyUpdateWithoutRoom(t *testing.T) {
	const keyUpdate, handshake = 24, 22
	h := newHalf(t, tls.VersionTLS13)
	server := h.keys.sealer(t, "SERVER_TRAFFIC_SECRET_0")
	client := h.keys.sealer(t, "CLIENT_TRAFFIC_SECRET_0")
	sent := fill(t, h.c)
	_, err := h.raw.Conn.Write(server.seal(handshake, []byte{keyUpdate, 0, 0, 1, 1}))
	require.NoError(t, err)
	ready(t, h.c.fd, unix.POLLIN)
	h.nothing(t)
	_, err = h.c.write([]byte("the end"))
	require.NoError(t, err)
	drained := drain(t, h.c)
	for got := []byte(nil); ; {
		kind, text := client.open(t, h.raw)
		if kind == handshake {
			require.Len(t, got, sent)
			client.update()
			_, text = client.open(t, h.raw)
			require.Equal(t, "the end", string(text))
			break
		}
		got = append(got, text...)
	}
	<-drained
}

// Tickets come when they like, in any pieces.
func TestNewSessionTicket(t *testing.T) {
	const newSessionTicket, handshake, applicationData = 4, 22, 23
	h := newHalf(t, tls.VersionTLS13)
	server := h.keys.sealer(t, "SERVER_TRAFFIC_SECRET_0")
	ticket := []byte{newSessionTicket, 0, 0, 19, 0, 0, 0, 9, 1, 2, 3, 4, 2, 5, 6, 0, 4, 7, 8, 9, 10, 0, 0}
	for cut := range len(ticket) {
		h.arrives(t, "hello", func() []byte {
			var b []byte
			if cut > 0 {
				b = server.seal(handshake, ticket[:cut])
			}
			b = append(b, server.seal(handshake, ticket[cut:])...)
			return append(b, server.seal(applicationData, []byte("hello"))...)
		})
	}
}

// A write that finds no room is taken whole, and goes on when there is room: not a byte is lost, or twice.
func TestPartialWrites(t *testing.T) {
	overVersions(t, func(t *testing.T, version uint16) {
		h := newHalf(t, version)
		sent := fill(t, h.c)
		require.NotEmpty(t, h.c.out)
		drained := drain(t, h.c)
		got := make([]byte, sent)
		_, err := io.ReadFull(h.server, got)
		require.NoError(t, err)
		<-drained
		for i := range got {
			if got[i] != byte(i) {
				t.Fatalf("byte %d is another", i)
			}
		}
	})
}

// fill writes until there is no room, and some more.
func fill(t testing.TB, c *conn) (sent int) {
	t.Helper()
	for more := 3; more > 0; {
		p := make([]byte, 10_000)
		for i := range p {
			p[i] = byte(sent + i)
		}
		n, err := c.write(p)
		require.NoError(t, err)
		require.Equal(t, len(p), n)
		sent += n
		if len(c.out) > 0 {
			more--
		}
	}
	return sent
}

// drain sends what waits in out, on a goroutine, and closes what it returns when it has.
func drain(t testing.TB, c *conn) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for len(c.out) > 0 {
			if _, err := unix.Poll([]unix.PollFd{{Fd: c.fd, Events: unix.POLLOUT}}, 10_000); err != nil {
				t.Error(err)
				return
			}
			if _, err := c.flush(); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	return done
}

// A server that wants to shake hands anew is declined, by an error and not by a wait.
func TestNoRenegotiation(t *testing.T) {
	const helloRequest, handshake = 0, 22 // RFC 5246 sections 7.4 and 6.2.1
	h := newHalf(t, tls.VersionTLS12)
	server := h.keys.sealer12(t, h.raw.all)
	_, err := h.raw.Conn.Write(server.seal(handshake, []byte{helloRequest, 0, 0, 0}))
	require.NoError(t, err)
	ready(t, h.c.fd, unix.POLLIN)
	h.c.readable = true
	_, err = h.c.read(make([]byte, 100))
	require.ErrorContains(t, err, "no renegotiation")
	require.NotErrorIs(t, err, again{})
}

// The end: TLS's own, with and without data before it, and the connection's.
func TestEnds(t *testing.T) {
	overVersions(t, func(t *testing.T, version uint16) {
		for _, text := range []string{"", "hello"} {
			for _, goodbye := range []bool{true, false} {
				h := newHalf(t, version)
				if text != "" {
					_, err := io.WriteString(h.server, text)
					require.NoError(t, err)
					h.reads(t, text)
				}
				if goodbye {
					require.NoError(t, h.server.CloseWrite())
				}
				require.NoError(t, h.raw.Conn.Close())
				ready(t, h.c.fd, unix.POLLIN)
				h.c.readable = true
				_, err := h.c.read(make([]byte, 100))
				require.Equal(t, io.EOF, err)
			}
		}
	})
}
