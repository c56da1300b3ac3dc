package dial

import (
	"context"
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/plan"
)

func compile(t *testing.T, n plan.Network) *Rules {
	t.Helper()
	rules, err := Compile(n)
	require.NoError(t, err)
	return rules
}

// whither dials address by the rules, and gives where that led.
func whither(t *testing.T, cfg Config, address string) (dialled string, err error) {
	t.Helper()
	cfg.Connect = func(_ context.Context, _, to string) (net.Conn, error) {
		dialled = to
		client, server := net.Pipe()
		server.Close()
		return client, nil
	}
	d := New(cfg)
	defer d.Close()
	_, err = d.Dial(t.Context(), address, new(Counter))
	return dialled, err
}

// What k6 v2.2.0 does with its option hosts, but where k6 dials port 0: at rules with a port and an address without one.
func TestHosts(t *testing.T) {
	rules := compile(t, plan.Network{Hosts: map[string]string{
		"a.test":        "192.0.2.1",
		"a.test:8080":   "192.0.2.2",
		"*.test":        "192.0.2.3",
		"*.a.test":      "192.0.2.4:81",
		"*b.test":       "192.0.2.5",
		"*.test:9090":   "192.0.2.6:99",
		"c.test:80":     "[2001:db8::1]:8080",
		"d.test":        "::ffff:192.0.2.7",
		"192.0.2.200":   "192.0.2.8",
		"[::1]:80":      "192.0.2.9",
		"x.a.test:8080": "192.0.2.10",
		"*:7":           "192.0.2.11",
	}})
	for address, want := range map[string]string{
		"a.test:80":       "192.0.2.1:80",
		"A.TEST:80":       "192.0.2.1:80",
		"a.test.:80":      "192.0.2.1:80",
		"a.test:8080":     "192.0.2.2:8080", // a rule with the port comes first
		"e.test:80":       "192.0.2.3:80",
		"x.y.test:80":     "192.0.2.3:80", // a star stands for several labels
		"x.a.test:80":     "192.0.2.4:81", // the longest pattern
		"x.y.a.test:80":   "192.0.2.4:81",
		"b.test:80":       "192.0.2.5:80", // a star stands for nothing, too
		"bb.test:80":      "192.0.2.5:80",
		"a.test:9090":     "192.0.2.6:99", // even a pattern with the port comes before the name without
		"c.test:80":       "[2001:db8::1]:8080",
		"c.test:81":       "192.0.2.3:81",
		"d.test:80":       "[::ffff:192.0.2.7]:80",
		"192.0.2.200:80":  "192.0.2.8:80",
		"[::1]:80":        "192.0.2.9:80",
		"[0:0::1]:80":     "192.0.2.9:80",
		"[::1]:81":        "[::1]:81",
		"x.a.test:8080":   "192.0.2.10:8080",
		"anything.eg:7":   "192.0.2.11:7",
		"203.0.113.1:7":   "192.0.2.11:7",
		"203.0.113.1:80":  "203.0.113.1:80",
		"resolved.eg:80":  "203.0.113.9:80",
		"tests:80":        "203.0.113.8:80",
		"a.test.tests:80": "203.0.113.8:80",
	} {
		resolver := names{"resolved.eg": {"203.0.113.9"}, "tests": {"203.0.113.8"}, "a.test.tests": {"203.0.113.8"}}
		got, err := whither(t, Config{Rules: rules, Resolver: resolver}, address)
		require.NoError(t, err, address)
		require.Equal(t, want, got, address)
	}
	// "*.test" is not "test".
	_, err := whither(t, Config{Rules: rules, Resolver: names{}}, "test:80")
	code, _ := Classify(err)
	require.EqualValues(t, core.CodeNoSuchHost, code)
}

