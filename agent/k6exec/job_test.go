package k6exec

import (
	"encoding/json"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nollagluiz/broadside/plan"
)

func TestEnvironment(t *testing.T) {
	bare := []string{"HOME=/nonexistent", "K6_AUTO_EXTENSION_RESOLUTION=false", "K6_NO_USAGE_REPORT=true", "NO_COLOR=1"}
	for _, c := range []struct {
		name   string
		deny   []netip.Prefix
		change func(*plan.Plan)
		more   []string
	}{
		{"a plan", nil, func(*plan.Plan) {}, nil},
		{"HTTP/1.1", nil, func(p *plan.Plan) { p.Scenarios[0].Request.HTTPVersion = plan.HTTP11 }, []string{"GODEBUG=http2client=0"}},
		{"any certificate", nil, func(p *plan.Plan) { p.Scenarios[0].Request.InsecureSkipVerify = true }, []string{"K6_INSECURE_SKIP_TLS_VERIFY=true"}},
		{"denied addresses", []netip.Prefix{netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("fe80::/10")},
			func(p *plan.Plan) { p.Network.BlacklistIPs = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} }, []string{"K6_BLACKLIST_IPS=169.254.0.0/16,fe80::/10,10.0.0.0/8"}},
		{"a script", nil, func(p *plan.Plan) { p.Script = "x" }, []string{"K6_DURATION=2s", "K6_VUS=3", "TARGET_URL=http://127.0.0.1:1/"}},
		{"a share of a script", nil, func(p *plan.Plan) { p.Script, p.Share = "x", plan.Share{I: 1, N: 2} }, []string{"K6_DURATION=2s", "K6_VUS=1", "TARGET_URL=http://127.0.0.1:1/"}},
		{"a script of the defaults", nil, func(p *plan.Plan) { p.Script, p.Scenarios[0].VUs, p.Scenarios[0].Duration = "x", 0, 0 }, []string{"K6_DURATION=30s", "K6_VUS=1", "TARGET_URL=http://127.0.0.1:1/"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := aPlan()
			c.change(&p)
			if err := p.Validate(); err != nil {
				t.Fatal(err)
			}
			j, err := runner(t, Config{Path: "k6", Deny: c.deny}).newJob(p, version{2, 2, 0})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(slices.Sorted(slices.Values(slices.Concat(bare, c.more))), slices.Sorted(slices.Values(j.env))); d != "" {
				t.Errorf("environment (-want +got):\n%s", d)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	const scenario, network = "k6 takes VUs and a duration beside a script, no scenario of another kind", "k6 takes no way to connect beside a script; it has to stand in its options"
	two := func(change func(*plan.Request)) func(*plan.Plan) {
		return func(p *plan.Plan) {
			s := p.Scenarios[0]
			s.Name = "other"
			change(&s.Request)
			p.Scenarios = append(p.Scenarios, s)
		}
	}
	for _, c := range []struct {
		name    string
		version version
		change  func(*plan.Plan)
		want    string
	}{
		{"HTTP/2", version{2, 2, 0}, func(p *plan.Plan) { p.Scenarios[0].Request.HTTPVersion = plan.HTTP2 }, "k6 can't be held to HTTP/2: over TLS it takes what the server offers, in clear always HTTP/1.1"},
		{"HTTP/2 of a script", version{2, 2, 0}, func(p *plan.Plan) { p.Script, p.Scenarios[0].Request.HTTPVersion = "x", plan.HTTP2 }, "k6 can't be held to HTTP/2: over TLS it takes what the server offers, in clear always HTTP/1.1"},
		{"two HTTP versions", version{2, 2, 0}, two(func(r *plan.Request) { r.HTTPVersion = plan.HTTP11 }), "k6 takes one HTTP version and one way with certificates for all scenarios"},
		{"two ways with certificates", version{2, 2, 0}, two(func(r *plan.Request) { r.InsecureSkipVerify = true }), "k6 takes one HTTP version and one way with certificates for all scenarios"},
		{"scenarios of an old k6", version{0, 26, 2}, func(*plan.Plan) {}, "k6 v0.26.2 knows no scenarios; v0.27 does"},
		{"a certificate authority", version{2, 2, 0}, func(p *plan.Plan) { p.Network.TLS.CAPEM = []byte("x") }, "k6 takes no certificate authority beside the system's"},
		{"a script with another executor", version{2, 2, 0}, func(p *plan.Plan) {
			p.Script = "x"
			p.Scenarios[0] = plan.Scenario{Executor: plan.PerVUIterations, Request: p.Scenarios[0].Request}
		}, scenario},
		{"a script that begins later", version{2, 2, 0}, func(p *plan.Plan) { p.Script, p.Scenarios[0].StartTime = "x", time.Second }, scenario},
		{"a script with a function", version{2, 2, 0}, func(p *plan.Plan) { p.Script, p.Scenarios[0].Exec = "x", "f" }, scenario},
		{"a script with an environment", version{2, 2, 0}, func(p *plan.Plan) { p.Script, p.Scenarios[0].Env = "x", map[string]string{"K6_OUT": "json=/etc/x"} }, scenario},
		{"a script with tags", version{2, 2, 0}, func(p *plan.Plan) { p.Script, p.Scenarios[0].Tags = "x", map[string]string{"a": "b"} }, scenario},
		{"a script with a network", version{2, 2, 0}, func(p *plan.Plan) { p.Script, p.Network.NoConnectionReuse = "x", true }, network},
		{"a script with DNS", version{2, 2, 0}, func(p *plan.Plan) { p.Script, p.Network.DNS.Policy = "x", plan.OnlyIPv6 }, network},
		{"a script with thresholds", version{2, 2, 0}, func(p *plan.Plan) {
			p.Script, p.Thresholds = "x", []plan.Threshold{{Metric: "http_reqs", Expression: "count>1"}}
		}, "k6 takes no thresholds beside a script; they have to stand in its options"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := aPlan()
			c.change(&p)
			_, err := runner(t, Config{Path: "k6"}).newJob(p, c.version)
			if err == nil || err.Error() != c.want {
				t.Errorf("got %v; want %s", err, c.want)
			}
			if _, ok := err.(refusal); !ok {
				t.Errorf("%T is no refusal", err)
			}
		})
	}
}

func TestNetworkOptions(t *testing.T) {
	for _, c := range []struct {
		name    string
		network plan.Network
		want    string
	}{
		{"the defaults", plan.Network{}, `{}`},
		{"addresses are not here", plan.Network{BlacklistIPs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}, `{}`},
		{"names", plan.Network{Hosts: map[string]string{"a.example:80": "127.0.0.1:81"}, BlockHostnames: []string{"*.b.example"}}, `{"blockHostnames":["*.b.example"],"hosts":{"a.example:80":"127.0.0.1:81"}}`},
		{"reuse", plan.Network{NoConnectionReuse: true, NoVUConnectionReuse: true}, `{"noConnectionReuse":true,"noVUConnectionReuse":true}`},
		{"DNS for ever", plan.Network{DNS: plan.DNS{TTL: plan.DNSForever}}, `{"dns":{"policy":"preferIPv4","select":"random","ttl":"inf"}}`},
		{"DNS each time", plan.Network{DNS: plan.DNS{TTL: -1, Select: plan.SelectRoundRobin, Policy: plan.AnyFamily}}, `{"dns":{"policy":"any","select":"roundRobin","ttl":"0s"}}`},
		{"TLS", plan.Network{TLS: plan.TLS{MinVersion: plan.TLS12, MaxVersion: plan.TLS13, CipherSuites: []string{"TLS_X"}}}, `{"tlsCipherSuites":["TLS_X"],"tlsVersion":{"max":"tls1.3","min":"tls1.2"}}`},
		{"certificates", plan.Network{TLS: plan.TLS{Certificates: []plan.ClientCertificate{{CertPEM: []byte("c"), KeyPEM: "k"}, {Domains: []string{"d"}, CertPEM: []byte("c2"), KeyPEM: "k2", Password: "p"}}}},
			`{"tlsAuth":[{"cert":"c","key":"k"},{"cert":"c2","domains":["d"],"key":"k2","password":"p"}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, err := networkOptions(plan.Plan{Network: c.network}.Resolved().Network)
			if got, _ := json.Marshal(o); err != nil || string(got) != c.want {
				t.Errorf("got %s, %v; want %s", got, err, c.want)
			}
		})
	}
}
