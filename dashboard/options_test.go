package dashboard_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nollagluiz/broadside/fleet"
)

// clientCertificate is one with its key, both in PEM.
func clientCertificate(f *fixture) (cert, key string) {
	f.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	f.must(err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	f.must(err)
	secret, err := x509.MarshalECPrivateKey(private)
	f.must(err)
	toPEM := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return toPEM("CERTIFICATE", certificate), toPEM("EC PRIVATE KEY", secret)
}

// k6's options as a script exports them are a target's as they are. An edit replaces them whole, so that no scenario of
// the old ones goes on beside the new.
func TestOptionsOfATarget(t *testing.T) {
	f := newFixture(t)
	const ramp = `{"scenarios":{"login":{"executor":"ramping-vus","startVUs":0,"stages":[{"duration":"30s","target":50},{"duration":"10s","target":0}]}}}`
	const rate = `{"scenarios":{"steady":{"executor":"constant-arrival-rate","rate":100,"duration":"1m","preAllocatedVUs":10}},"thresholds":{"http_req_duration":["p(95)<500"]}}`
	id := f.addTarget(`{"url":"https://example.org/","options":` + ramp + `}`).ID
	for _, c := range []struct{ name, patch, want string }{
		{"another field", `{"label":"x"}`, ramp},
		{"replaced whole", `{"options":` + rate + `}`, rate},
		{"a null in them is nothing", `{"options":{"vus":2,"duration":"3s","stages":null}}`, `{"vus":2,"duration":"3s","stages":null}`},
		{"none", `{"options":{}}`, `{}`},
		{"again", `{"options":` + ramp + `}`, ramp},
		{"the default", `{"options":null}`, `{}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			answered := read[fleet.Target](f.call("PATCH", pathTargets+"/"+id, c.patch, asAdmin).wants(http.StatusOK))
			polled := f.poll("", 0).Targets[0]
			for who, got := range map[string]fleet.Target{"the answer": answered, "the poll": polled} {
				if !sameJSON(t, string(got.Options), c.want) {
					t.Errorf("%s has %s; want %s", who, got.Options, c.want)
				}
			}
		})
	}
	p := f.call("PATCH", pathTargets+"/"+id, `{"options":{"scenarios":{"x":{"executor":"constant-vus","duration":"1s","vus":0}},"rps":5},"vus":0}`, asAdmin).
		wantsProblem(http.StatusUnprocessableEntity, fleet.ValidationFailed)
	for _, field := range []string{"body.options.scenarios.x.vus", "body.options.rps", "body.vus"} {
		if !p.at(field) {
			t.Errorf("%+v; want %s", p, field)
		}
	}
}

func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	normal := func(text string) string {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		out, _ := json.Marshal(v) // it was JSON
		return string(out)
	}
	return normal(a) == normal(b)
}

// The key of a client certificate goes to agents, and is shown to nobody; nor do hosts lead a secret elsewhere.
func TestSecretsOfOptions(t *testing.T) {
	f := newFixture(t)
	epoch := f.register("a", "one")
	cert, key := clientCertificate(f)
	secret := strings.Split(key, "\n")[1] // a line of base64, which no escape changes
	options := map[string]any{"vus": 2, "duration": "3s", "tlsAuth": []any{map[string]any{"cert": cert, "key": key}}}
	body := map[string]any{"url": "https://example.org/", "headers": map[string]any{"Authorization": "Bearer s3cret"}, "options": options}
	created := f.call("POST", pathTargets, body, asAdmin).wants(http.StatusCreated)
	target := read[fleet.Target](created)
	polled := func() string { return string(f.poll("a", epoch).Targets[0].Options) }
	if !strings.Contains(polled(), secret) {
		t.Fatalf("the poll has %s; want the key", polled())
	}
	start := fleet.RunStart{ID: runID(1), TargetID: target.ID, Agent: "a", StartedAt: fleet.Millis(f.clock.now()), Spec: f.poll("a", epoch).Targets[0]}
	f.call("POST", pathResults, start, as("a", epoch)).wants(http.StatusCreated) // an agent that forgot to redact
	late := start
	late.ID = runID(2)
	f.putRun(endOf(late)).wants(http.StatusOK)

	path := pathTargets + "/" + target.ID
	edit := map[string]any{"label": "x", "options": map[string]any{"vus": 3, "duration": "3s", "tlsAuth": fleet.Hidden}}
	answers := []reply{created, f.call("PATCH", path, edit, asAdmin), f.call("GET", path, nil, asAdmin)}
	for _, open := range []string{pathList, pathList + "/" + target.ID, pathRuns, pathRuns + "/" + runID(1), pathRuns + "/" + runID(2), pathAgents, pathOverview, "/api/metrics",
		"/agents/k6/sites", "/agents/k6/sites/" + target.ID, "/agents/k6/runs/" + runID(1), "/agents/k6/runs/" + runID(2)} {
		answers = append(answers, f.call("GET", open, nil, asAdmin))
	}
	for _, r := range answers {
		if r.status/100 != 2 || strings.Contains(string(r.body), secret) || strings.Contains(string(r.body), "s3cret") {
			t.Errorf("%s: %d %.2000s", r.what, r.status, r.body)
		}
	}
	if got := polled(); !strings.Contains(got, secret) || !strings.Contains(got, `"vus":3`) {
		t.Errorf("after an edit with *** the poll has %s; want the key kept", got)
	}
	elsewhere := map[string]any{"options": map[string]any{"vus": 3, "duration": "3s", "tlsAuth": fleet.Hidden, "hosts": map[string]any{"example.org": "192.0.2.1"}}}
	p := f.call("PATCH", path, elsewhere, asAdmin).wantsProblem(http.StatusUnprocessableEntity, fleet.ValidationFailed)
	if !p.at("body.headers") || !p.at("body.options.tlsAuth") {
		t.Errorf("hosts lead secrets elsewhere: %+v", p)
	}
	broken := map[string]any{"options": map[string]any{"tlsAuth": []any{map[string]any{"cert": cert, "key": "no key: s3cret"}}}}
	r := f.call("PATCH", path, broken, asAdmin)
	if p := r.wantsProblem(http.StatusUnprocessableEntity, fleet.ValidationFailed); !p.at("body.options.tlsAuth[0].key") || strings.Contains(string(r.body), "s3cret") {
		t.Errorf("%s; want the path of the key, and no secret", r.body)
	}
}
