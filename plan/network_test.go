package plan_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/nollagluiz/broadside/plan"
)

func TestParseHostKey(t *testing.T) {
	for _, tc := range []struct {
		key, pattern string
		port         uint16
	}{
		{"a.test", "a.test", 0},
		{"A.Test.", "a.test", 0},
		{"a.test:8080", "a.test", 8080},
		{"*.a.test", "*.a.test", 0},
		{"*a.test:443", "*a.test", 443},
		{"*", "*", 0},
		{"*:80", "*", 80},
		{"xn--bcher-kva.test", "xn--bcher-kva.test", 0},
		{"with_underscore", "with_underscore", 0},
		{"127.0.0.1", "127.0.0.1", 0},
		{"127.0.0.1:80", "127.0.0.1", 80},
		{"0:0:0:0:0:0:0:1", "::1", 0},
		{"[::1]:80", "::1", 80},
		{"fe80::1%eth0", "fe80::1%eth0", 0},
		{strings.Repeat("a", 254), strings.Repeat("a", 254), 0},
		{"", "", 0}, {":80", "", 0}, {"a.test:", "", 0}, {"a.test:0", "", 0}, {"a.test:65536", "", 0}, {"a.test:x", "", 0},
		{"a.*", "", 0}, {"a*.test", "", 0}, {"**.test", "", 0}, {" a.test", "", 0}, {"a test", "", 0}, {"bücher.test", "", 0},
		{"a.test/x", "", 0}, {"http://a.test", "", 0}, {"a:b:80", "", 0}, {"[a.test", "", 0}, {strings.Repeat("a", 255), "", 0},
	} {
		pattern, port, err := plan.ParseHostKey(tc.key)
		if pattern != tc.pattern || port != tc.port || (err == nil) != (tc.pattern != "") {
			t.Errorf("%q: %q %d, %v; want %q %d", tc.key, pattern, port, err, tc.pattern, tc.port)
		}
	}
}

