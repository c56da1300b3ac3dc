package engine_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/engine"
	"github.com/nollagluiz/broadside/engine/internal/pipenet"
	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
)

// transports are those that must agree.
var transports = []engine.Transport{engine.TransportAuto, engine.TransportHTTP1, engine.TransportStd}

// runOn runs p with a transport to its end.
func runOn(t *testing.T, transport engine.Transport, p plan.Plan) *summary.Summary {
	t.Helper()
	return runWith(t, engine.Config{Transport: transport}, p)
}

// runWith runs p to its end on an engine of its own.
func runWith(t *testing.T, cfg engine.Config, p plan.Plan) *summary.Summary {
	t.Helper()
	e, err := engine.New(cfg)
	require.NoError(t, err)
	defer e.Close()
	s, err := e.Run(t.Context(), p)
	require.NoError(t, err)
	return s
}

// fixed is a plan of 2 VUs with 5 iterations each.
func fixed(url string, n plan.Network) plan.Plan {
	return plan.Plan{Network: n, Scenarios: []plan.Scenario{{
		Executor: plan.PerVUIterations, VUs: 2, Iterations: 5,
		Request: plan.Request{URL: url, InsecureSkipVerify: true},
	}}}
}

// k6's options of reuse: each VU keeps its connections, or keeps them within an iteration, or keeps none. An iteration
// here is two requests.
func TestConnectionReuse(t *testing.T) {
	for _, server := range []struct {
		name          string
		secure, http2 bool
	}{{"plain", false, false}, {"TLS", true, false}, {"HTTP/2", true, true}} {
		for _, reuse := range []struct {
			name        string
			network     plan.Network
			connections int64
		}{
			{"default", plan.Network{}, 2},
			{"noVUConnectionReuse", plan.Network{NoVUConnectionReuse: true}, 10},
			{"noConnectionReuse", plan.Network{NoConnectionReuse: true}, 20},
			{"both", plan.Network{NoConnectionReuse: true, NoVUConnectionReuse: true}, 20},
		} {
			for _, transport := range transports {
				t.Run(server.name+" "+reuse.name+" "+string(transport), func(t *testing.T) {
					var connections atomic.Int64
					srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if r.URL.Path == "/" {
							http.Redirect(w, r, "/again", http.StatusFound)
						}
					}))
					srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
						if state == http.StateNew {
							connections.Add(1)
						}
					}
					srv.Config.ErrorLog = log.New(io.Discard, "", 0)
					srv.EnableHTTP2 = server.http2
					if server.secure {
						srv.StartTLS()
					} else {
						srv.Start()
					}
					defer srv.Close()
					s := runOn(t, transport, fixed(srv.URL+"/", reuse.network))
					require.EqualValues(t, 20, s.Counters[summary.HTTPReqs])
					require.Equal(t, summary.Rate{Total: 20}, s.Rates[summary.HTTPReqFailed])
					require.Equal(t, reuse.connections, connections.Load())
				})
			}
		}
	}
}

// clientCertificate signs itself.
func clientCertificate(t *testing.T, domains ...string) plan.ClientCertificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	der, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	return plan.ClientCertificate{
		Domains: domains,
		CertPEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}),
		KeyPEM:  plan.Secret(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})),
	}
}

// A client certificate goes to the servers that it is for, and no redirect takes it elsewhere. The name in the URL is
// what servers see, in TLS and in the Host header, wherever hosts lead.
func TestClientCertificateStaysHome(t *testing.T) {
	for _, transport := range transports {
		t.Run(string(transport), func(t *testing.T) {
			type visit struct{ sni, host string }
			var asked, elsewhere atomic.Int64
			server := func(policy tls.ClientAuthType, want visit, h http.HandlerFunc) *httptest.Server {
				srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if got := (visit{r.TLS.ServerName, r.Host}); got != want {
						t.Errorf("visit %v; want %v", got, want)
					}
					h(w, r)
				}))
				srv.TLS = &tls.Config{ClientAuth: policy}
				srv.Config.ErrorLog = log.New(io.Discard, "", 0)
				srv.StartTLS()
				t.Cleanup(srv.Close)
				return srv
			}
			other := server(tls.RequestClientCert, visit{"other.test", "other.test"}, func(_ http.ResponseWriter, r *http.Request) {
				elsewhere.Add(int64(len(r.TLS.PeerCertificates)))
			})
			home := server(tls.RequireAnyClientCert, visit{"www.home.test", "www.home.test:8443"}, func(w http.ResponseWriter, r *http.Request) {
				asked.Add(int64(len(r.TLS.PeerCertificates)))
				http.Redirect(w, r, "https://other.test/", http.StatusFound)
			})
			s := runOn(t, transport, fixed("https://www.home.test:8443/", plan.Network{
				Hosts: map[string]string{
					"*.home.test:8443": home.Listener.Addr().String(), "other.test": other.Listener.Addr().String(),
				},
				TLS: plan.TLS{Certificates: []plan.ClientCertificate{clientCertificate(t, "*.home.test")}},
			}))
			require.Equal(t, summary.Rate{Total: 20}, s.Rates[summary.HTTPReqFailed], "%v", s.Errors)
			require.EqualValues(t, 10, asked.Load())
			require.Zero(t, elsewhere.Load())
		})
	}
}

