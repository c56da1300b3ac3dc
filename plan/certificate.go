package plan

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"strings"
)

// KeyPair reads the certificate with its key. The error is a FieldError and quotes neither.
func (c ClientCertificate) KeyPair() (tls.Certificate, error) {
	chain, ok := parseChain(c.CertPEM)
	if !ok {
		return tls.Certificate{}, FieldError{"certPEM", "holds no certificate in PEM"}
	}
	key, err := parseKey(c.KeyPEM, c.Password)
	if err != nil {
		return tls.Certificate{}, err
	}
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(chain[0].PublicKey) {
		return tls.Certificate{}, FieldError{"keyPEM", "is not the key of the certificate"}
	}
	pair := tls.Certificate{PrivateKey: key, Leaf: chain[0]}
	for _, cert := range chain {
		pair.Certificate = append(pair.Certificate, cert.Raw)
	}
	return pair, nil
}

// parseChain gives the certificates of a PEM text, at least one. Other blocks and text between them are passed over, as
// crypto/tls does.
func parseChain(text []byte) (chain []*x509.Certificate, ok bool) {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return chain, len(chain) > 0
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, false
		}
		chain = append(chain, cert)
	}
}

// parseKey gives the first private key of a PEM text: PKCS #1, SEC 1 or PKCS #8, the first two also encrypted as
// RFC 1421 has it, which are the kinds that k6 reads (v2.2, "tlsAuth").
func parseKey(text, password Secret) (crypto.Signer, error) {
	rest := []byte(text)
	for {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		switch {
		case block == nil:
			return nil, FieldError{"keyPEM", "holds no private key in PEM"}
		case block.Type == "ENCRYPTED PRIVATE KEY":
			return nil, FieldError{"keyPEM", "is encrypted as PKCS #8, which is not supported; openssl pkey -traditional writes the other form"}
		case !strings.HasSuffix(block.Type, "PRIVATE KEY"):
			continue
		}
		der := block.Bytes
		//lint:ignore SA1019 weak as it is, this encryption is the one of the files that k6's users have
		if x509.IsEncryptedPEMBlock(block) {
			var err error
			//lint:ignore SA1019 as above
			if der, err = x509.DecryptPEMBlock(block, []byte(password)); err != nil {
				return nil, FieldError{"password", "does not open the key"}
			}
		}
		if key := parseDER(der); key != nil {
			return key, nil
		}
		return nil, FieldError{"keyPEM", "is no private key of RSA, ECDSA or Ed25519"}
	}
}

// parseDER is nil for what is no key that can sign.
func parseDER(der []byte) crypto.Signer {
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		signer, _ := key.(crypto.Signer)
		return signer
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key
	}
	return nil
}