func TestParseHostAddress(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.1": "192.0.2.1:0", "192.0.2.1:80": "192.0.2.1:80", "::1": "[::1]:0", "[::1]": "[::1]:0", "[::1]:80": "[::1]:80",
		"::ffff:192.0.2.1": "[::ffff:192.0.2.1]:0", "fe80::1%eth0": "[fe80::1%eth0]:0",
	} {
		if got, err := plan.ParseHostAddress(text); err != nil || got.String() != want {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
	// k6 takes the first two, and dials its own machine.
	for _, text := range []string{"", "localhost", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:99999", ":80", "192.0.2.1/24"} {
		if got, err := plan.ParseHostAddress(text); err == nil {
			t.Errorf("%q is taken as %v", text, got)
		}
	}
}

func TestCipherSuiteNames(t *testing.T) {
	for name, want := range map[string]uint16{
		"TLS_RSA_WITH_AES_128_CBC_SHA":                0x002f,
		"TLS_AES_128_GCM_SHA256":                      0x1301,
		"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": 0xcca8,
		"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305":        0xcca8,
		"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305":      0xcca9,
		"TLS_RSA_WITH_RC4_128_SHA":                    0x0005,
		"tls_rsa_with_aes_128_cbc_sha":                0,
		"":                                            0,
	} {
		if got, ok := plan.CipherSuite(name); got != want || ok != (want != 0) {
			t.Errorf("%q: %#x, %v; want %#x", name, got, ok, want)
		}
	}
}

func TestNetworkIsValidated(t *testing.T) {
	cert, key := ecPair(t)
	good := plan.ClientCertificate{Domains: []string{"*.a.test"}, CertPEM: []byte(cert), KeyPEM: plan.Secret(key)}
	many := make([]string, plan.MaxHosts+1)
	hosts := map[string]string{}
	for i := range many {
		many[i] = "a.test"
		hosts[fmt.Sprint("h", i)] = "192.0.2.1"
	}
	for _, tc := range []struct {
		name   string
		n      plan.Network
		fields []string
	}{
		{"nothing", plan.Network{}, nil},
		{"everything", plan.Network{
			Hosts:          map[string]string{"*.a.test": "192.0.2.1", "a.test": "192.0.2.1:80", "a.test:80": "[::1]:8080"},
			DNS:            plan.DNS{TTL: -1, Select: plan.SelectRoundRobin, Policy: plan.AnyFamily},
			BlacklistIPs:   []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
			BlockHostnames: []string{"*.b.test"},
			TLS: plan.TLS{
				MinVersion: plan.TLS10, MaxVersion: plan.TLS12, CipherSuites: []string{"TLS_RSA_WITH_AES_128_CBC_SHA"},
				Certificates: []plan.ClientCertificate{good}, CAPEM: []byte(cert),
			},
			NoConnectionReuse: true, NoVUConnectionReuse: true,
		}, nil},
		{"a bad host and a bad address", plan.Network{Hosts: map[string]string{"a.*": "192.0.2.1", "b.test": "b"}}, []string{"network.hosts", "network.hosts"}},
		{"one host twice", plan.Network{Hosts: map[string]string{"a.test": "192.0.2.1", "A.test.": "192.0.2.2"}}, []string{"network.hosts"}},
		{"too many hosts", plan.Network{Hosts: hosts}, []string{"network.hosts"}},
		{"no selection, no policy", plan.Network{DNS: plan.DNS{Select: "Random", Policy: "x"}}, []string{"network.dns.select", "network.dns.policy"}},
		{"no range", plan.Network{BlacklistIPs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), {}}}, []string{"network.blacklistIPs[1]"}},
		{"too many ranges", plan.Network{BlacklistIPs: make([]netip.Prefix, plan.MaxHosts+1)}, []string{"network.blacklistIPs"}},
		{"no name", plan.Network{BlockHostnames: []string{"a.test", "a.test:80"}}, []string{"network.blockHostnames[1]"}},
		{"too many names", plan.Network{BlockHostnames: many}, []string{"network.blockHostnames"}},
		{"no versions", plan.Network{TLS: plan.TLS{MinVersion: "ssl3.0", MaxVersion: "1.2"}}, []string{"network.tls.minVersion", "network.tls.maxVersion"}},
		{"versions the wrong way round", plan.Network{TLS: plan.TLS{MinVersion: plan.TLS13, MaxVersion: plan.TLS12}}, []string{"network.tls.minVersion"}},
		{"no suite", plan.Network{TLS: plan.TLS{CipherSuites: []string{"TLS_AES_128_GCM_SHA256", "x"}}}, []string{"network.tls.cipherSuites[1]"}},
		{"too many suites", plan.Network{TLS: plan.TLS{CipherSuites: many}}, []string{"network.tls.cipherSuites"}},
		{"no authority", plan.Network{TLS: plan.TLS{CAPEM: []byte("x")}}, []string{"network.tls.caPEM"}},
		{"a broken authority", plan.Network{TLS: plan.TLS{CAPEM: []byte(cert + toPEM("CERTIFICATE", nil))}}, []string{"network.tls.caPEM"}},
		{"too long an authority", plan.Network{TLS: plan.TLS{CAPEM: make([]byte, plan.MaxCAPEM+1)}}, []string{"network.tls.caPEM"}},
		{"bad certificates", plan.Network{TLS: plan.TLS{Certificates: []plan.ClientCertificate{
			good, {CertPEM: good.CertPEM}, {Domains: []string{"a*"}, KeyPEM: good.KeyPEM},
		}}}, []string{"network.tls.certificates[1].keyPEM", "network.tls.certificates[2].domains[0]", "network.tls.certificates[2].certPEM"}},
		{"too many certificates", plan.Network{TLS: plan.TLS{Certificates: make([]plan.ClientCertificate, plan.MaxCertificates+1)}}, []string{"network.tls.certificates"}},
		{"too long a chain", plan.Network{TLS: plan.TLS{Certificates: []plan.ClientCertificate{{CertPEM: make([]byte, plan.MaxCertPEM+1)}}}}, []string{"network.tls.certificates[0].certPEM"}},
		{"too long a key", plan.Network{TLS: plan.TLS{Certificates: []plan.ClientCertificate{{KeyPEM: plan.Secret(make([]byte, plan.MaxKeyPEM+1))}}}}, []string{"network.tls.certificates[0].keyPEM"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := shortest()
			p.Network = tc.n
			var errs plan.FieldErrors
			if err := p.Validate(); err != nil && !errors.As(err, &errs) {
				t.Fatal(err)
			}
			var fields []string
			for _, e := range errs {
				fields = append(fields, e.Field)
			}
			if !slices.Equal(fields, tc.fields) {
				t.Errorf("faults of %v; want %v: %v", fields, tc.fields, errs)
			}
		})
	}
}

