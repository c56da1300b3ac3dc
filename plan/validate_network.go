package plan

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
)

// maxCipherSuites is more than crypto/tls knows.
const maxCipherSuites = 64

func (n Network) validate(errs *FieldErrors) {
	n.validateHosts(errs)
	switch n.DNS.Select {
	case SelectFirst, SelectRandom, SelectRoundRobin:
	default:
		errs.Add("network.dns.select", "must be %s, %s or %s, not %.20q", SelectFirst, SelectRandom, SelectRoundRobin, string(n.DNS.Select))
	}
	switch n.DNS.Policy {
	case PreferIPv4, PreferIPv6, OnlyIPv4, OnlyIPv6, AnyFamily:
	default:
		errs.Add("network.dns.policy", "must be %s, %s, %s, %s or %s, not %.20q", PreferIPv4, PreferIPv6, OnlyIPv4, OnlyIPv6, AnyFamily, string(n.DNS.Policy))
	}
	if len(n.BlacklistIPs) > MaxHosts {
		errs.Add("network.blacklistIPs", "at most %d, not %d", MaxHosts, len(n.BlacklistIPs))
	} else if i := slices.IndexFunc(n.BlacklistIPs, func(p netip.Prefix) bool { return !p.IsValid() }); i >= 0 {
		errs.Add(fmt.Sprintf("network.blacklistIPs[%d]", i), "is no range of addresses")
	}
	validatePatterns("network.blockHostnames", n.BlockHostnames, errs)
	n.TLS.validate(errs)
}

func (n Network) validateHosts(errs *FieldErrors) {
	if len(n.Hosts) > MaxHosts {
		errs.Add("network.hosts", "at most %d, not %d", MaxHosts, len(n.Hosts))
		return
	}
	type rule struct {
		pattern string
		port    uint16
	}
	seen := map[rule]bool{}
	for _, key := range slices.Sorted(maps.Keys(n.Hosts)) {
		pattern, port, err := ParseHostKey(key)
		if err != nil {
			errs.Add("network.hosts", "%.60q: %v", key, err)
			continue
		}
		if seen[rule{pattern, port}] {
			errs.Add("network.hosts", "%.60q is there twice", key)
		}
		seen[rule{pattern, port}] = true
		if _, err := ParseHostAddress(n.Hosts[key]); err != nil {
			errs.Add("network.hosts", "%.60q %v", key, err)
		}
	}
}

func validatePatterns(field string, patterns []string, errs *FieldErrors) {
	if len(patterns) > MaxHosts {
		errs.Add(field, "at most %d, not %d", MaxHosts, len(patterns))
		return
	}
	for i, text := range patterns {
		if _, err := ParseHostPattern(text); err != nil {
			errs.Add(fmt.Sprintf("%s[%d]", field, i), "%v", err)
		}
	}
}

func (t TLS) validate(errs *FieldErrors) {
	least, okMin := t.MinVersion.Number()
	most, okMax := t.MaxVersion.Number()
	if !okMin {
		errs.Add("network.tls.minVersion", "must be %s, %s, %s or %s", TLS10, TLS11, TLS12, TLS13)
	}
	if !okMax {
		errs.Add("network.tls.maxVersion", "must be %s, %s, %s or %s", TLS10, TLS11, TLS12, TLS13)
	}
	if okMin && okMax && most != 0 && least > most {
		errs.Add("network.tls.minVersion", "%s is above the highest version, %s", t.MinVersion, t.MaxVersion)
	}
	if len(t.CipherSuites) > maxCipherSuites {
		errs.Add("network.tls.cipherSuites", "at most %d, not %d", maxCipherSuites, len(t.CipherSuites))
	} else {
		for i, name := range t.CipherSuites {
			if _, ok := CipherSuite(name); !ok {
				errs.Add(fmt.Sprintf("network.tls.cipherSuites[%d]", i), "unknown cipher suite %.60q", name)
			}
		}
	}
	if len(t.CAPEM) > MaxCAPEM {
		errs.Add("network.tls.caPEM", "at most %d bytes, not %d", MaxCAPEM, len(t.CAPEM))
	} else if _, ok := parseChain(t.CAPEM); !ok && len(t.CAPEM) > 0 {
		errs.Add("network.tls.caPEM", "holds no certificate in PEM, or one that is broken")
	}
	if len(t.Certificates) > MaxCertificates {
		errs.Add("network.tls.certificates", "at most %d, not %d", MaxCertificates, len(t.Certificates))
		return
	}
	for i, c := range t.Certificates {
		c.validate(fmt.Sprintf("network.tls.certificates[%d].", i), errs)
	}
}

func (c ClientCertificate) validate(prefix string, errs *FieldErrors) {
	validatePatterns(prefix+"domains", c.Domains, errs)
	switch {
	case len(c.CertPEM) > MaxCertPEM:
		errs.Add(prefix+"certPEM", "at most %d bytes, not %d", MaxCertPEM, len(c.CertPEM))
		return
	case len(c.KeyPEM) > MaxKeyPEM:
		errs.Add(prefix+"keyPEM", "at most %d bytes, not %d", MaxKeyPEM, len(c.KeyPEM))
		return
	}
	var fault FieldError
	if _, err := c.KeyPair(); errors.As(err, &fault) {
		errs.Add(prefix+fault.Field, "%s", fault.Message)
	}
}
