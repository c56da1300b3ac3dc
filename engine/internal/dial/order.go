package dial

import (
	"math/rand/v2"
	"net/netip"
	"slices"

	"github.com/nollagluiz/broadside/plan"
)

// order gives the addresses in the order of trying: those of the families that the policy takes, each family in the
// selection's order, and the two in turn (RFC 8305 section 4), first the one that the policy prefers. Where none is
// preferred, the first of all the addresses says which family begins. The nth connection to a name has turn n.
//
// k6 takes the first of these and gives up with it. RFC 6724 would prefer IPv6, which is one policy here; IPv4 is k6's.
func order(addrs []netip.Addr, dns plan.DNS, turn int) []netip.Addr {
	all := make([]netip.Addr, len(addrs))
	for i, a := range addrs {
		all[i] = a.Unmap()
	}
	if dns.Policy == plan.AnyFamily {
		all = selected(all, dns.Select, turn)
		if len(all) == 0 || all[0].Is4() {
			return inTurn(split(all))
		}
		v4, v6 := split(all)
		return inTurn(v6, v4)
	}
	v4, v6 := split(all)
	v4, v6 = selected(v4, dns.Select, turn), selected(v6, dns.Select, turn)
	switch dns.Policy {
	case plan.OnlyIPv4:
		return v4
	case plan.OnlyIPv6:
		return v6
	case plan.PreferIPv6:
		return inTurn(v6, v4)
	}
	return inTurn(v4, v6)
}

// selected puts addrs, which it may change, into the selection's order.
func selected(addrs []netip.Addr, by plan.Select, turn int) []netip.Addr {
	switch {
	case by == plan.SelectFirst:
	case by == plan.SelectRoundRobin && len(addrs) > 0:
		n := turn % len(addrs)
		return slices.Concat(addrs[n:], addrs[:n])
	default:
		rand.Shuffle(len(addrs), func(i, j int) { addrs[i], addrs[j] = addrs[j], addrs[i] })
	}
	return addrs
}

func split(addrs []netip.Addr) (v4, v6 []netip.Addr) {
	for _, a := range addrs {
		if a.Is4() {
			v4 = append(v4, a)
		} else {
			v6 = append(v6, a)
		}
	}
	return v4, v6
}

// inTurn gives one of each in turn, and what is left of the longer one.
func inTurn(a, b []netip.Addr) []netip.Addr {
	out := make([]netip.Addr, 0, len(a)+len(b))
	for i := range max(len(a), len(b)) {
		if i < len(a) {
			out = append(out, a[i])
		}
		if i < len(b) {
			out = append(out, b[i])
		}
	}
	return out
}