// Spellings and defaults of k6 v2.2.0, seen from outside.
func TestNetworkOptions(t *testing.T) {
	for _, tc := range []struct {
		name, json string
		want       plan.Network
		refused    bool
	}{
		{"hosts", `{"a.test": "192.0.2.1:80"}`, plan.Network{Hosts: map[string]string{"a.test": "192.0.2.1:80"}}, false},
		{"hosts", `["a.test"]`, plan.Network{}, true},
		{"hosts", `{"a.test": {"ip": "192.0.2.1"}}`, plan.Network{}, true},
		{"dns", `{}`, plan.Network{}, false},
		{"dns", `{"ttl": null, "select": null, "policy": null}`, plan.Network{}, false},
		{"dns", `{"ttl": "1m", "select": "first", "policy": "onlyIPv6"}`, plan.Network{DNS: plan.DNS{TTL: time.Minute, Select: plan.SelectFirst, Policy: plan.OnlyIPv6}}, false},
		{"dns", `{"ttl": "0"}`, plan.Network{DNS: plan.DNS{TTL: -1}}, false},
		{"dns", `{"ttl": "inf"}`, plan.Network{DNS: plan.DNS{TTL: plan.DNSForever}}, false},
		{"dns", `{"ttl": ""}`, plan.Network{}, false},
		{"dns", `{"ttl": "500"}`, plan.Network{DNS: plan.DNS{TTL: 500 * time.Millisecond}}, false},
		{"dns", `{"ttl": "1d"}`, plan.Network{DNS: plan.DNS{TTL: 24 * time.Hour}}, false},
		{"dns", `{"ttl": "Inf"}`, plan.Network{}, true},
		{"dns", `{"ttl": "-1s"}`, plan.Network{}, true},
		{"dns", `{"ttl": 5000}`, plan.Network{}, true},
		{"dns", `"ttl=5m,select=first"`, plan.Network{}, true},
		{"blacklistIPs", `["10.0.0.9/8", "::1", "192.0.2.1"]`, plan.Network{BlacklistIPs: []netip.Prefix{
			netip.MustParsePrefix("10.0.0.9/8"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("192.0.2.1/32"),
		}}, false},
		{"blacklistIPs", `["x"]`, plan.Network{}, true},
		{"blacklistIPs", `["fe80::1%eth0"]`, plan.Network{}, true},
		{"blacklistIPs", `"10.0.0.0/8"`, plan.Network{}, true},
		{"blockHostnames", `["*.a.test"]`, plan.Network{BlockHostnames: []string{"*.a.test"}}, false},
		{"blockHostnames", `"a.test"`, plan.Network{}, true},
		{"tlsVersion", `"tls1.2"`, plan.Network{TLS: plan.TLS{MinVersion: plan.TLS12, MaxVersion: plan.TLS12}}, false},
		{"tlsVersion", `{"min": "tls1.0"}`, plan.Network{TLS: plan.TLS{MinVersion: plan.TLS10}}, false},
		{"tlsVersion", `{"min": "tls1.0", "max": "tls1.1"}`, plan.Network{TLS: plan.TLS{MinVersion: plan.TLS10, MaxVersion: plan.TLS11}}, false},
		{"tlsVersion", `""`, plan.Network{}, false},
		{"tlsVersion", `["tls1.2"]`, plan.Network{}, true},
		{"tlsCipherSuites", `["TLS_RSA_WITH_AES_128_CBC_SHA"]`, plan.Network{TLS: plan.TLS{CipherSuites: []string{"TLS_RSA_WITH_AES_128_CBC_SHA"}}}, false},
		{"tlsCipherSuites", `"x"`, plan.Network{}, true},
		{"tlsAuth", `[{"domains": ["a.test"], "cert": "c", "key": "k", "password": "p"}, {"cert": "d", "key": "l", "password": null}]`,
			plan.Network{TLS: plan.TLS{Certificates: []plan.ClientCertificate{
				{Domains: []string{"a.test"}, CertPEM: []byte("c"), KeyPEM: "k", Password: "p"}, {CertPEM: []byte("d"), KeyPEM: "l"},
			}}}, false},
		{"tlsAuth", `{"cert": "hush"}`, plan.Network{}, true},
		{"tlsAuth", `[{"password": 4711}]`, plan.Network{}, true},
		{"noConnectionReuse", `true`, plan.Network{NoConnectionReuse: true}, false},
		{"noConnectionReuse", `"true"`, plan.Network{}, true},
		{"noVUConnectionReuse", `true`, plan.Network{NoVUConnectionReuse: true}, false},
		{"noVUConnectionReuse", `1`, plan.Network{}, true},
	} {
		t.Run(tc.name+tc.json, func(t *testing.T) {
			var n plan.Network
			mine, err := n.SetOption(tc.name, json.RawMessage(tc.json))
			if !mine || (err != nil) != tc.refused {
				t.Fatalf("mine %v, error %v; want refused %v", mine, err, tc.refused)
			}
			if err != nil && strings.ContainsAny(err.Error(), "\n") || err != nil && strings.Contains(err.Error(), "4711") {
				t.Errorf("%v", err)
			}
			if d := cmp.Diff(tc.want, n, cmpopts.EquateComparable(netip.Prefix{})); err == nil && d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
			n = tc.want
			if _, err := n.SetOption(tc.name, json.RawMessage("null")); err != nil {
				t.Errorf("null: %v", err)
			}
		})
	}
	var n plan.Network
	if mine, err := n.SetOption("vus", json.RawMessage("1")); mine || err != nil {
		t.Errorf("vus: mine %v, error %v", mine, err)
	}
}
