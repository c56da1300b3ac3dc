//go:build integration && linux

package servers

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nollagluiz/broadside/plan"
)

const nginxConfig = `
daemon off;
master_process off;
pid nginx.pid;
error_log stderr warn;
events { worker_connections 256; }
http {
	log_format run 'run=$http_user_agent $status $bytes_sent $request_length $connection';
	access_log access.log run;
	client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
	keepalive_requests 1000000;
	ssl_certificate cert.pem; ssl_certificate_key key.pem;
	split_clients $request_id $outcome { 10%% 503; 10%% 404; * 200; }
	server {
		listen %[1]s; listen %[2]s http2; listen %[3]s ssl; listen %[4]s ssl http2;
		root .;
		location /return { return 200 "hello\n"; }
		location /put { dav_methods PUT; }
		location /page { gzip on; gzip_types text/plain; default_type text/plain; }
		location /chunked { ssi on; default_type text/html; alias page; }
		location /mixed { if ($outcome = 503) { return 503; } if ($outcome = 404) { return 404; } return 200; }
		location /refused { if ($outcome != 200) { return 444; } return 200; }
		location /redirect { return 302 /redirected; }
		location /redirected { return 301 /return; }
		location /limited { keepalive_requests 7; return 200; }
		location /closed { keepalive_timeout 0; return 200; }
		location /idle { keepalive_timeout 3ms; return 200; }
	}
	server {
		listen %[5]s ssl http2;
		keepalive_requests 7;
		return 200;
	}
}
`

func nginx() product {
	gzip := http.Header{"Accept-Encoding": {"gzip"}}
	return product{
		name: "nginx",
		program: program{
			command: "nginx",
			pkg:     "nginx",
			clear:   []string{"clear", "h2c"},
			secure:  []string{"tls", "h2", "h2-limited"},
			args: func(t *testing.T, dir string, at map[string]string) []string {
				writeCertificate(t, dir)
				write(t, dir, "page", strings.Repeat("A line of a page that is worth to be compressed.\n", 400))
				write(t, dir, "large", strings.Repeat("0123456789abcdef", 64<<10))
				write(t, dir, "nginx.conf", fmt.Sprintf(nginxConfig, at["clear"], at["h2c"], at["tls"], at["h2"], at["h2-limited"]))
				return []string{"-p", dir, "-c", "nginx.conf", "-e", "stderr"}
			},
			log:   "access.log",
			parse: parseEntry,
			quit:  syscall.SIGQUIT,
		},
		loads: []load{
			{name: "sustained", base: "clear", request: plan.Request{URL: "/return"}, seconds: 1, exact: true},
			{name: "sustained-tls", base: "tls", request: plan.Request{URL: "/return", HTTPVersion: plan.HTTP11}, seconds: 1},
			{name: "page", base: "clear", request: plan.Request{URL: "/page"}, exact: true},
			{name: "head", base: "clear", request: plan.Request{URL: "/page", Method: http.MethodHead}, exact: true},
			{name: "large", base: "clear", request: plan.Request{URL: "/large"}, exact: true},
			{name: "gzip", base: "clear", request: plan.Request{URL: "/page", Header: gzip}, exact: true},
			{name: "chunked", base: "clear", request: plan.Request{URL: "/chunked"}, exact: true},
			{name: "put", base: "clear", request: plan.Request{URL: "/put", Method: http.MethodPut, Body: bytes.Repeat([]byte("body"), 3000)}, exact: true},
			{name: "redirects", base: "clear", request: plan.Request{URL: "/redirect"}, hops: 3, exact: true},
			{name: "mixed", base: "clear", request: plan.Request{URL: "/mixed"}, fails: true, exact: true},
			{name: "refused", base: "clear", request: plan.Request{URL: "/refused"}, refuses: true, exact: true},
			{name: "limited", base: "clear", request: plan.Request{URL: "/limited"}, limit: 7, exact: true},
			{name: "closed", base: "clear", request: plan.Request{URL: "/closed"}, limit: 1, exact: true},
			{name: "idle", base: "clear", request: plan.Request{URL: "/idle"}, pause: 3 * time.Millisecond, idle: true, exact: true},
			{name: "tls", base: "tls", request: plan.Request{URL: "/page"}},
			{name: "tls-limited", base: "tls", request: plan.Request{URL: "/limited"}, limit: 7},
			{name: "h2", base: "h2", request: plan.Request{URL: "/page", Header: gzip}, http2: true},
			{name: "h2-limited", base: "h2-limited", request: plan.Request{URL: "/"}, limit: 7, http2: true},
			{name: "h2c", base: "h2c", request: plan.Request{URL: "/return", HTTPVersion: plan.HTTP2}, http2: true},
		},
	}
}
