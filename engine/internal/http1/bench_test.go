package http1

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"testing"
	"time"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/engine/internal/dial"
)

// canned is what a static server says.
const canned = "HTTP/1.1 200 OK\r\nServer: canned\r\nDate: Sun, 01 Mar 2026 10:00:00 GMT\r\nContent-Type: text/plain\r\n" +
	"Content-Length: 13\r\nConnection: keep-alive\r\n\r\nHello, world!"

// cannedServer answers each read that ends a head with the same bytes, and does nothing else: what is measured is the
// client. It returns a URL.
func cannedServer(t testing.TB, secure bool) string {
	var config *tls.Config
	url := "http://"
	if secure {
		config = &tls.Config{Certificates: certificates(), NextProtos: []string{"http/1.1"}}
		url = "https://"
	}
	return url + listen(t, func(c net.Conn) {
		if config != nil {
			c = tls.Server(c, config)
		}
		answer := []byte(canned)
		for buf := make([]byte, 4096); ; {
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			if bytes.HasSuffix(buf[:n], []byte("\r\n\r\n")) {
				_, err = c.Write(answer)
			}
			if err != nil {
				return
			}
		}
	}) + "/"
}

func BenchmarkExchange(b *testing.B) {
	for _, secure := range []bool{false, true} {
		url := cannedServer(b, secure)
		name := "plain"
		if secure {
			name = "TLS"
		}
		for _, kind := range []struct {
			name string
			new  func(testing.TB, dial.Config) *client
		}{{"http1", newClient}, {"std", newStdClient}} {
			b.Run(name+"/"+kind.name, func(b *testing.B) {
				c := kind.new(b, dial.Config{})
				r := get(url)
				r.Deadline = time.Hour
				b.ReportAllocs()
				var x core.Exchange
				for b.Loop() {
					x = core.Exchange{}
					c.do(b.Context(), 0, r, &x)
					if x.Status != 200 {
						b.Fatal(x.Err)
					}
				}
			})
		}
	}
}

// BenchmarkBody reads 8 MiB away.
func BenchmarkBody(b *testing.B) {
	body := make([]byte, 8<<20)
	url := "http://" + listen(b, func(c net.Conn) {
		for buf := make([]byte, 4096); ; {
			if _, err := c.Read(buf); err != nil {
				return
			}
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 8388608\r\n\r\n")
			_, _ = c.Write(body)
		}
	})
	for _, kind := range []struct {
		name string
		new  func(testing.TB, dial.Config) *client
	}{{"http1", newClient}, {"std", newStdClient}} {
		b.Run(kind.name, func(b *testing.B) {
			c := kind.new(b, dial.Config{})
			r := get(url)
			r.Deadline = time.Hour
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			var x core.Exchange
			for b.Loop() {
				x = core.Exchange{}
				c.do(b.Context(), 0, r, &x)
				if x.Status != 200 {
					b.Fatal(x.Err)
				}
			}
		})
	}
}
