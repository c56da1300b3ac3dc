package dial

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/plan"
)

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: rand.Text()}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	return authority{}.sign(t, template)
}

func (a authority) sign(t *testing.T, template *x509.Certificate) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return authority{cert, key}
}

// issue signs a certificate for names; its time is over at notAfter.
func (a authority) issue(t *testing.T, notAfter time.Time, names ...string) authority {
	t.Helper()
	return a.sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "leaf"}, DNSNames: names, NotAfter: notAfter,
		KeyUsage: x509.KeyUsageDigitalSignature,
	})
}

func (a authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}

func (a authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

func (a authority) pair() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{a.cert.Raw}, PrivateKey: a.key}
}

func (a authority) client(t *testing.T, domains ...string) plan.ClientCertificate {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(a.key)
	require.NoError(t, err)
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	return plan.ClientCertificate{Domains: domains, CertPEM: a.pem(), KeyPEM: plan.Secret(key)}
}

// greeter shakes hands, reads one byte and says which client certificate it saw. Up to TLS 1.2 a client learns in the
// handshake that its certificate is refused, from 1.3 on when it reads.
func greeter(t *testing.T, cfg *tls.Config) (address string) {
	t.Helper()
	return listen(t, func(raw net.Conn) {
		c := tls.Server(raw, cfg)
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		if _, err := c.Read(make([]byte, 1)); err != nil {
			return
		}
		name := "nobody"
		if certs := c.ConnectionState().PeerCertificates; len(certs) > 0 {
			name = certs[0].Issuer.CommonName
		}
		_, _ = io.WriteString(c, name)
	})
}

// greet dials host by rules that lead it to address, and gives what the greeter said.
func greet(t *testing.T, n plan.Network, address, host string) (said string, err error) {
	t.Helper()
	n.Hosts = map[string]string{"*": address}
	d := New(Config{Rules: compile(t, n)})
	defer d.Close()
	conn, err := d.DialTLS(t.Context(), net.JoinHostPort(host, "443"), d.TLSConfig(host, false), new(Counter))
	if err != nil {
		return "", err
	}
	if _, err := conn.Write([]byte{1}); err != nil {
		return "", err
	}
	text, err := io.ReadAll(conn)
	return string(text), err
}

