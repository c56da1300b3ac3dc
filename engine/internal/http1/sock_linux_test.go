package http1

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/engine/internal/dial"
)

// sockTo connects to a server that a test serves.
func sockTo(t *testing.T, serve func(net.Conn)) *sock {
	t.Helper()
	c, err := net.Dial("tcp", listen(t, serve))
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	s := newSock(c, time.Now())
	require.NotNil(t, s)
	return s
}

func TestSock(t *testing.T) {
	s := sockTo(t, func(c net.Conn) { _, _ = io.Copy(c, c) })
	b := make([]byte, 10)
	for range 3 {
		s.hold()
		for _, part := range []string{"he", "llo"} {
			n, err := s.Write([]byte(part))
			require.NoError(t, err)
			require.Equal(t, len(part), n)
		}
		n, err := s.Read(b)
		require.NoError(t, err)
		require.Equal(t, "hello", string(b[:n]))
		reached, at, left := s.outcome()
		require.Equal(t, sent, reached)
		require.Positive(t, at)
		require.Zero(t, left)
		_, err = s.Write([]byte("x")) // not held
		require.NoError(t, err)
		n, err = s.Read(b)
		require.NoError(t, err)
		require.Equal(t, "x", string(b[:n]))
	}
}

// A request that the send buffer does not take at once goes out as its room allows.
func TestSockShortWrite(t *testing.T) {
	const size = 8 << 20
	s := sockTo(t, func(c net.Conn) {
		n, _ := io.CopyN(io.Discard, c, size)
		if n == size {
			_, _ = io.WriteString(c, "all")
		}
	})
	s.hold()
	_, err := s.Write(bytes.Repeat([]byte("x"), size))
	require.NoError(t, err)
	b := make([]byte, 10)
	n, err := s.Read(b)
	require.NoError(t, err)
	require.Equal(t, "all", string(b[:n]))
	reached, _, _ := s.outcome()
	require.Equal(t, sent, reached)
}

// A server that never reads: the deadline ends the write, and says how far it went.
func TestSockDeadlineInShortWrite(t *testing.T) {
	ended := make(chan bool)
	s := sockTo(t, func(net.Conn) { <-ended })
	defer close(ended)
	s.hold()
	_, err := s.Write(make([]byte, 16<<20))
	require.NoError(t, err)
	require.NoError(t, s.SetDeadline(time.Now().Add(20*ms)))
	_, err = s.Read(make([]byte, 10))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	reached, _, left := s.outcome()
	require.Equal(t, partly, reached)
	require.Positive(t, left)
}

// A deadline that passed, and a connection that was closed, send nothing.
func TestSockUnsent(t *testing.T) {
	for _, spoil := range []func(s *sock){
		func(s *sock) { _ = s.SetDeadline(time.Unix(1, 0)) },
		func(s *sock) { s.Close() },
	} {
		s := sockTo(t, func(c net.Conn) { _, _ = io.Copy(c, c) })
		s.hold()
		_, err := s.Write([]byte("hello"))
		require.NoError(t, err)
		spoil(s)
		n, err := s.Read(make([]byte, 10))
		require.Error(t, err)
		require.Zero(t, n)
		reached, _, left := s.outcome()
		require.Equal(t, unsent, reached)
		require.Equal(t, 5, left)
	}
}

// What came before the write is read at once: nobody wakes for it any more.
func TestSockBytesBeforeTheWrite(t *testing.T) {
	for _, tc := range []struct {
		name  string
		first func(c *net.TCPConn)
		want  string
		err   error
	}{
		{"bytes", func(c *net.TCPConn) { _, _ = io.WriteString(c, "first") }, "first", nil},
		{"the end", func(c *net.TCPConn) { _ = c.CloseWrite() }, "", io.EOF},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ready, ended := make(chan bool), make(chan bool)
			s := sockTo(t, func(c net.Conn) {
				tc.first(c.(*net.TCPConn))
				ready <- true
				<-ended
			})
			defer close(ended)
			<-ready
			require.NoError(t, s.SetDeadline(time.Now().Add(20*time.Second)))
			s.hold()
			_, err := s.Write([]byte("hello"))
			require.NoError(t, err)
			b := make([]byte, 10)
			n, err := s.Read(b)
			require.Equal(t, tc.err, err)
			require.Equal(t, tc.want, string(b[:n]))
		})
	}
}

// Servers that end their side of each connection after a response, unannounced, and go on to read: that no virtual user
// hangs says that no event is lost, whenever the end comes.
func TestNoEventIsLost(t *testing.T) {
	address := listen(t, func(c net.Conn) {
		in := bufio.NewReader(c)
		if _, err := http.ReadRequest(in); err == nil {
			_, _ = io.WriteString(c, canned)
			_ = c.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, in)
		}
	})
	const vus, each = 16, 100
	tr := newTransport(t, dial.Config{}, vus)
	r := get("http://" + address)
	var wg sync.WaitGroup
	for vu := range vus {
		wg.Go(func() {
			for range each {
				var x core.Exchange
				tr.Do(t.Context(), vu, r, &x)
				if x.Status != 200 {
					t.Errorf("VU %d: status %d, %s", vu, x.Status, x.Err)
				}
			}
		})
	}
	wg.Wait()
	require.Less(t, tr.now(), r.Deadline)
}
