package dial

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/netip"

	"github.com/nollagluiz/broadside/plan"
)

// Rules are a plan.Network made ready for use. The zero value is that of the zero plan.Network. They may be shared.
type Rules struct {
	hosts   hosts
	dns     plan.DNS
	deny    []netip.Prefix
	blocked patterns[struct{}]
	noReuse bool

	tls        tls.Config // what all handshakes share
	identities []identity
}

// identity is a client certificate and the servers that it is for.
type identity struct {
	servers patterns[struct{}]
	pair    tls.Certificate
}

// Compile makes ready a network that plan.Plan.Validate takes. The error is about one that it does not, or about the
// system's certificates.
func Compile(n plan.Network) (*Rules, error) {
	r := &Rules{dns: n.DNS, noReuse: n.NoConnectionReuse}
	for key, value := range n.Hosts {
		if err := r.hosts.add(key, value); err != nil {
			return nil, fmt.Errorf("host %.60q: %w", key, err)
		}
	}
	for _, p := range n.BlacklistIPs {
		r.deny = append(r.deny, unmapped(p))
	}
	for _, text := range n.BlockHostnames {
		if err := r.blocked.add(text, struct{}{}); err != nil {
			return nil, fmt.Errorf("blocked host %.60q: %w", text, err)
		}
	}
	if err := r.compileTLS(n.TLS); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *Rules) compileTLS(t plan.TLS) error {
	r.tls.MinVersion, _ = t.MinVersion.Number()
	r.tls.MaxVersion, _ = t.MaxVersion.Number()
	if most := r.tls.MaxVersion; r.tls.MinVersion == 0 && most != 0 && most < tls.VersionTLS12 {
		r.tls.MinVersion = most // else there would be no version: crypto/tls begins at 1.2 unasked
	}
	for _, name := range t.CipherSuites {
		id, ok := plan.CipherSuite(name)
		if !ok {
			return fmt.Errorf("unknown cipher suite %.60q", name)
		}
		r.tls.CipherSuites = append(r.tls.CipherSuites, id)
	}
	if len(t.CAPEM) > 0 {
		roots, err := x509.SystemCertPool()
		if err != nil {
			return fmt.Errorf("the system's certificates: %w", err)
		}
		roots.AppendCertsFromPEM(t.CAPEM)
		r.tls.RootCAs = roots
	}
	for i, c := range t.Certificates {
		pair, err := c.KeyPair()
		if err != nil {
			return fmt.Errorf("client certificate %d: %w", i, err)
		}
		id := identity{pair: pair}
		for _, text := range c.Domains {
			if err := id.servers.add(text, struct{}{}); err != nil {
				return fmt.Errorf("client certificate %d: domain %.60q: %w", i, text, err)
			}
		}
		if len(c.Domains) == 0 {
			id.servers.suffix = map[string]struct{}{"": {}}
		}
		r.identities = append(r.identities, id)
	}
	return nil
}

// TLSConfig is how to shake hands with host, a name or an address without its port, and which protocols to offer. Each
// call makes a config of its own.
//
// A server that asks for a certificate gets the first for its name that it takes (RFC 8446 section 4.2.4), so a redirect
// takes a certificate to no other server. It may ask anew on an open connection up to TLS 1.2, as in k6: IIS does so
// once it has seen the path.
func (d *Dialer) TLSConfig(host string, skipVerify bool, protocols ...string) *tls.Config {
	cfg := d.rules.tls.Clone()
	cfg.ServerName = host
	cfg.InsecureSkipVerify = skipVerify
	cfg.NextProtos = protocols
	cfg.Renegotiation = tls.RenegotiateFreelyAsClient
	for _, id := range d.rules.identities {
		if _, ok := id.servers.find(plan.CanonicalHost(host)); ok {
			cfg.Certificates = append(cfg.Certificates, id.pair)
		}
	}
	return cfg
}

// NoReuse tells whether each request is to have a connection of its own.
func (d *Dialer) NoReuse() bool { return d.rules.noReuse }