func TestHandshakes(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	soon := time.Now().Add(time.Hour)
	leaf := ca.issue(t, soon, "a.test", "*.b.test")
	expired := ca.issue(t, time.Now().Add(-time.Minute), "a.test")
	at := func(change func(*tls.Config)) string {
		cfg := &tls.Config{Certificates: []tls.Certificate{leaf.pair()}}
		change(cfg)
		return greeter(t, cfg)
	}
	var (
		modern = at(func(*tls.Config) {})
		tls13  = at(func(c *tls.Config) { c.MinVersion = tls.VersionTLS13 })
		tls11  = at(func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 })
		chacha = at(func(c *tls.Config) {
			c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256}
		})
		stale   = at(func(c *tls.Config) { c.Certificates = []tls.Certificate{expired.pair()} })
		mutual  = at(func(c *tls.Config) { c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, ca.pool() })
		mutual2 = at(func(c *tls.Config) {
			c.ClientAuth, c.ClientCAs, c.MaxVersion = tls.RequireAndVerifyClientCert, ca.pool(), tls.VersionTLS12
		})
		asking = at(func(c *tls.Config) { c.ClientAuth = tls.RequestClientCert })
	)
	me := ca.issue(t, soon)
	stranger, late := other.issue(t, soon), ca.issue(t, time.Now().Add(-time.Minute))
	trust := func(t plan.TLS) plan.TLS { t.CAPEM = ca.pem(); return t }
	with := func(certs ...plan.ClientCertificate) plan.TLS { return trust(plan.TLS{Certificates: certs}) }
	caName, otherName := ca.cert.Subject.CommonName, other.cert.Subject.CommonName
	aes := "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"

	for _, tc := range []struct {
		name    string
		tls     plan.TLS
		address string
		host    string
		said    string
		code    uint16
		text    string
	}{
		{"trusted by the bundle", with(), modern, "a.test", "nobody", 0, ""},
		{"the second of a bundle", plan.TLS{CAPEM: append(other.pem(), ca.pem()...)}, modern, "x.b.test", "nobody", 0, ""},
		{"not trusted", plan.TLS{}, modern, "a.test", "", core.CodeUnknownAuthority, "unknown authority"},
		{"another bundle", plan.TLS{CAPEM: other.pem()}, modern, "a.test", "", core.CodeUnknownAuthority, "unknown authority"},
		{"expired", with(), stale, "a.test", "", core.CodeUnknownAuthority, "expired"},
		{"another name", with(), modern, "b.test", "", core.CodeHostname, "b.test"},

		{"too old a server", with(), tls11, "a.test", "", core.CodeTLS, "protocol version not supported"},
		{"an old server, asked for", trust(plan.TLS{MinVersion: plan.TLS10}), tls11, "a.test", "nobody", 0, ""},
		{"an old server, and no new one", trust(plan.TLS{MaxVersion: plan.TLS11}), tls11, "a.test", "nobody", 0, ""},
		{"too new a server", trust(plan.TLS{MaxVersion: plan.TLS12}), tls13, "a.test", "", core.CodeTLS, "protocol version not supported"},
		{"too new a plan", trust(plan.TLS{MinVersion: plan.TLS13}), chacha, "a.test", "", core.CodeTLS, "protocol version not supported"},
		{"the same version", trust(plan.TLS{MinVersion: plan.TLS13, MaxVersion: plan.TLS13}), tls13, "a.test", "nobody", 0, ""},

		{"the server's suite", trust(plan.TLS{CipherSuites: []string{aes, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305"}}), chacha, "a.test", "nobody", 0, ""},
		{"another suite", trust(plan.TLS{CipherSuites: []string{aes}}), chacha, "a.test", "", core.CodeTLS, "no shared cipher or version"},
		{"another suite does not matter to TLS 1.3", trust(plan.TLS{CipherSuites: []string{aes}}), tls13, "a.test", "nobody", 0, ""},

		{"a certificate is needed and there", with(me.client(t)), mutual, "a.test", caName, 0, ""},
		{"likewise before TLS 1.3", with(me.client(t)), mutual2, "a.test", caName, 0, ""},
		{"it is needed and not there", with(), mutual, "a.test", "", core.CodeTLS, "certificate required"},
		{"likewise before TLS 1.3, where the alert says less", with(), mutual2, "a.test", "", core.CodeTLS, ""},
		{"it is from another authority", with(stranger.client(t)), mutual, "a.test", "", core.CodeTLS, "certificate required"},
		{"it is expired", with(late.client(t)), mutual, "a.test", "", core.CodeTLS, "expired certificate"},
		{"it is for the host", with(me.client(t, "a.test")), mutual, "a.test", caName, 0, ""},
		{"it is for hosts like it", with(me.client(t, "*.b.test")), mutual, "x.b.test", caName, 0, ""},
		{"it is for another host", with(me.client(t, "*.b.test", "c.test")), mutual, "a.test", "", core.CodeTLS, "certificate required"},
		{"the second is from the right authority", with(stranger.client(t), me.client(t)), mutual, "a.test", caName, 0, ""},
		{"the first for the host", with(me.client(t, "*.b.test"), stranger.client(t, "a.test"), me.client(t)), asking, "a.test", otherName, 0, ""},
		{"it is asked for and not there", with(), asking, "a.test", "nobody", 0, ""},
		{"it is not asked for", with(me.client(t)), modern, "a.test", "nobody", 0, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			said, err := greet(t, plan.Network{TLS: tc.tls}, tc.address, tc.host)
			if tc.code == 0 {
				require.NoError(t, err)
				require.Equal(t, tc.said, said)
				return
			}
			require.Error(t, err)
			code, text := Classify(err)
			require.Equal(t, tc.code, code, text)
			require.Contains(t, text, tc.text)
		})
	}
}

// A bundle is trusted beside the system's certificates, not instead of them.
func TestBundleIsAdded(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	rules := compile(t, plan.Network{TLS: plan.TLS{CAPEM: ca.pem()}})
	system, err := x509.SystemCertPool()
	require.NoError(t, err)
	system.AddCert(ca.cert)
	require.True(t, system.Equal(rules.tls.RootCAs))
	system.AddCert(other.cert)
	require.False(t, system.Equal(rules.tls.RootCAs))
	require.Nil(t, compile(t, plan.Network{}).tls.RootCAs, "crypto/tls's own choice")
}

func TestTLSConfig(t *testing.T) {
	ca := newAuthority(t)
	d := New(Config{Rules: compile(t, plan.Network{TLS: plan.TLS{Certificates: []plan.ClientCertificate{ca.client(t, "a.test")}}})})
	a, b := d.TLSConfig("A.Test.", true, "h2", "http/1.1"), d.TLSConfig("b.test", false, "http/1.1")
	require.Equal(t, []string{"h2", "http/1.1"}, a.NextProtos)
	require.Equal(t, "A.Test.", a.ServerName)
	require.True(t, a.InsecureSkipVerify)
	require.Equal(t, tls.RenegotiateFreelyAsClient, a.Renegotiation)
	require.Len(t, a.Certificates, 1)
	require.Empty(t, b.Certificates)
	require.False(t, b.InsecureSkipVerify)
	require.Equal(t, []string{"http/1.1"}, b.NextProtos)
}
