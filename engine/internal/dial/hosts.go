package dial

import (
	"net/netip"

	"github.com/nollagluiz/broadside/plan"
)

// patterns map patterns of hosts (plan.ParseHostPattern) to what they mean. The zero value holds none.
type patterns[T any] struct {
	exact  map[string]T
	suffix map[string]T // what stands behind the star
}

func (p *patterns[T]) add(text string, v T) error {
	pattern, err := plan.ParseHostPattern(text)
	if err != nil {
		return err
	}
	if p.exact == nil {
		p.exact, p.suffix = map[string]T{}, map[string]T{}
	}
	if pattern[0] == '*' {
		p.suffix[pattern[1:]] = v
	} else {
		p.exact[pattern] = v
	}
	return nil
}

// find gives what a host in plan.CanonicalHost's form means: the host in full comes first, then the longest pattern.
func (p *patterns[T]) find(host string) (v T, ok bool) {
	if v, ok := p.exact[host]; ok || len(p.suffix) == 0 {
		return v, ok
	}
	for i := range len(host) + 1 {
		if v, ok := p.suffix[host[i:]]; ok {
			return v, true
		}
	}
	return v, false
}

// hosts say where hosts lead in place of DNS: what they mean is an address, whose port is 0 if that stays.
type hosts struct {
	anyPort patterns[netip.AddrPort]
	byPort  map[uint16]*patterns[netip.AddrPort]
}

// add takes an entry of plan.Network.Hosts.
func (h *hosts) add(key, value string) error {
	pattern, port, err := plan.ParseHostKey(key)
	if err != nil {
		return err
	}
	to, err := plan.ParseHostAddress(value)
	if err != nil {
		return err
	}
	if port == 0 {
		return h.anyPort.add(pattern, to)
	}
	if h.byPort == nil {
		h.byPort = map[uint16]*patterns[netip.AddrPort]{}
	}
	if h.byPort[port] == nil {
		h.byPort[port] = &patterns[netip.AddrPort]{}
	}
	return h.byPort[port].add(pattern, to)
}

// find gives where host and port lead; rules with a port come first, as in k6. Unlike there, one without a port of its
// own keeps the port that was asked for (k6 v2.2 dials port 0).
func (h *hosts) find(host string, port uint16) (to netip.AddrPort, ok bool) {
	if p := h.byPort[port]; p != nil {
		to, ok = p.find(host)
	}
	if !ok {
		to, ok = h.anyPort.find(host)
	}
	if ok && to.Port() == 0 {
		to = netip.AddrPortFrom(to.Addr(), port)
	}
	return to, ok
}
