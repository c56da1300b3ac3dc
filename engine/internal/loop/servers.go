//go:build linux

package loop

import (
	"crypto/tls"
	"net"
	"time"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/engine/internal/dial"
	"github.com/nollagluiz/broadside/engine/internal/http1"
)

// maxServers bounds what is remembered of servers, as redirects may lead to any number of them.
const maxServers = 1024

// servers is what a Host remembers of requests and of the servers that they go to.
type servers struct {
	dialer  *dial.Dialer
	wires   map[*core.Request]*http1.Wire // by Request.Fixed
	configs map[http1.Origin]*tls.Config  // of handshakes: shared, or each connection would hold one
	other   map[http1.Origin]bool         // it is for the other transport

	last   *http1.Origin // of which was last asked where it is, and what came of it
	asked  time.Duration
	target dial.Target
	known  bool
}

func newServers(d *dial.Dialer) servers {
	return servers{dialer: d, wires: map[*core.Request]*http1.Wire{}, configs: map[http1.Origin]*tls.Config{}, other: map[http1.Origin]bool{}}
}

// where gives the address of o if it is known. Thousands of connections to one server in a row ask once.
func (s *servers) where(o *http1.Origin, now time.Duration) (dial.Target, bool) {
	const moment = 10 * time.Millisecond
	if s.last != o || now-s.asked >= moment {
		s.last, s.asked = o, now
		s.target, s.known = s.dialer.Known(o.Address)
	}
	return s.target, s.known
}

// wire gives the bytes of r: those of a fixed request are made once.
func (s *servers) wire(v *vu, r *core.Request) *http1.Wire {
	if v.fixed != nil && v.fixed == r.Fixed {
		return v.wire
	}
	v.fixed = r.Fixed
	w := s.wires[r.Fixed]
	if w == nil || r.Fixed == nil {
		w = http1.NewWire(r, s.dialer.NoReuse())
	}
	if r.Fixed != nil {
		remember(s.wires, r.Fixed, w)
	}
	return w
}

// config is how to shake hands with o; nil if that is for the other transport, which o then belongs to: a server that is
// shown a certificate may, before TLS 1.3, ask for it by renegotiation.
func (s *servers) config(o http1.Origin) *tls.Config {
	if c := s.configs[o]; c != nil {
		return c
	}
	host, _, err := net.SplitHostPort(o.Address)
	if err != nil { // the dial says so as well
		host = o.Address
	}
	protocols := []string{"http/1.1"}
	if o.Auto {
		protocols = []string{"h2", "http/1.1"}
	}
	c := s.dialer.TLSConfig(host, o.SkipVerify, protocols...)
	if len(c.Certificates) > 0 && c.MinVersion < tls.VersionTLS13 {
		s.leave(o)
		return nil
	}
	c.Renegotiation = tls.RenegotiateNever
	remember(s.configs, o, c)
	return c
}

// leave leaves o to the other transport from now on. One that is forgotten is asked again.
func (s *servers) leave(o http1.Origin) { remember(s.other, o, true) }

func remember[K comparable, V any](m map[K]V, k K, v V) {
	if len(m) >= maxServers {
		clear(m)
	}
	m[k] = v
}
