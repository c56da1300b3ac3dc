package http1

import (
	"bytes"
	"encoding/binary"
)

// splitField splits "Name: value" and trims the value; ok tells whether the name is a token (RFC 9110 section 5.6.2).
func splitField(line []byte) (name, value []byte, ok bool) {
	i := 0
	for i < len(line) && isToken(line[i]) {
		i++
	}
	if i == 0 || i == len(line) || line[i] != ':' {
		return nil, nil, false
	}
	value = line[i+1:]
	for len(value) > 0 && isBlank(value[0]) {
		value = value[1:]
	}
	for len(value) > 0 && isBlank(value[len(value)-1]) {
		value = value[:len(value)-1]
	}
	return line[:i], value, true
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// isToken tells whether c is a tchar.
func isToken(c byte) bool {
	const (
		low = 1<<'!' | 1<<'#' | 1<<'$' | 1<<'%' | 1<<'&' | 1<<'\'' | 1<<'*' | 1<<'+' | 1<<'-' | 1<<'.' |
			(1<<10-1)<<'0'
		high = (1<<26-1)<<('A'-64) | (1<<26-1)<<('a'-64) | 1<<('^'-64) | 1<<('_'-64) | 1<<('`'-64) | 1<<('|'-64) | 1<<('~'-64)
	)
	if letter := c | 0x20; letter >= 'a' && letter <= 'z' || c == '-' {
		return true
	}
	// A shift by 64 or more gives 0.
	return (uint64(1)<<c&low | uint64(1)<<(c-64)&high) != 0
}

// validValue tells whether a header value holds no control character but the tab (RFC 9110 section 5.5).
func validValue(value []byte) bool {
	for ; len(value) >= 8; value = value[8:] {
		if mayHoldControl(binary.LittleEndian.Uint64(value)) && !validBytes(value[:8]) {
			return false
		}
	}
	return validBytes(value)
}

func validBytes[T string | []byte](value T) bool {
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// mayHoldControl tells whether one of eight bytes is below a space or a DEL: x - n*ones has the top bit of the first
// byte below n set, where x has not ("Bit Twiddling Hacks", hasless and haszero).
func mayHoldControl(x uint64) bool {
	const (
		ones = 0x0101010101010101
		tops = 0x80 * ones
	)
	del := x ^ 0x7f*ones
	return ((x-' '*ones)&^x|(del-ones)&^del)&tops != 0
}

// is compares with a lower-case text of letters and hyphens, whatever the case.
func is[T string | []byte](b T, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i := range len(b) {
		c := b[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// redirect finds in a head where it leads to and the cookies that it sets, as net/http's Header has them.
func redirect(head []byte) (location string, cookies []string) {
	found := false
	for line := range bytes.Lines(head) {
		name, value, ok := splitField(bytes.TrimSuffix(line, []byte("\r\n")))
		switch {
		case !ok:
		case !found && is(name, "location"):
			found, location = true, string(value)
		case is(name, "set-cookie"):
			cookies = append(cookies, string(value))
		}
	}
	return location, cookies
}