// The deny-list and the plan's own are asked of what hosts and DNS say; blocked names are asked for neither.
func TestDeniedWhereverItComesFrom(t *testing.T) {
	rules := compile(t, plan.Network{
		Hosts: map[string]string{
			"metadata.test": "169.254.169.254", "mapped.test": "::ffff:169.254.169.254", "loop.test": "127.0.0.1",
			"listed.test": "198.51.100.1", "blocked.test": "192.0.2.1", "ok.test": "192.0.2.1", "192.0.2.9": "169.254.1.1",
		},
		BlacklistIPs: []netip.Prefix{
			netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("::ffff:203.0.113.0/120"), netip.MustParsePrefix("2001:db8:dead::/48"),
		},
		BlockHostnames: []string{"blocked.test", "*.bad.test"},
	})
	resolver := names{
		"resolved.test": {"198.51.100.2"}, "one.test": {"198.51.100.2", "192.0.2.2"}, "blocked.test": {"192.0.2.1"},
		"x.bad.test": {"192.0.2.1"}, "bad.test": {"192.0.2.1"},
	}
	for _, tc := range []struct {
		address string
		private bool
		code    uint16
		dialled string
	}{
		{"metadata.test:80", false, core.CodeDenied, ""},
		{"mapped.test:80", false, core.CodeDenied, ""},
		{"192.0.2.9:80", false, core.CodeDenied, ""},
		{"loop.test:80", false, 0, "127.0.0.1:80"},
		{"loop.test:80", true, core.CodeDenied, ""},
		{"listed.test:80", false, core.CodeDenied, ""},
		{"resolved.test:80", false, core.CodeDenied, ""},
		{"one.test:80", false, 0, "192.0.2.2:80"},
		{"198.51.100.255:80", false, core.CodeDenied, ""},
		{"198.51.101.0:80", false, 0, "198.51.101.0:80"},
		{"[::ffff:198.51.100.1]:80", false, core.CodeDenied, ""},
		{"[64:ff9b::198.51.100.1]:80", false, core.CodeDenied, ""},
		{"203.0.113.5:80", false, core.CodeDenied, ""},
		{"[2001:db8:dead::1]:80", false, core.CodeDenied, ""},
		{"[2001:db8:dead::1%eth0]:80", false, core.CodeDenied, ""},
		{"[2001:db8:beef::1]:80", false, 0, "[2001:db8:beef::1]:80"},
		{"blocked.test:80", false, core.CodeBlocked, ""},
		{"BLOCKED.test.:80", false, core.CodeBlocked, ""},
		{"x.bad.test:80", false, core.CodeBlocked, ""},
		{"bad.test:80", false, 0, "192.0.2.1:80"},
		{"ok.test:80", false, 0, "192.0.2.1:80"},
	} {
		dialled, err := whither(t, Config{Rules: rules, DenyPrivate: tc.private, Resolver: resolver}, tc.address)
		require.Equal(t, tc.dialled, dialled, tc.address)
		if tc.code == 0 {
			require.NoError(t, err, tc.address)
			continue
		}
		code, _ := Classify(err)
		require.Equal(t, tc.code, code, "%s: %v", tc.address, err)
	}
}

func TestUnmapped(t *testing.T) {
	for text, want := range map[string]string{
		"::ffff:10.0.0.0/104": "10.0.0.0/8", "::ffff:10.0.0.1/128": "10.0.0.1/32", "::ffff:0.0.0.0/96": "0.0.0.0/0",
		"::ffff:0.0.0.0/90": "::ffff:0.0.0.0/90", "10.0.0.0/8": "10.0.0.0/8", "2001:db8::/32": "2001:db8::/32",
	} {
		require.Equal(t, want, unmapped(netip.MustParsePrefix(text)).String())
	}
}

// blockHostnames is about names, as in k6: what it says of all does not stop an address.
func TestBlockedNamesAreNoAddresses(t *testing.T) {
	rules := compile(t, plan.Network{BlockHostnames: []string{"*"}})
	_, err := whither(t, Config{Rules: rules, Resolver: names{"a.test": {"192.0.2.1"}}}, "a.test:80")
	require.EqualError(t, err, "a.test is blocked by the plan")
	dialled, err := whither(t, Config{Rules: rules}, "192.0.2.1:80")
	require.NoError(t, err)
	require.Equal(t, "192.0.2.1:80", dialled)
}

// A name without an address of the family that the plan takes is a failed lookup (k6 v2.2 says 1000).
func TestFamilyOfTheNetwork(t *testing.T) {
	resolver := names{"v4.test": {"192.0.2.1"}, "v6.test": {"2001:db8::1"}, "both.test": {"192.0.2.1", "2001:db8::1"}}
	for _, tc := range []struct {
		policy  plan.Policy
		address string
		dialled string
	}{
		{plan.OnlyIPv4, "both.test:80", "192.0.2.1:80"},
		{plan.OnlyIPv4, "v6.test:80", ""},
		{plan.OnlyIPv6, "both.test:80", "[2001:db8::1]:80"},
		{plan.OnlyIPv6, "v4.test:80", ""},
		{plan.PreferIPv6, "both.test:80", "[2001:db8::1]:80"},
		{plan.PreferIPv6, "v4.test:80", "192.0.2.1:80"},
		{plan.PreferIPv4, "both.test:80", "192.0.2.1:80"},
		{plan.OnlyIPv6, "192.0.2.7:80", "192.0.2.7:80"}, // an address leaves no choice
	} {
		rules := compile(t, plan.Network{DNS: plan.DNS{Policy: tc.policy}})
		dialled, err := whither(t, Config{Rules: rules, Resolver: resolver}, tc.address)
		require.Equal(t, tc.dialled, dialled, "%s %s", tc.policy, tc.address)
		if tc.dialled == "" {
			code, text := Classify(err)
			require.EqualValues(t, core.CodeNoSuchHost, code)
			require.Contains(t, text, "no addresses of a family")
		}
	}
}

// Whoever skips Validate gets an error, not a panic or a rule left out.
func TestCompileRefuses(t *testing.T) {
	for name, n := range map[string]plan.Network{
		"a bad host":    {Hosts: map[string]string{"a.*": "192.0.2.1"}},
		"a bad address": {Hosts: map[string]string{"a.test": "b.test"}},
		"a bad name":    {BlockHostnames: []string{""}},
		"a bad suite":   {TLS: plan.TLS{CipherSuites: []string{"x"}}},
		"a bad key":     {TLS: plan.TLS{Certificates: []plan.ClientCertificate{{KeyPEM: "hush"}}}},
	} {
		_, err := Compile(n)
		require.Error(t, err, name)
		require.NotContains(t, err.Error(), "hush")
	}
}
