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

const lighttpdConfig = `
server.modules = ( "mod_redirect", "mod_deflate", "mod_proxy", "mod_accesslog", "mod_openssl" )
server.document-root = "%[1]s/docs"
server.bind = "127.0.0.1"
server.port = %[2]s
server.errorlog = "/dev/stderr"
server.pid-file = "%[1]s/lighttpd.pid"
server.upload-dirs = ( "%[1]s" )
server.max-keep-alive-requests = 1000000
accesslog.filename = "%[1]s/access.log"
accesslog.format = "run=%%{User-Agent}i %%s %%O %%I %%{remote}p"
mimetype.assign = ( ".txt" => "text/plain" )
deflate.cache-dir = ""
url.redirect = ( "^/redirect$" => "/page.txt" )
ssl.pemfile = "%[1]s/both.pem"
$HTTP["url"] =~ "^/zipped" {
	deflate.mimetypes = ( "text/plain" )
	deflate.allowed-encodings = ( "gzip" )
}
$HTTP["url"] =~ "^/(chunked|page)$" {
	server.stream-response-body = 2
	proxy.server = ( "" => (( "host" => "127.0.0.1", "port" => %[4]s )) )
}
$HTTP["url"] =~ "^/limited" {
	server.max-keep-alive-requests = 7
}
$SERVER["socket"] == "%[3]s" { ssl.engine = "enable" }
`

func lighttpd() product {
	zipped := http.Header{"Accept-Encoding": {"gzip"}}
	return product{
		name: "lighttpd",
		program: program{
			command: "lighttpd",
			pkg:     "lighttpd lighttpd-mod-openssl lighttpd-mod-deflate",
			clear:   []string{"clear"},
			secure:  []string{"tls"},
			args: func(t *testing.T, dir string, at map[string]string) []string {
				writeCertificate(t, dir)
				page := strings.Repeat("A line of a page that is worth to be compressed.\n", 400)
				for _, name := range []string{"page.txt", "zipped.txt", "limited.txt"} {
					write(t, dir, "docs/"+name, page)
				}
				port := func(address string) string { _, port, _ := strings.Cut(address, ":"); return port }
				write(t, dir, "lighttpd.conf", fmt.Sprintf(lighttpdConfig, dir, port(at["clear"]), at["tls"], port(backend(t))))
				return []string{"-D", "-f", dir + "/lighttpd.conf"}
			},
			log:   "access.log",
			parse: parseEntry,
			quit:  syscall.SIGINT,
		},
		loads: []load{
			{name: "sustained", base: "clear", request: plan.Request{URL: "/page.txt"}, seconds: 1, exact: true},
			{name: "page", base: "clear", request: plan.Request{URL: "/page.txt"}, exact: true},
			{name: "gzip", base: "clear", request: plan.Request{URL: "/zipped.txt", Header: zipped}, exact: true},
			{name: "chunked", base: "clear", request: plan.Request{URL: "/chunked"}, exact: true},
			{name: "post", base: "clear", request: plan.Request{URL: "/page", Method: http.MethodPost, Body: bytes.Repeat([]byte("body"), 3000)}, exact: true},
			{name: "redirects", base: "clear", request: plan.Request{URL: "/redirect"}, hops: 2, exact: true},
			{name: "missing", base: "clear", request: plan.Request{URL: "/missing"}, fails: true, exact: true},
			// lighttpd keeps a connection for max-keep-alive-requests after its first one.
			{name: "limited", base: "clear", request: plan.Request{URL: "/limited.txt"}, limit: 8, exact: true},
			{name: "slow", base: "clear", request: plan.Request{URL: "/page.txt"}, pause: time.Millisecond, exact: true},
			{name: "tls", base: "tls", request: plan.Request{URL: "/page.txt", HTTPVersion: plan.HTTP11}},
			{name: "h2", base: "tls", request: plan.Request{URL: "/page.txt"}, http2: true},
			{name: "h2c", base: "clear", request: plan.Request{URL: "/page.txt", HTTPVersion: plan.HTTP2}, http2: true},
		},
	}
}
