package dial

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/plan"
)

func parse(texts string) (out []netip.Addr) {
	for _, t := range strings.Fields(texts) {
		out = append(out, netip.MustParseAddr(t))
	}
	return out
}

// k6's policies and selections (v2.2, "dns"), and of the rest RFC 8305 section 4: the families in turn.
func TestOrder(t *testing.T) {
	const (
		both = "2001:db8::1 ::ffff:192.0.2.1 2001:db8::2 192.0.2.2 2001:db8::3"
		v4   = "192.0.2.1 192.0.2.2 192.0.2.3"
	)
	for _, tc := range []struct {
		name   string
		addrs  string
		policy plan.Policy
		choose plan.Select
		turn   int
		want   string
	}{
		{"first", both, "", "first", 7, "192.0.2.1 2001:db8::1 192.0.2.2 2001:db8::2 2001:db8::3"},
		{"first", both, "preferIPv4", "first", 0, "192.0.2.1 2001:db8::1 192.0.2.2 2001:db8::2 2001:db8::3"},
		{"first", both, "preferIPv6", "first", 0, "2001:db8::1 192.0.2.1 2001:db8::2 192.0.2.2 2001:db8::3"},
		{"first", both, "onlyIPv4", "first", 0, "192.0.2.1 192.0.2.2"},
		{"first", both, "onlyIPv6", "first", 0, "2001:db8::1 2001:db8::2 2001:db8::3"},
		{"first", both, "any", "first", 0, "2001:db8::1 192.0.2.1 2001:db8::2 192.0.2.2 2001:db8::3"},
		{"first", "192.0.2.9 " + both, "any", "first", 0, "192.0.2.9 2001:db8::1 192.0.2.1 2001:db8::2 192.0.2.2 2001:db8::3"},
		{"turn 0", v4, "", "roundRobin", 0, "192.0.2.1 192.0.2.2 192.0.2.3"},
		{"turn 1", v4, "", "roundRobin", 1, "192.0.2.2 192.0.2.3 192.0.2.1"},
		{"turn 2", v4, "", "roundRobin", 2, "192.0.2.3 192.0.2.1 192.0.2.2"},
		{"turn 3", v4, "", "roundRobin", 3, "192.0.2.1 192.0.2.2 192.0.2.3"},
		{"turn 1 of both", both, "", "roundRobin", 1, "192.0.2.2 2001:db8::2 192.0.2.1 2001:db8::3 2001:db8::1"},
		{"turn 1 of any", both, "any", "roundRobin", 1, "192.0.2.1 2001:db8::2 192.0.2.2 2001:db8::3 2001:db8::1"},
		{"none", "", "", "roundRobin", 1, ""},
		{"none", "", "any", "", 0, ""},
		{"none of the family", v4, "onlyIPv6", "", 0, ""},
		{"the other family", v4, "preferIPv6", "first", 0, v4},
	} {
		t.Run(tc.name+" "+string(tc.policy), func(t *testing.T) {
			in := parse(tc.addrs)
			got := order(in, plan.DNS{Policy: tc.policy, Select: tc.choose}, tc.turn)
			require.Equal(t, parse(tc.want), append([]netip.Addr(nil), got...))
			require.Equal(t, parse(tc.addrs), in, "the answer itself stays")
		})
	}
}

// Chosen at random, the addresses of a name share the load; the family that is preferred stays in front.
func TestRandomOrder(t *testing.T) {
	in := parse("192.0.2.1 2001:db8::1 192.0.2.2 2001:db8::2 192.0.2.3")
	for policy, want := range map[plan.Policy]int{"": 3, plan.PreferIPv4: 3, plan.PreferIPv6: 2, plan.AnyFamily: 5} {
		firsts := map[netip.Addr]bool{}
		for range 500 {
			got := order(in, plan.DNS{Policy: policy, Select: plan.SelectRandom}, 0)
			firsts[got[0]] = true
			for i := range 3 {
				require.NotEqual(t, got[i].Is4(), got[i+1].Is4(), "the families in turn: %v", got)
			}
			slices.SortFunc(got, netip.Addr.Compare)
			require.Equal(t, parse("192.0.2.1 192.0.2.2 192.0.2.3 2001:db8::1 2001:db8::2"), got)
		}
		require.Len(t, firsts, want, "policy %q", policy)
	}
}
