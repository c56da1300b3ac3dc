//go:build integration && linux

package servers

import (
	"bytes"
	"fmt"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/nollagluiz/broadside/plan"
)

// haproxyConfig logs bytes of HAProxy's inner form of messages (2.6, "HTX"): a few per head off those on the socket.
const haproxyConfig = `
global
	nbthread 1
	log stdout format raw local0

defaults
	mode http
	log global
	timeout connect 5s
	timeout client 5s
	timeout server 5s
	option dontlognull
	log-format "run=%%[capture.req.hdr(0)] %%ST %%B %%U %%cp"

frontend main
	bind %[1]s
	bind %[2]s proto h2
	bind %[3]s ssl crt %[7]s/both.pem alpn http/1.1
	bind %[4]s ssl crt %[7]s/both.pem alpn h2
	http-request capture req.hdr(User-Agent) len 64
	http-request return status 200 content-type text/plain string "hello" if { path /return }
	http-request return status 503 if { path /mixed } { rand(5) 0 }
	http-request redirect code 302 location /return if { path /redirect }
	default_backend site

frontend closing
	bind %[5]s
	option httpclose
	http-request capture req.hdr(User-Agent) len 64
	http-request return status 200 content-type text/plain string "hello"

frontend idle
	bind %[6]s
	timeout http-keep-alive 3ms
	http-request capture req.hdr(User-Agent) len 64
	http-request return status 200 content-type text/plain string "hello"

backend site
	server site %[8]s
`

func haproxy() product {
	zipped := http.Header{"Accept-Encoding": {"gzip"}}
	return product{
		name: "haproxy",
		program: program{
			command: "haproxy",
			pkg:     "haproxy",
			clear:   []string{"clear", "h2c", "closing", "idle"},
			secure:  []string{"tls", "h2"},
			args: func(t *testing.T, dir string, at map[string]string) []string {
				writeCertificate(t, dir)
				write(t, dir, "haproxy.cfg", fmt.Sprintf(haproxyConfig, at["clear"], at["h2c"], at["tls"], at["h2"], at["closing"], at["idle"], dir, backend(t)))
				return []string{"-f", dir + "/haproxy.cfg", "-db"}
			},
			parse: parseEntry,
			quit:  syscall.SIGUSR1,
		},
		loads: []load{
			{name: "sustained", base: "clear", request: plan.Request{URL: "/return"}, seconds: 1, paths: []string{"/return"}},
			{name: "page", base: "clear", request: plan.Request{URL: "/page"}, paths: []string{"/page"}},
			{name: "gzip", base: "clear", request: plan.Request{URL: "/gzip", Header: zipped}},
			{name: "chunked", base: "clear", request: plan.Request{URL: "/chunked"}},
			{name: "post", base: "clear", request: plan.Request{URL: "/page", Method: http.MethodPost, Body: bytes.Repeat([]byte("body"), 3000)}},
			{name: "redirects", base: "clear", request: plan.Request{URL: "/redirect"}, hops: 2, paths: []string{"/redirect", "/return"}},
			{name: "mixed", base: "clear", request: plan.Request{URL: "/mixed"}, fails: true},
			{name: "closing", base: "closing", request: plan.Request{URL: "/"}, limit: 1, paths: []string{"/"}},
			{name: "idle", base: "idle", request: plan.Request{URL: "/"}, pause: 3 * time.Millisecond, idle: true, paths: []string{"/"}},
			{name: "tls", base: "tls", request: plan.Request{URL: "/page"}},
			{name: "h2", base: "h2", request: plan.Request{URL: "/page"}, http2: true},
			{name: "h2c", base: "h2c", request: plan.Request{URL: "/page", HTTPVersion: plan.HTTP2}, http2: true},
		},
	}
}
