package plan

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

// Patterns of names, as k6's "hosts" and "blockHostnames" have them (v2.2): a name or an address that stands for itself,
// or a star with the end of a name, where the star stands for any text, also for none. "*.a.test" is every name below
// a.test, "*a.test" that name too, and "ba.test"; "*" is every name.

// ParseHostPattern reads a pattern. The result is what CanonicalHost makes of hosts.
func ParseHostPattern(text string) (string, error) {
	name := strings.TrimPrefix(text, "*")
	switch {
	case text == "":
		return "", errors.New("a name is needed")
	case len(text) > 254:
		return "", errors.New("at most 254 characters")
	case strings.Contains(name, "*"):
		return "", errors.New("a star may stand at the beginning only")
	}
	if _, err := netip.ParseAddr(text); err == nil {
		return CanonicalHost(text), nil
	}
	if strings.ContainsFunc(name, func(c rune) bool { return c > '~' || !isHostRune(c) }) {
		return "", errors.New("is no name, address or *.name; write letters beyond ASCII as xn--")
	}
	return CanonicalHost(text), nil
}

// ParseHostKey reads a key of Network.Hosts: a pattern, or one with a port, which is else 0.
func ParseHostKey(key string) (pattern string, port uint16, err error) {
	if pattern, err := ParseHostPattern(key); err == nil || !strings.Contains(key, ":") {
		return pattern, 0, err
	}
	at := strings.LastIndexByte(key, ':')
	if pattern, err = ParseHostPattern(unbracket(key[:at])); err != nil {
		return "", 0, err
	}
	if port, err = parsePort(key[at+1:]); err != nil {
		return "", 0, err
	}
	return pattern, port, nil
}

// ParseHostAddress reads a value of Network.Hosts: an IP address, or one with a port, which is else 0.
func ParseHostAddress(text string) (netip.AddrPort, error) {
	if addr, err := netip.ParseAddr(unbracket(text)); err == nil {
		return netip.AddrPortFrom(addr, 0), nil
	}
	addr, err := netip.ParseAddrPort(text)
	if err != nil || addr.Port() == 0 {
		return netip.AddrPort{}, errors.New(`must lead to an IP address, "ip" or "ip:port"`)
	}
	return addr, nil
}

// CanonicalHost is the form in which hosts are compared: a name in lower case without a final dot, an address as
// netip.Addr writes it.
func CanonicalHost(host string) string {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.String()
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

func parsePort(text string) (uint16, error) {
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port == 0 {
		return 0, errors.New("port must be 1 to 65535")
	}
	return uint16(port), nil
}

func unbracket(host string) string {
	if inner, ok := strings.CutPrefix(host, "["); ok && strings.HasSuffix(inner, "]") {
		return inner[:len(inner)-1]
	}
	return host
}
