package http1

import (
	"bytes"
	"io"
	"net"
	"net/http"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/plan"
)

// maxRequest bounds a request that is written before its response is read, in bytes: the least that the send buffer of
// any system takes at once, so that a server which answers and doesn't read is never waited for.
const maxRequest = 16 << 10

// Wire is a request as it goes over a connection. It is made once and then only read.
type Wire struct {
	Bytes      []byte // head and body; none if Elsewhere
	Method     string
	Origin     Origin
	Replayable bool // net/http sends it again when a reused connection was closed under it
	Elsewhere  bool // this package does not carry it
}

// Origin says which connections a request may use.
type Origin struct {
	Address    string // "host:port"
	Secure     bool
	SkipVerify bool
	Auto       bool // the server may choose HTTP/2
}

// NewWire makes a request's bytes. They are those of net/http's Transport, by its own writer. last tells the server to
// close the connection after it.
func NewWire(r *core.Request, last bool) *Wire {
	w := &Wire{Method: r.Method, Elsewhere: true}
	if !carried(r) {
		return w
	}
	req := &http.Request{Method: r.Method, URL: r.URL, Host: r.Host, Header: r.Header, ContentLength: int64(len(r.Body)), Close: last}
	if len(r.Body) > 0 {
		req.Body = io.NopCloser(bytes.NewReader(r.Body))
	}
	var b bytes.Buffer
	if err := req.Write(&b); err != nil || b.Len() > maxRequest {
		return w // whoever carries it will tell
	}
	secure := r.URL.Scheme == "https"
	port := r.URL.Port()
	switch {
	case port != "":
	case secure:
		port = "443"
	default:
		port = "80"
	}
	return &Wire{
		Bytes:  b.Bytes(),
		Method: r.Method,
		Origin: Origin{
			Address:    net.JoinHostPort(r.URL.Hostname(), port),
			Secure:     secure,
			SkipVerify: secure && r.InsecureSkipVerify,
			Auto:       secure && r.Version != plan.HTTP11,
		},
		Replayable: replayable(r),
	}
}

// carried tells whether this package carries r: see the package comment. What net/http would refuse is among the rest.
func carried(r *core.Request) bool {
	if r.Version == plan.HTTP2 || r.URL.Scheme != "http" && r.URL.Scheme != "https" || r.URL.Hostname() == "" || !isASCII(r.URL.Host) ||
		!isTokens(r.Method) || r.Method == http.MethodConnect || len(r.Body) > maxRequest {
		return false
	}
	for name, values := range r.Header {
		if !isTokens(name) || is(name, "expect") {
			return false
		}
		for _, v := range values {
			if !validBytes(v) {
				return false
			}
		}
	}
	return true
}

// replayable tells what net/http does (its Request.isReplayable): a body can always be sent again here.
func replayable(r *core.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	_, key := r.Header["Idempotency-Key"]
	_, xKey := r.Header["X-Idempotency-Key"]
	return key || xKey
}

func isTokens(s string) bool {
	for i := range len(s) {
		if !isToken(s[i]) {
			return false
		}
	}
	return s != ""
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
