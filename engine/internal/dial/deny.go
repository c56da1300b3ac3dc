package dial

import "net/netip"

// The deny-list holds addresses, not names: it is asked after DNS, on every connection, so on every redirect hop, and
// the connection goes to the address that was checked.

// Denied are the addresses that a Dialer refuses: those that are never dialled and, if asked for, private ones.
func Denied(privateToo bool) []netip.Prefix {
	if privateToo {
		return append(neverDial(), private()...)
	}
	return neverDial()
}

// neverDial are addresses that no load test has business with, and that give away a machine's credentials: link-local
// with the metadata service of most clouds in it, and the other metadata services.
func neverDial() []netip.Prefix {
	return prefixes(
		"169.254.0.0/16", "fe80::/10", // link-local (RFC 3927, RFC 4291)
		"fd00:ec2::254/128",  // AWS
		"fd20:ce::254/128",   // Google Cloud
		"100.100.100.200/32", // Alibaba Cloud
		"192.0.0.192/32",     // Oracle Cloud
		"168.63.129.16/32",   // Azure
	)
}

// private are addresses that lead into the agent's own machine or network (IANA's special-purpose registries).
func private() []netip.Prefix {
	return prefixes(
		"0.0.0.0/8", "::/128", // unspecified: this host
		"127.0.0.0/8", "::1/128", // loopback
		"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", // RFC 1918
		"100.64.0.0/10", // carrier-grade NAT (RFC 6598)
		"192.0.0.0/24",  // protocol assignments (RFC 6890)
		"198.18.0.0/15", // benchmarks between networks (RFC 2544)
		"fc00::/7",      // unique local (RFC 4193)
		"fec0::/10",     // site-local, deprecated (RFC 3879)
		"224.0.0.0/4",   // multicast
		"ff00::/8",      //
		"240.0.0.0/4",   // reserved, broadcast
	)
}

func prefixes(texts ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(texts))
	for i, t := range texts {
		out[i] = netip.MustParsePrefix(t)
	}
	return out
}

// unmapped is a range of IPv4-mapped addresses as one of IPv4, and any other as it is.
func unmapped(p netip.Prefix) netip.Prefix {
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		return netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	return p
}

// denied tells whether list holds the address, or the IPv4 address that it wraps.
func denied(list []netip.Prefix, a netip.Addr) bool {
	for _, form := range []netip.Addr{a.WithZone(""), inner(a)} {
		for _, p := range list {
			if p.Contains(form) {
				return true
			}
		}
	}
	return false
}

// inner is the IPv4 address to which an IPv6 address leads: IPv4-mapped and IPv4-compatible (RFC 4291 section 2.5.5),
// NAT64 (RFC 6052, RFC 8215) and 6to4 (RFC 3056). Any other address is its own inner one.
func inner(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a
	}
	b := a.As16()
	last4 := netip.AddrFrom4([4]byte(b[12:]))
	switch {
	case netip.MustParsePrefix("64:ff9b::/96").Contains(a), netip.MustParsePrefix("64:ff9b:1::/48").Contains(a):
		return last4
	case netip.MustParsePrefix("::/96").Contains(a) && b[12] != 0:
		return last4
	case netip.MustParsePrefix("2002::/16").Contains(a):
		return netip.AddrFrom4([4]byte(b[2:6]))
	}
	return a
}
