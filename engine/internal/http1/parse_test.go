package http1

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/engine/internal/core"
)

// reading is what came of a response.
type reading struct {
	Status   int
	Location string
	Cookies  []string
	Body     string
	Keep     bool
	Extra    int
	Err      string
	odd      bool
}

// read reads a response by the parser, which gets the bytes as from gives them, and by net/http where that wants it.
func read(t testing.TB, method string, from io.Reader) (r reading) {
	var (
		p    Parser
		x    core.Exchange
		body bytes.Buffer
		kept []byte
	)
	p.Reset(method == "HEAD")
	for {
		n, piece, s := p.Feed(kept)
		if n < 0 || n > len(kept) || s != Odd && s != More && n == 0 && len(piece) > 0 {
			t.Fatalf("consumed %d of %d bytes", n, len(kept))
		}
		body.Write(piece)
		head := kept[:n]
		kept = kept[n:]
		switch s {
		case Head:
			r.Status, x.Status = p.Status, p.Status
			if p.Status/100 == 3 {
				x.Location, x.SetCookie = redirect(head)
			}
		case More:
			buf := make([]byte, 8<<10)
			k, err := from.Read(buf)
			if kept = append(kept[:len(kept):len(kept)], buf[:k]...); k == 0 {
				r.Keep, r.Extra, err = slow(method, &p, kept, errorReader{err}, &x, &body)
				return r.end(&x, &body, from, err)
			}
		case Done:
			r.Keep, r.Extra = !p.Close, len(kept)
			return r.end(&x, &body, from, nil)
		case Odd:
			var err error
			r.odd = true
			r.Keep, r.Extra, err = slow(method, &p, kept, from, &x, &body)
			return r.end(&x, &body, from, err)
		}
	}
}

func (r reading) end(x *core.Exchange, body *bytes.Buffer, from io.Reader, err error) reading {
	unread, _ := io.ReadAll(from)
	r.Extra += len(unread)
	r.Status, r.Location, r.Cookies, r.Body = x.Status, x.Location, x.SetCookie, body.String()
	if err != nil {
		r.Keep, r.Extra, r.Err = false, 0, err.Error()
	}
	return r
}

// reference is what net/http makes of it.
func reference(method, answer string) (r reading) {
	in := strings.NewReader(answer)
	buffered := bufio.NewReader(&boundedReader{in, maxSlowHead})
	_, err := readResponse(buffered, &http.Request{Method: method})
	if err != nil {
		if in.Size()-int64(in.Len()) >= maxSlowHead {
			err = errors.New("net/http: server response headers exceeded 131072 bytes; aborted")
		}
		return reading{Err: broken(err).Error()}
	}
	// The bound is for heads only.
	rest := bufio.NewReader(io.MultiReader(strings.NewReader(answer)))
	resp, _ := readResponse(rest, &http.Request{Method: method})
	r.Status = resp.StatusCode
	if r.Status < 100 {
		r.Err = "the server answered with no HTTP status"
		return r
	}
	if r.Status == 101 {
		r.Err = "the server switched to a protocol that was not asked for"
		return r
	}
	if r.Status/100 == 3 {
		r.Location, r.Cookies = resp.Header.Get("Location"), resp.Header["Set-Cookie"]
	}
	body, err := io.ReadAll(resp.Body)
	r.Body, r.Keep = string(body), !resp.Close
	if err != nil {
		r.Keep, r.Err = false, err.Error()
		return r
	}
	extra, _ := io.ReadAll(rest)
	r.Extra = len(extra)
	return r
}

func methods() []string { return []string{"GET", "HEAD"} }

func TestCornersAsNetHTTP(t *testing.T) {
	for _, tc := range corners() {
		t.Run(tc.name, func(t *testing.T) {
			got := read(t, "GET", strings.NewReader(tc.answer))
			if got.Err == "" {
				require.Equal(t, tc.status, got.Status)
			} else {
				require.Zero(t, tc.status, got.Err)
			}
			require.Equal(t, tc.odd, got.odd)
			for _, method := range methods() {
				want := reference(method, tc.answer)
				got := read(t, method, strings.NewReader(tc.answer))
				got.odd = false
				require.Equal(t, want, got, method)
			}
		})
	}
}

