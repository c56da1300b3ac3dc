//go:build integration && linux

package servers

import (
	"bytes"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/nollagluiz/broadside/plan"
)

// buildHTTPBin makes go-httpbin, a tool of this module, and returns its path.
func buildHTTPBin(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "tool", "-n", "go-httpbin").Output()
	if err != nil {
		t.Fatalf("go tool -n go-httpbin: %v", err)
	}
	return strings.TrimSpace(string(out))
}

func httpbin(bin string) product {
	return product{
		name:    "go-httpbin",
		program: httpbinProgram(bin, "clear", nil),
		loads: []load{
			{name: "sustained", base: "clear", request: plan.Request{URL: "/bytes/100?seed=1"}, seconds: 1, paths: []string{"/bytes/100?seed=1"}},
			{name: "page", base: "clear", request: plan.Request{URL: "/html"}, paths: []string{"/html"}},
			{name: "chunked", base: "clear", request: plan.Request{URL: "/stream/20"}, paths: []string{"/stream/20"}},
			{name: "gzip", base: "clear", request: plan.Request{URL: "/gzip"}},
			{name: "trailers", base: "clear", request: plan.Request{URL: "/trailers?checksum=none"}, paths: []string{"/trailers?checksum=none"}},
			{name: "post", base: "clear", request: plan.Request{URL: "/upload", Method: http.MethodPost, Body: bytes.Repeat([]byte("body"), 3000)}},
			{name: "redirects", base: "clear", request: plan.Request{URL: "/relative-redirect/3"}, hops: 4},
			{name: "redirect-to", base: "clear", request: plan.Request{URL: "/redirect-to?url=/html"}, hops: 2, paths: []string{"/redirect-to?url=/html", "/html"}},
			{name: "cookies", base: "clear", request: plan.Request{URL: "/cookies/set?name=value"}, hops: 2},
			{name: "mixed", base: "clear", request: plan.Request{URL: "/status/200:0.7,404:0.2,503:0.1"}, fails: true},
			{name: "teapot", base: "clear", request: plan.Request{URL: "/status/418"}, fails: true, paths: []string{"/status/418"}},
			{name: "slow", base: "clear", request: plan.Request{URL: "/delay/2ms"}},
		},
	}
}

func httpbinTLS(bin string) product {
	return product{
		name:    "go-httpbin-tls",
		program: httpbinProgram(bin, "tls", []string{"-https-cert-file", "cert.pem", "-https-key-file", "key.pem"}),
		loads: []load{
			{name: "tls", base: "tls", request: plan.Request{URL: "/html", HTTPVersion: plan.HTTP11}},
			{name: "h2", base: "tls", request: plan.Request{URL: "/html"}, http2: true},
			{name: "h2-redirects", base: "tls", request: plan.Request{URL: "/redirect/2"}, hops: 3, http2: true},
			{name: "h2-mixed", base: "tls", request: plan.Request{URL: "/status/200:0.7,503:0.3"}, fails: true, http2: true},
		},
	}
}

// httpbinProgram is go-httpbin, which has one listener and prints its log.
func httpbinProgram(bin, listener string, args []string) program {
	p := program{
		command: bin,
		pkg:     "go-httpbin",
		args: func(t *testing.T, dir string, at map[string]string) []string {
			writeCertificate(t, dir)
			host, port, err := net.SplitHostPort(at[listener])
			if err != nil {
				t.Fatal(err)
			}
			return append([]string{"-host", host, "-port", port, "-log-format", "json"}, args...)
		},
		parse: parseJSON,
		quit:  syscall.SIGTERM,
	}
	if args == nil {
		p.clear = []string{listener}
	} else {
		p.secure = []string{listener}
	}
	return p
}
