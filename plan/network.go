package plan

import (
	"cmp"
	"math"
	"net/netip"
	"time"
)

// Defaults of a Network, k6's (v2.2, "dns").
const (
	DefaultDNSTTL    = 5 * time.Minute
	DefaultDNSSelect = SelectRandom
	DefaultDNSPolicy = PreferIPv4
)

// DNSForever as a TTL keeps answers for the whole run: k6's "inf".
const DNSForever = time.Duration(math.MaxInt64)

// Bounds that Validate holds.
const (
	MaxHosts        = 1024 // overrides, and blocked names, and blocked prefixes
	MaxCertificates = 64
	MaxPEM          = 256 << 10 // bytes of one certificate chain or key
	MaxCAPEM        = 1 << 20   // bytes
)

// Network is how the connections of a run are made, in k6's terms (v2.2, its options of the same names). The zero value
// is k6's defaults.
type Network struct {
	// Hosts says where names lead, in place of DNS: from "name", "name:port" or "*.name" to "ip" or "ip:port".
	Hosts map[string]string
	DNS   DNS
	// BlacklistIPs are addresses that are not connected to, beside those that the engine's own deny-list holds.
	BlacklistIPs []netip.Prefix
	// BlockHostnames are names that are not connected to: "name", or "*.name" for all below it.
	BlockHostnames []string
	TLS            TLS
	// NoConnectionReuse opens a connection for each request.
	NoConnectionReuse bool
	// NoVUConnectionReuse opens connections anew in each iteration.
	NoVUConnectionReuse bool
}

// DNS is how names become addresses.
type DNS struct {
	// TTL is how long an answer is used, whatever the record's own says: the standard resolver does not tell it. 5 m if
	// 0; negative: each connection asks anew; DNSForever: the whole run.
	TTL    time.Duration
	Select Select // "random" if empty
	Policy Policy // "preferIPv4" if empty
}

// Select says which of a name's addresses is tried first. The others follow if it fails, where k6 gives up.
type Select string

// The selections.
const (
	SelectFirst      Select = "first"      // as the resolver orders them
	SelectRandom     Select = "random"     //
	SelectRoundRobin Select = "roundRobin" // each connection begins one further on
)

// Policy says which family of a name's addresses is used.
type Policy string

// The policies.
const (
	PreferIPv4 Policy = "preferIPv4"
	PreferIPv6 Policy = "preferIPv6"
	OnlyIPv4   Policy = "onlyIPv4"
	OnlyIPv6   Policy = "onlyIPv6"
	AnyFamily  Policy = "any" // no family comes before the other
)

// TLS is what handshakes may agree on, who is trusted, and who the VUs say that they are.
type TLS struct {
	MinVersion   TLSVersion // the lowest of crypto/tls, now TLS 1.2, if empty
	MaxVersion   TLSVersion // the highest, now TLS 1.3, if empty
	CipherSuites []string   // by IANA's names, of TLS 1.2 and below; crypto/tls's own choice if empty
	Certificates []ClientCertificate
	CAPEM        []byte // certificates that are trusted beside the system's, in PEM
}

// TLSVersion is a version of TLS by k6's name.
type TLSVersion string

// The versions of TLS.
const (
	TLS10 TLSVersion = "tls1.0"
	TLS11 TLSVersion = "tls1.1"
	TLS12 TLSVersion = "tls1.2"
	TLS13 TLSVersion = "tls1.3"
)

// ClientCertificate is what VUs show to servers that ask for a certificate.
type ClientCertificate struct {
	Domains  []string // "name", or "*.name" for all below it; every server if empty
	CertPEM  []byte   // the certificate, then its chain
	KeyPEM   Secret
	Password Secret // of an encrypted key
}

// Secret is a text that does not show when it is printed.
type Secret string

// String hides the secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "***"
}

// GoString hides the secret.
func (s Secret) GoString() string { return s.String() }

func (n Network) resolved() Network {
	n.DNS.TTL = cmp.Or(n.DNS.TTL, DefaultDNSTTL)
	n.DNS.Select = cmp.Or(n.DNS.Select, DefaultDNSSelect)
	n.DNS.Policy = cmp.Or(n.DNS.Policy, DefaultDNSPolicy)
	return n
}
