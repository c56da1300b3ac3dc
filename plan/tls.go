package plan

import "crypto/tls"

// TLS is what handshakes may agree on, who is trusted, and who the VUs say that they are.
type TLS struct {
	MinVersion   TLSVersion // the lowest that crypto/tls offers unasked, TLS 1.2, if empty, or MaxVersion if that is lower
	MaxVersion   TLSVersion // the highest of crypto/tls, TLS 1.3, if empty
	CipherSuites []string   // of TLS 1.2 and below, by names that CipherSuite knows; crypto/tls's own choice if empty
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

// Number is the version as crypto/tls counts them, 0 for the empty one, and whether there is such a version.
func (v TLSVersion) Number() (number uint16, ok bool) {
	switch v {
	case "":
		return 0, true
	case TLS10:
		return tls.VersionTLS10, true
	case TLS11:
		return tls.VersionTLS11, true
	case TLS12:
		return tls.VersionTLS12, true
	case TLS13:
		return tls.VersionTLS13, true
	}
	return 0, false
}

// CipherSuite is the number of a cipher suite, and whether there is one of that name: IANA's, or one of the two that
// crypto/tls, and so k6, once had without the hash. Suites that are no longer safe are among them: old devices know
// no other, and naming one is asking for it.
func CipherSuite(name string) (id uint16, ok bool) {
	switch name {
	case "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305":
		name += "_SHA256"
	}
	for _, suites := range [][]*tls.CipherSuite{tls.CipherSuites(), tls.InsecureCipherSuites()} {
		for _, s := range suites {
			if s.Name == name {
				return s.ID, true
			}
		}
	}
	return 0, false
}

// ClientCertificate is what VUs show to servers that ask for a certificate.
type ClientCertificate struct {
	Domains  []string // patterns of the servers' names; every server if empty
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
