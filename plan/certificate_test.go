package plan_test

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/nollagluiz/broadside/plan"
)

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func toPEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// selfSigned is a certificate of key in PEM.
func selfSigned(t *testing.T, key crypto.Signer) string {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "client"}, NotAfter: time.Now().Add(time.Hour)}
	return toPEM("CERTIFICATE", must[[]byte](t)(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)))
}

// ecPair is a certificate with its key, both in PEM.
func ecPair(t *testing.T) (cert, key string) {
	t.Helper()
	private := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	return selfSigned(t, private), toPEM("EC PRIVATE KEY", must[[]byte](t)(x509.MarshalECPrivateKey(private)))
}

func TestKeyPair(t *testing.T) {
	rsaKey := must[*rsa.PrivateKey](t)(rsa.GenerateKey(rand.Reader, 2048))
	ecKey := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaCert, ecCert, edCert := selfSigned(t, rsaKey), selfSigned(t, ecKey), selfSigned(t, edKey)
	pkcs1 := x509.MarshalPKCS1PrivateKey(rsaKey)
	pkcs8 := toPEM("PRIVATE KEY", must[[]byte](t)(x509.MarshalPKCS8PrivateKey(ecKey)))
	//lint:ignore SA1019 the form under test
	sealed := must[*pem.Block](t)(x509.EncryptPEMBlock(rand.Reader, "RSA PRIVATE KEY", pkcs1, []byte("opensesame"), x509.PEMCipherAES256))
	encrypted := string(pem.EncodeToMemory(sealed))
	parameters := toPEM("EC PARAMETERS", []byte{1})

	for _, tc := range []struct {
		name, cert, key, password string
		chain                     int
		fault                     string // of what field; "" for none
	}{
		{"PKCS #1", rsaCert, toPEM("RSA PRIVATE KEY", pkcs1), "", 1, ""},
		{"SEC 1, behind its parameters", ecCert, parameters + toPEM("EC PRIVATE KEY", must[[]byte](t)(x509.MarshalECPrivateKey(ecKey))), "", 1, ""},
		{"PKCS #8", ecCert, pkcs8, "", 1, ""},
		{"Ed25519", edCert, toPEM("PRIVATE KEY", must[[]byte](t)(x509.MarshalPKCS8PrivateKey(edKey))), "", 1, ""},
		{"a password that is not needed", ecCert, pkcs8, "x", 1, ""},
		{"encrypted", rsaCert, encrypted, "opensesame", 1, ""},
		{"a chain, with text between", ecCert + "subject: ca\n" + rsaCert, pkcs8, "", 2, ""},
		{"certificate and key in one text", ecCert + pkcs8, ecCert + pkcs8, "", 1, ""},
		{"wrong password", rsaCert, encrypted, "wrongpass", 0, "password"},
		{"no password", rsaCert, encrypted, "", 0, "password"},
		{"encrypted PKCS #8", rsaCert, toPEM("ENCRYPTED PRIVATE KEY", pkcs1), "opensesame", 0, "keyPEM"},
		{"another's key", rsaCert, pkcs8, "", 0, "keyPEM"},
		{"another's key of the same kind", ecCert, second(ecPair(t)), "", 0, "keyPEM"},
		{"no key", ecCert, "", "", 0, "keyPEM"},
		{"a key that is none", ecCert, toPEM("PRIVATE KEY", []byte("hush")), "", 0, "keyPEM"},
		{"a key that can't sign", ecCert, toPEM("PRIVATE KEY", x25519(t)), "", 0, "keyPEM"},
		{"no PEM", "hush", "hush", "", 0, "certPEM"},
		{"a certificate that is none", toPEM("CERTIFICATE", []byte("hush")), pkcs8, "", 0, "certPEM"},
		{"key and certificate swapped", pkcs8, ecCert, "", 0, "certPEM"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := plan.ClientCertificate{CertPEM: []byte(tc.cert), KeyPEM: plan.Secret(tc.key), Password: plan.Secret(tc.password)}
			pair, err := c.KeyPair()
			var fault plan.FieldError
			if errors.As(err, &fault); fault.Field != tc.fault {
				t.Fatalf("error %v; want one of field %q", err, tc.fault)
			}
			if len(pair.Certificate) != tc.chain {
				t.Errorf("%d certificates; want %d", len(pair.Certificate), tc.chain)
			}
			for _, secret := range []string{"hush", tc.password, strings.Split(tc.key+"\n\n", "\n")[1]} {
				if secret != "" && secret != "x" && err != nil && strings.Contains(err.Error(), secret) {
					t.Errorf("%v shows a secret", err)
				}
			}
		})
	}
}

func second(_, s string) string { return s }

// x25519 is a key for agreement only.
func x25519(t *testing.T) []byte {
	t.Helper()
	key := must[*ecdh.PrivateKey](t)(ecdh.X25519().GenerateKey(rand.Reader))
	return must[[]byte](t)(x509.MarshalPKCS8PrivateKey(key))
}

func TestSecretsDoNotShow(t *testing.T) {
	c := plan.ClientCertificate{KeyPEM: "hush", Password: "hush"}
	p := plan.Plan{Network: plan.Network{TLS: plan.TLS{Certificates: []plan.ClientCertificate{c}}}}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if text := fmt.Sprintf(format, p); strings.Contains(text, "hush") || strings.Contains(text, "68757368") {
			t.Errorf("%s shows a secret: %s", format, text)
		}
	}
	if s := plan.Secret(""); s.String() != "" {
		t.Errorf("no secret shows as %q", s)
	}
}
