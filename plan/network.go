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
	MaxHosts        = 1024 // of each: overrides, blocked names, blocked ranges
	MaxCertificates = 64
	MaxCertPEM      = 64 << 10 // bytes of a certificate with its chain
	MaxKeyPEM       = 16 << 10 // bytes: a key of RSA with 16,384 bits
	MaxCAPEM        = 1 << 20  // bytes
)

// Network is how the connections of a run are made, in k6's terms (v2.2, its options of the same names). The zero value
// is k6's defaults.
type Network struct {
	// Hosts says where names and addresses lead, in place of DNS: from a pattern (ParseHostPattern), or one with a port,
	// to "ip" or "ip:port". Rules with a port come first, then the name in full, then the longest pattern. The server's
	// name in TLS and the Host header stay.
	Hosts map[string]string
	DNS   DNS
	// BlacklistIPs are addresses that are not connected to, beside those that the engine's own deny-list holds.
	BlacklistIPs []netip.Prefix
	// BlockHostnames are patterns of names that are not connected to, wherever Hosts or DNS would lead.
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

func (n Network) resolved() Network {
	n.DNS.TTL = cmp.Or(n.DNS.TTL, DefaultDNSTTL)
	n.DNS.Select = cmp.Or(n.DNS.Select, DefaultDNSSelect)
	n.DNS.Policy = cmp.Or(n.DNS.Policy, DefaultDNSPolicy)
	return n
}