// What a handshake or a rule refuses is a failed request with k6's code and a sentence, on every transport.
func TestRefusedConnections(t *testing.T) {
	start := func(cfg *tls.Config) string {
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Query().Get("to"), http.StatusFound)
		}))
		srv.TLS = cfg
		srv.Config.ErrorLog = log.New(io.Discard, "", 0)
		srv.StartTLS()
		t.Cleanup(srv.Close)
		return srv.Listener.Addr().String()
	}
	modern := start(&tls.Config{MinVersion: tls.VersionTLS13})
	mutual := start(&tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: x509.NewCertPool()})
	leads := func(address string) plan.Network {
		return plan.Network{Hosts: map[string]string{"a.example.com": address}}
	}
	with := func(n plan.Network, change func(*plan.Network)) plan.Network { change(&n); return n }
	for _, tc := range []struct {
		name     string
		network  plan.Network
		verify   bool
		path     string
		requests int64
		code     int
		text     string
	}{
		{"not trusted", leads(modern), true, "", 1, 1310, "unknown authority"},
		{"too old a plan", with(leads(modern), func(n *plan.Network) { n.TLS.MaxVersion = plan.TLS12 }), false, "", 1, 1300, "protocol version not supported"},
		{"a certificate is needed", leads(mutual), false, "", 1, 1300, "certificate required"},
		{"a certificate of nobody", with(leads(mutual), func(n *plan.Network) {
			n.TLS.Certificates = []plan.ClientCertificate{clientCertificate(t)}
		}), false, "", 1, 1300, "unknown certificate authority"},
		{"a denied address", leads("169.254.169.254"), false, "", 1, 1110, "deny-list"},
		{"an address on the plan's list", with(leads(modern), func(n *plan.Network) {
			n.BlacklistIPs = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		}), false, "", 1, 1110, "deny-list"},
		{"a blocked name", with(leads(modern), func(n *plan.Network) { n.BlockHostnames = []string{"a.example.com"} }), false, "", 1, 1111, "a.example.com is blocked by the plan"},
		{"a redirect to a blocked name", with(leads(modern), func(n *plan.Network) { n.BlockHostnames = []string{"*.b.test"} }), false, "?to=https://x.b.test/", 2, 1111, "x.b.test is blocked by the plan"},
		{"a redirect to a denied address", leads(modern), false, "?to=http://[::ffff:169.254.169.254]/", 2, 1110, "deny-list"},
	} {
		for _, transport := range transports {
			t.Run(tc.name+" "+string(transport), func(t *testing.T) {
				p := fixed("https://a.example.com/"+tc.path, tc.network)
				p.Scenarios[0].VUs, p.Scenarios[0].Iterations = 1, 1
				p.Scenarios[0].Request.InsecureSkipVerify = !tc.verify
				s := runOn(t, transport, p)
				require.Equal(t, summary.Rate{True: 1, Total: tc.requests}, s.Rates[summary.HTTPReqFailed])
				require.Len(t, s.Errors, 1)
				require.Equal(t, tc.code, s.Errors[0].Code, s.Errors[0].Sample)
				require.Contains(t, s.Errors[0].Sample, tc.text)
				require.False(t, strings.Contains(s.Errors[0].Sample, "PRIVATE"))
			})
		}
	}
}

// movingName leads to another address from some moment on.
type movingName struct {
	at    time.Time
	asked atomic.Int64
}

func (m *movingName) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	m.asked.Add(1)
	if time.Now().Before(m.at) {
		return []netip.Addr{netip.MustParseAddr("192.0.2.1")}, nil
	}
	return []netip.Addr{netip.MustParseAddr("192.0.2.2")}, nil
}

// Field report 18: a service that moves is followed, within the plan's TTL. One iteration a second, each on a
// connection of its own; the name moves after 9.5 s.
func TestMovedNameIsFollowed(t *testing.T) {
	for _, tc := range []struct {
		name         string
		ttl          time.Duration
		asked        int64
		first, moved int64
	}{
		{"each connection asks", -1, 20, 10, 10},
		{"a TTL of 4.5 s", 4500 * ms, 4, 10, 10}, // asked at 0, 5, 10 and 15 s
		{"a TTL of 7.5 s", 7500 * ms, 3, 16, 4},  // at 0, 8 and 16 s
		{"k6's default", 0, 1, 20, 0},
		{"for ever", plan.DNSForever, 1, 20, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := pipenet.New(pipenet.Delays{})
				srv := &http.Server{Handler: after(0), ErrorLog: log.New(io.Discard, "", 0)}
				done := make(chan error)
				go func() { done <- srv.Serve(n) }()
				name := &movingName{at: time.Now().Add(9500 * ms)}
				dialled := map[string]int64{} // one VU dials one after the other
				s := runWith(t, engine.Config{Resolver: name, Connect: func(ctx context.Context, network, address string) (net.Conn, error) {
					dialled[address]++
					return n.Connect(ctx, network, address)
				}}, plan.Plan{
					Network:   plan.Network{DNS: plan.DNS{TTL: tc.ttl}, NoConnectionReuse: true},
					Scenarios: one(plan.Scenario{Duration: 20 * time.Second, Pause: time.Second}).Scenarios,
				})
				require.EqualValues(t, 20, s.Counters[summary.HTTPReqs])
				require.Equal(t, tc.asked, name.asked.Load())
				require.Equal(t, tc.first, dialled["192.0.2.1:80"])
				require.Equal(t, tc.moved, dialled["192.0.2.2:80"])
				require.NoError(t, srv.Close())
				require.ErrorIs(t, <-done, http.ErrServerClosed)
			})
		})
	}
}
