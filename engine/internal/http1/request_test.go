package http1

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/engine/internal/dial"
	"github.com/nollagluiz/broadside/plan"
)

// anywhere lets every name and address lead to one server, and notes the address that was wanted.
type anywhere struct {
	address string
	wanted  chan string
}

func (a anywhere) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr("203.0.113.7")}, nil
}

func (a anywhere) Connect(ctx context.Context, network, address string) (net.Conn, error) {
	a.wanted <- address
	return (&net.Dialer{}).DialContext(ctx, network, a.address)
}

// Requests are net/http's: the line, the headers but for their order, the body, and the address that they go to.
// Field reports 20, 22, 25 and 26.
func TestRequestsAsNetHTTP(t *testing.T) {
	for _, tc := range []struct {
		name      string
		url       string
		change    func(r *core.Request)
		elsewhere bool
	}{
		{"plain", "http://a.test/", nil, false},
		{"no path", "http://a.test", nil, false},
		{"no path, a query", "http://a.test?q=1", nil, false},
		{"a query of nothing", "http://a.test/?", nil, false},
		{"a port", "http://a.test:8080/x", nil, false},
		{"escapes", "http://a.test/p%C3%A4th/a%2Fb%20c;d=1?q=a%20b&c=%26", nil, false},
		{"unicode", "http://a.test/päth/日本?q=ü", nil, false},
		{"a fragment", "http://a.test/x#fragment", nil, false},
		{"userinfo", "http://user:pw@a.test/", nil, false},
		{"capitals", "HTTP://A.Test/X", nil, false},
		{"IPv4", "http://203.0.113.9/", nil, false},
		{"IPv6", "http://[2001:db8::1]:8080/", nil, false},
		{"IPv6 without a port", "http://[2001:db8::1]/", nil, false},
		{"IPv6 with a zone", "http://[fd00::1%25eth0]/", nil, false},
		{"a name beyond ASCII", "http://bücher.test/", nil, true},
		{"a host of its own", "http://a.test/", func(r *core.Request) { r.Host = "b.test:99" }, false},
		{"a host beyond ASCII", "http://a.test/", func(r *core.Request) { r.Host = "bücher.test" }, false},
		{"a host that is none", "http://a.test/", func(r *core.Request) { r.Host = "b.test/x y" }, false},
		{"a host in the header", "http://a.test/", func(r *core.Request) { r.Header.Set("Host", "b.test") }, false},
		{"no User-Agent", "http://a.test/", func(r *core.Request) { r.Header.Del("User-Agent") }, false},
		{"an empty User-Agent", "http://a.test/", func(r *core.Request) { r.Header.Set("User-Agent", "") }, false},
		{"headers", "http://a.test/", func(r *core.Request) {
			r.Header["x-lower"], r.Header["X-Twice"], r.Header["X-Blank"] = []string{"1"}, []string{"a", "b"}, []string{" \t c \t", ""}
		}, false},
		{"framing in the header", "http://a.test/", func(r *core.Request) {
			r.Header["Content-Length"], r.Header["Transfer-Encoding"], r.Header["Trailer"] = []string{"9"}, []string{"chunked"}, []string{"X"}
		}, false},
		{"gzip asked for", "http://a.test/", func(r *core.Request) { r.Header.Set("Accept-Encoding", "gzip") }, false},
		{"to close", "http://a.test/", func(r *core.Request) { r.Header.Set("Connection", "close") }, false},
		{"HEAD", "http://a.test/", func(r *core.Request) { r.Method = "HEAD" }, false},
		{"POST", "http://a.test/", func(r *core.Request) { r.Method, r.Body = "POST", []byte("body") }, false},
		{"POST of nothing", "http://a.test/", func(r *core.Request) { r.Method = "POST" }, false},
		{"PUT of nothing", "http://a.test/", func(r *core.Request) { r.Method = "PUT" }, false},
		{"PATCH of nothing", "http://a.test/", func(r *core.Request) { r.Method = "PATCH" }, false},
		{"DELETE", "http://a.test/", func(r *core.Request) { r.Method = "DELETE" }, false},
		{"DELETE with a body", "http://a.test/", func(r *core.Request) { r.Method, r.Body = "DELETE", []byte("body") }, false},
		{"GET with a body", "http://a.test/", func(r *core.Request) { r.Body = []byte("body") }, false},
		{"another method", "http://a.test/", func(r *core.Request) { r.Method = "purge" }, false},
		{"OPTIONS of the server", "http://a.test/", func(r *core.Request) { r.Method, r.URL.Opaque = "OPTIONS", "*" }, false},
		{"a large body", "http://a.test/", func(r *core.Request) { r.Method, r.Body = "POST", []byte(strings.Repeat("x", 100<<10)) }, true},
		{"Expect", "http://a.test/", func(r *core.Request) {
			r.Method, r.Body = "POST", []byte("body")
			r.Header.Set("Expect", "100-continue")
		}, true},
		{"CONNECT", "http://a.test/", func(r *core.Request) { r.Method = "CONNECT" }, true},

		{"a bad method", "http://a.test/", func(r *core.Request) { r.Method = "GET /x HTTP/1.1\r\nX:" }, true},
		{"a bad name", "http://a.test/", func(r *core.Request) { r.Header["X Y"] = []string{"1"} }, true},
		{"a name of nothing", "http://a.test/", func(r *core.Request) { r.Header[""] = []string{"1"} }, true},
		{"a line feed in a value", "http://a.test/", func(r *core.Request) { r.Header["X"] = []string{"1\r\nY: 2"} }, true},
		{"a control character in a value", "http://a.test/", func(r *core.Request) { r.Header["X"] = []string{"1\x00"} }, true},
		{"a control character in the URL", "http://a.test/", func(r *core.Request) { r.URL.Opaque = "/\r\nX: 1" }, true},
		{"no host", "http://a.test/", func(r *core.Request) { r.URL.Host = "" }, true},
		{"another scheme", "ftp://a.test/", nil, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := make(chan string, 1)
			to := anywhere{wanted: make(chan string, 1), address: listen(t, func(c net.Conn) {
				in := bufio.NewReader(c)
				var text strings.Builder
				req, err := http.ReadRequest(bufio.NewReader(io.TeeReader(in, &text)))
				if err != nil {
					got <- text.String()
					return
				}
				if req.Header.Get("Expect") != "" {
					_, _ = io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
				}
				_, _ = io.Copy(io.Discard, req.Body)
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
				got <- text.String()
			})}
			request := func() *core.Request {
				r := get(tc.url)
				if tc.change != nil {
					tc.change(r)
				}
				return r
			}
			require.Equal(t, tc.elsewhere, NewWire(request(), false).Elsewhere)
			cfg := dial.Config{Resolver: to, Connect: to.Connect}
			want := newStdClient(t, cfg).request(t.Context(), request())
			var wantText, wantAddress string
			if want.Phases[core.Connecting] > 0 {
				wantText, wantAddress = <-got, <-to.wanted
			}
			x := newClient(t, cfg).request(t.Context(), request())
			require.Equal(t, comparable(want), comparable(x))
			if want.Phases[core.Connecting] == 0 {
				require.NotEmpty(t, x.Err)
				require.Zero(t, x.Sent)
				return
			}
			require.Equal(t, wantAddress, <-to.wanted)
			require.Equal(t, lines(t, wantText), lines(t, <-got))
		})
	}
}

