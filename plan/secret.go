package plan

import (
	"slices"
	"strings"
)

// IsSecretName tells whether the value of a header or query parameter of this name is likely to be a credential. It
// would rather say so too often: what it misses is shown to everybody, and follows a redirect to another host.
func IsSecretName(name string) bool {
	name = strings.ToLower(name)
	for _, part := range []string{"token", "secret", "passw", "passphrase", "private_key", "api-key", "apikey", "pwd", "auth", "signature", "credential", "session", "jwt"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return strings.HasSuffix(name, "key") || strings.HasSuffix(name, "pass") || slices.Contains([]string{"sig", "cookie", "otp", "pin", "sid"}, name)
}

// OrNone writes a 0 of an outside form, where it means none, as a Plan has it; other values stay.
func OrNone[T ~int | ~int64](v T) T {
	if v == 0 {
		return -1
	}
	return v
}
