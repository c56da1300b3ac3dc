package dial

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/engine/internal/core"
)

// names is a Resolver from memory.
type names map[string][]string

func (n names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	texts, ok := n[host]
	if !ok {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	var out []netip.Addr
	for _, t := range texts {
		out = append(out, netip.MustParseAddr(t))
	}
	return out, nil
}

// Field report 14: cloud-metadata and link-local addresses are never dialled, however they are written; private ones
// are not where DenyPrivate says so. What passes is connected to as it was checked.
func TestDenyList(t *testing.T) {
	const never, private, open = "never", "private", "open"
	for _, tc := range []struct{ addr, class string }{
		{"169.254.169.254", never}, {"169.254.0.1", never}, {"fe80::1", never}, {"fe80::1%eth0", never},
		{"fd00:ec2::254", never}, {"fd00:ec2::254%eth0", never}, {"fd20:ce::254", never},
		{"100.100.100.200", never}, {"192.0.0.192", never}, {"168.63.129.16", never},
		{"::ffff:169.254.169.254", never},   // IPv4-mapped
		{"::169.254.169.254", never},        // IPv4-compatible
		{"64:ff9b::169.254.169.254", never}, // NAT64
		{"64:ff9b:1::a9fe:a9fe", never},     // NAT64, local
		{"2002:a9fe:a9fe::1", never},        // 6to4
		{"64:ff9b::100.100.100.200", never}, //
		{"127.0.0.1", private}, {"127.255.255.255", private}, {"::1", private}, {"0.0.0.0", private}, {"::", private},
		{"10.1.2.3", private}, {"172.16.0.1", private}, {"172.31.255.255", private}, {"192.168.1.1", private},
		{"100.64.0.1", private}, {"198.18.0.1", private}, {"fc00::1", private}, {"fd12:3456::1", private},
		{"224.0.0.1", private}, {"ff02::1", private}, {"255.255.255.255", private}, {"::ffff:10.0.0.1", private},
		{"64:ff9b::10.0.0.1", private}, {"2002:0a00:0001::1", private},
		{"8.8.8.8", open}, {"172.32.0.1", open}, {"100.128.0.1", open}, {"169.253.255.255", open}, {"203.0.113.7", open},
		{"2606:4700::1111", open}, {"64:ff9b::8.8.8.8", open}, {"2002:0808:0808::1", open}, {"fd00:ec3::254", private},
	} {
		for _, denyPrivate := range []bool{false, true} {
			for _, host := range []string{tc.addr, "name.test"} {
				var dialled string
				d := New(Config{
					DenyPrivate: denyPrivate,
					Resolver:    names{"name.test": {tc.addr}},
					Connect: func(_ context.Context, _, address string) (net.Conn, error) {
						dialled = address
						client, server := net.Pipe()
						server.Close()
						return client, nil
					},
				})
				conn, err := d.Dial(t.Context(), net.JoinHostPort(host, "80"), new(Counter))
				if tc.class == never || tc.class == private && denyPrivate {
					var e *Error
					require.ErrorAs(t, err, &e, "%s, private denied %v", tc.addr, denyPrivate)
					require.EqualValues(t, core.CodeDenied, e.Code)
					require.Contains(t, e.Text, "deny-list")
					require.Empty(t, dialled, "nothing was dialled")
					continue
				}
				require.NoError(t, err, "%s, private denied %v", tc.addr, denyPrivate)
				want := netip.MustParseAddr(tc.addr)
				if host == "name.test" {
					want = want.Unmap()
				}
				require.Equal(t, netip.AddrPortFrom(want, 80).String(), dialled)
				require.NoError(t, conn.Close())
			}
		}
	}
}

// A name with a good and a denied address leads to the good one only.
func TestDeniedAddressesAreLeftOut(t *testing.T) {
	var dialled []string
	d := New(Config{
		Resolver: names{"both.test": {"169.254.169.254", "203.0.113.7", "fe80::1"}},
		Connect: func(_ context.Context, _, address string) (net.Conn, error) {
			dialled = append(dialled, address)
			return nil, errors.New("no")
		},
	})
	_, err := d.Dial(t.Context(), "both.test:80", new(Counter))
	require.ErrorContains(t, err, "no")
	require.Equal(t, []string{"203.0.113.7:80"}, dialled)
}