// lines are a request's, the headers in order of their names but for Host, which comes first.
func lines(t *testing.T, request string) []string {
	if request == "" {
		return nil
	}
	head, body, ok := strings.Cut(request, "\r\n\r\n")
	require.True(t, ok, request)
	all := strings.Split(head, "\r\n")
	require.Contains(t, all[1], "Host:")
	slices.Sort(all[2:])
	return append(all, body)
}

func TestReplayable(t *testing.T) {
	for _, tc := range []struct {
		method, header string
		want           bool
	}{
		{"GET", "", true}, {"HEAD", "", true}, {"OPTIONS", "", true}, {"TRACE", "", true},
		{"POST", "", false}, {"PUT", "", false}, {"DELETE", "", false}, {"PATCH", "", false}, {"get", "", false},
		{"POST", "Idempotency-Key", true}, {"POST", "X-Idempotency-Key", true},
	} {
		r := get("http://a.test/")
		r.Method = tc.method
		if tc.header != "" {
			r.Header[tc.header] = nil
		}
		require.Equal(t, tc.want, NewWire(r, false).Replayable, tc)
	}
}

func TestOrigins(t *testing.T) {
	for _, tc := range []struct {
		url     string
		version plan.HTTPVersion
		skip    bool
		want    Origin
	}{
		{"http://a.test/", plan.HTTPAuto, true, Origin{Address: "a.test:80"}},
		{"http://a.test:81/", plan.HTTP11, true, Origin{Address: "a.test:81"}},
		{"https://a.test/", plan.HTTPAuto, false, Origin{Address: "a.test:443", Secure: true, Auto: true}},
		{"https://a.test:1/", plan.HTTP11, true, Origin{Address: "a.test:1", Secure: true, SkipVerify: true}},
		{"https://[::1%25x]/", plan.HTTP11, false, Origin{Address: "[::1%x]:443", Secure: true}},
	} {
		r := get(tc.url)
		r.Version, r.InsecureSkipVerify = tc.version, tc.skip
		require.Equal(t, tc.want, NewWire(r, false).Origin, tc.url)
	}
	r := get("http://a.test/")
	r.Version = plan.HTTP2
	require.True(t, NewWire(r, false).Elsewhere)
}
