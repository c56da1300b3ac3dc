package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
)

// SetOption takes one of k6's options (v2.2) that say how connections are made, from its JSON: hosts, dns, blacklistIPs,
// blockHostnames, tlsVersion, tlsCipherSuites, tlsAuth, noConnectionReuse, noVUConnectionReuse. It tells whether the
// option is one of them; null leaves the default. The error is for the person who wrote the option; what it takes may
// still be refused by Validate.
//
// insecureSkipTLSVerify is not among them: it is a Request's. Nor is localIPs, which no engine of ours has.
func (n *Network) SetOption(name string, value json.RawMessage) (mine bool, err error) {
	switch name {
	case "hosts":
		return true, decode(value, &n.Hosts, `must map names to "ip" or "ip:port"`)
	case "dns":
		return true, n.DNS.setOption(value)
	case "blacklistIPs":
		return true, n.setBlacklistIPs(value)
	case "blockHostnames":
		return true, decode(value, &n.BlockHostnames, "must be a list of names")
	case "tlsVersion":
		return true, n.TLS.setVersion(value)
	case "tlsCipherSuites":
		return true, decode(value, &n.TLS.CipherSuites, "must be a list of names")
	case "tlsAuth":
		return true, n.TLS.setAuth(value)
	case "noConnectionReuse":
		return true, decode(value, &n.NoConnectionReuse, "must be true or false")
	case "noVUConnectionReuse":
		return true, decode(value, &n.NoVUConnectionReuse, "must be true or false")
	}
	return false, nil
}

// decode has a message of its own, since encoding/json's may quote the value, which may be a secret.
func decode(value json.RawMessage, to any, message string) error {
	if json.Unmarshal(value, to) != nil {
		return errors.New(message)
	}
	return nil
}

// setOption takes {ttl, select, policy}; a ttl is a duration, "inf" or "0".
func (d *DNS) setOption(value json.RawMessage) error {
	var o struct {
		TTL    string
		Select *Select
		Policy *Policy
	}
	if err := decode(value, &o, `must be {"ttl": "5m", "select": "random", "policy": "preferIPv4"}`); err != nil {
		return err
	}
	switch o.TTL {
	case "":
	case "inf":
		d.TTL = DNSForever
	default:
		ttl, err := ParseDuration(o.TTL)
		if err != nil || ttl < 0 {
			return fmt.Errorf(`ttl must be a duration, "inf" or "0", not %.40q`, o.TTL)
		}
		d.TTL = OrNone(ttl)
	}
	if o.Select != nil {
		d.Select = *o.Select
	}
	if o.Policy != nil {
		d.Policy = *o.Policy
	}
	return nil
}

// setBlacklistIPs takes ranges, "10.0.0.0/8", and beyond k6 single addresses.
func (n *Network) setBlacklistIPs(value json.RawMessage) error {
	var texts []string
	if err := decode(value, &texts, `must be a list of ranges such as "10.0.0.0/8"`); err != nil {
		return err
	}
	n.BlacklistIPs = nil
	for _, text := range texts {
		prefix, err := netip.ParsePrefix(text)
		if addr, errAddr := netip.ParseAddr(text); errAddr == nil && addr.Zone() == "" {
			prefix, err = addr.Prefix(addr.BitLen())
		}
		if err != nil {
			return fmt.Errorf("%.60q is no range of addresses such as 10.0.0.0/8", text)
		}
		n.BlacklistIPs = append(n.BlacklistIPs, prefix)
	}
	return nil
}

// setVersion takes "tls1.2", which is that version alone, or {min, max}.
func (t *TLS) setVersion(value json.RawMessage) error {
	var only TLSVersion
	if json.Unmarshal(value, &only) == nil {
		t.MinVersion, t.MaxVersion = only, only
		return nil
	}
	var o struct{ Min, Max TLSVersion }
	if err := decode(value, &o, `must be a version such as "tls1.2", or {"min": "tls1.2", "max": "tls1.3"}`); err != nil {
		return err
	}
	t.MinVersion, t.MaxVersion = o.Min, o.Max
	return nil
}

// setAuth takes [{domains, cert, key, password}].
func (t *TLS) setAuth(value json.RawMessage) error {
	var list []struct {
		Domains       []string
		Cert          string
		Key, Password Secret
	}
	if err := decode(value, &list, "must be a list of {domains, cert, key, password}"); err != nil {
		return err
	}
	t.Certificates = nil
	for _, o := range list {
		t.Certificates = append(t.Certificates, ClientCertificate{
			Domains:  o.Domains,
			CertPEM:  []byte(o.Cert),
			KeyPEM:   o.Key,
			Password: o.Password,
		})
	}
	return nil
}
