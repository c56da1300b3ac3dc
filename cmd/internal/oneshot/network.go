package oneshot

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/nollagluiz/broadside/plan"
)

// networkFlags are k6's flags of how connections are made, by the keys that a configuration file and plan.Network have
// for them; "" where k6 has no flag.
var networkFlags = map[string]string{
	"blacklistIPs": "blacklist-ip", "blockHostnames": "block-hostnames", "dns": "dns", "noConnectionReuse": "no-connection-reuse",
	"noVUConnectionReuse": "no-vu-connection-reuse", "hosts": "", "tlsAuth": "", "tlsCipherSuites": "", "tlsVersion": "",
}

// addNetwork declares the flags of a network.
func addNetwork(f *pflag.FlagSet, n *plan.Network) {
	f.BoolVar(&n.NoConnectionReuse, "no-connection-reuse", false, "a new connection for each request")
	f.BoolVar(&n.NoVUConnectionReuse, "no-vu-connection-reuse", false, "new connections for each iteration")
	f.Var(&networkList{network: n, key: "blacklistIPs"}, "blacklist-ip", "range of addresses not to connect to; may be given again")
	f.Var(&networkList{network: n, key: "blockHostnames"}, "block-hostnames", "names not to connect to, as in *.example.org; likewise")
	f.Var(&dnsValue{network: n}, "dns", "how names are looked up, as in ttl=5m,select=random,policy=preferIPv4")
}

// networkList is a flag with values that add up, with commas or by giving it again.
type networkList struct {
	network *plan.Network
	key     string
	values  []string
}

func (v *networkList) String() string { return "" }
func (*networkList) Type() string     { return "list" }
func (v *networkList) Set(text string) error {
	v.values = append(v.values, strings.Split(text, ",")...)
	return setNetwork(v.network, v.key, v.values)
}

// dnsValue is a flag in k6's form, "ttl=5m,select=random,policy=preferIPv4", each part of which may be left out.
type dnsValue struct{ network *plan.Network }

func (v *dnsValue) String() string { return "" }
func (*dnsValue) Type() string     { return "options" }
func (v *dnsValue) Set(text string) error {
	parts := map[string]string{}
	for part := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(part, "=")
		if !ok || !slices.Contains([]string{"ttl", "select", "policy"}, name) {
			return fmt.Errorf("%.40q is none of ttl=, select= and policy=", part)
		}
		parts[name] = value
	}
	return setNetwork(v.network, "dns", parts)
}

func setNetwork(n *plan.Network, key string, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return err
	}
	_, err = n.SetOption(key, raw)
	return err
}

// sorted are the keys of a map.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