// However the bytes come, the same comes of them.
func TestCornersSplit(t *testing.T) {
	for _, tc := range corners() {
		t.Run(tc.name, func(t *testing.T) {
			for _, method := range methods() {
				want := read(t, method, strings.NewReader(tc.answer))
				if len(tc.answer) > 2000 {
					require.Equal(t, want, readSplit(t, method, tc.answer, len(tc.answer)/2), method)
					continue
				}
				require.Equal(t, want, read(t, method, iotest.OneByteReader(strings.NewReader(tc.answer))), "%s, byte by byte", method)
				for i := range len(tc.answer) {
					require.Equal(t, want, readSplit(t, method, tc.answer, i), "%s, split at %d", method, i)
				}
			}
		})
	}
}

// readSplit reads an answer that comes in two pieces.
func readSplit(t testing.TB, method, answer string, i int) reading {
	return read(t, method, io.MultiReader(strings.NewReader(answer[:i]), strings.NewReader(answer[i:])))
}

// An odd answer is known for odd at once: no server that waits for us is waited for.
func TestOddIsKnownAtOnce(t *testing.T) {
	for _, begin := range []string{
		"HTTP/1.1 200 OK\n",
		"HTTP/1.0 200 OK\r\n",
		"SSH-2.0-x\r\n",
		"HTTP/1.1 200 OK\r\nX: 1\n",
		"HTTP/1.1 200 OK\r\n folded\r\n",
		"HTTP/1.1 200 OK\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi!!",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX:",
	} {
		var p Parser
		p.Reset(false)
		b := []byte(begin)
		n, _, s := p.Feed(b)
		for s == Head || s == Body {
			b = b[n:]
			n, _, s = p.Feed(b)
		}
		require.Equal(t, Odd, s, begin)
	}
}

// The parser is a virtual user's state on an event loop: small, and nothing for the collector to follow.
func TestParserIsSmall(t *testing.T) {
	require.LessOrEqual(t, unsafe.Sizeof(Parser{}), uintptr(80))
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello")
	require.Zero(t, testing.AllocsPerRun(100, func() {
		var p Parser
		p.Reset(false)
		b := answer
		for s := Head; s != Done; {
			var n int
			n, _, s = p.Feed(b)
			b = b[n:]
		}
	}))
}

// FuzzParse: whatever comes, however it is split, the parser with net/http behind it makes of it what net/http does.
func FuzzParse(f *testing.F) {
	for _, tc := range corners() {
		if len(tc.answer) < 5000 {
			f.Add(false, uint16(len(tc.answer)/2), []byte(tc.answer))
			f.Add(true, uint16(7), []byte(tc.answer))
		}
	}
	f.Fuzz(func(t *testing.T, head bool, split uint16, answer []byte) {
		method := methods()[0]
		if head {
			method = methods()[1]
		}
		want := reference(method, string(answer))
		got := readSplit(t, method, string(answer), min(int(split), len(answer)))
		got.odd = false
		require.Equal(t, want, got)
	})
}

func BenchmarkParse(b *testing.B) {
	answer := []byte("HTTP/1.1 200 OK\r\nServer: nginx/1.26\r\nDate: Sun, 01 Mar 2026 10:00:00 GMT\r\nContent-Type: text/html; charset=utf-8\r\n" +
		"Content-Length: 5\r\nLast-Modified: Sun, 01 Mar 2026 09:00:00 GMT\r\nConnection: keep-alive\r\nETag: \"68c2\"\r\nAccept-Ranges: bytes\r\n\r\nhello")
	b.ReportAllocs()
	b.SetBytes(int64(len(answer)))
	for b.Loop() {
		var p Parser
		p.Reset(false)
		rest := answer
		for s := Head; s != Done; {
			var n int
			n, _, s = p.Feed(rest)
			rest = rest[n:]
		}
	}
}
