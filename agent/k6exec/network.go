package k6exec

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/nollagluiz/broadside/plan"
)

// networkOptions are k6's options of a resolved network, defaults left out. The addresses that k6 must not connect to
// are none of them: a variable, which a script can't overrule, has those.
func networkOptions(n plan.Network) (map[string]any, error) {
	o := map[string]any{}
	if len(n.Hosts) > 0 {
		o["hosts"] = n.Hosts
	}
	if len(n.BlockHostnames) > 0 {
		o["blockHostnames"] = n.BlockHostnames
	}
	if n.NoConnectionReuse {
		o["noConnectionReuse"] = true
	}
	if n.NoVUConnectionReuse {
		o["noVUConnectionReuse"] = true
	}
	if n.DNS != (plan.DNS{TTL: plan.DefaultDNSTTL, Select: plan.DefaultDNSSelect, Policy: plan.DefaultDNSPolicy}) {
		ttl := max(n.DNS.TTL, 0).String()
		if n.DNS.TTL == plan.DNSForever {
			ttl = "inf"
		}
		o["dns"] = map[string]any{"ttl": ttl, "select": n.DNS.Select, "policy": n.DNS.Policy}
	}
	return o, tlsOptions(n.TLS, o)
}

func tlsOptions(t plan.TLS, o map[string]any) error {
	if len(t.CAPEM) > 0 {
		return refuse("k6 takes no certificate authority beside the system's")
	}
	if len(t.CipherSuites) > 0 {
		o["tlsCipherSuites"] = t.CipherSuites
	}
	version := map[string]any{}
	if t.MinVersion != "" {
		version["min"] = t.MinVersion
	}
	if t.MaxVersion != "" {
		version["max"] = t.MaxVersion
	}
	if len(version) > 0 {
		o["tlsVersion"] = version
	}
	var auth []map[string]any
	for _, c := range t.Certificates {
		a := map[string]any{"cert": string(c.CertPEM), "key": string(c.KeyPEM)}
		if len(c.Domains) > 0 {
			a["domains"] = c.Domains
		}
		if c.Password != "" {
			a["password"] = string(c.Password)
		}
		auth = append(auth, a)
	}
	if auth != nil {
		o["tlsAuth"] = auth
	}
	return nil
}

// denied are the addresses that k6 must not connect to, as its K6_BLACKLIST_IPS has them; "" for none.
func denied(lists ...[]netip.Prefix) string {
	var texts []string
	for _, prefix := range slices.Concat(lists...) {
		texts = append(texts, prefix.String())
	}
	return strings.Join(texts, ",")
}
