package k6exec

import (
	"bytes"
	"testing"

	"github.com/nollagluiz/broadside/plan"
)

func TestHide(t *testing.T) {
	for _, c := range []struct {
		name    string
		request plan.Request
		text    string
		want    string
	}{
		{"nothing to hide", plan.Request{URL: "http://h/a?b=c"}, "http://h/a?b=c", "http://h/a?b=c"},
		{"userinfo", plan.Request{URL: "http://us%40er:p%2Fw@h/"}, "us@er us%40er p/w p%2Fw us%40er:p%2Fw@h", "*** *** *** *** ***@h"},
		{"a user alone", plan.Request{URL: "http://token1@h/"}, "token1@h", "***@h"},
		{"a query", plan.Request{URL: "http://h/?token=a%20b&x=1&api_key=k/1;y#z"}, "a b, a%20b, a+b, 1, k/1;y, k", "***, ***, ***, 1, ***, ***"},
		{"an encoded name", plan.Request{URL: "http://h/?t%6Fken=abc"}, "abc", "***"},
		{"a path and a fragment", plan.Request{URL: "http://h/a;jwt=abc/b#access_token=def&x=1"}, "abc/b abc def 1", "*** *** *** 1"},
		{"an equals sign in the value", plan.Request{URL: "http://h/?sig=ab=="}, "ab==", "***"},
		{"no value", plan.Request{URL: "http://h/?token=&key="}, "any text", "any text"},
		{"headers", plan.Request{URL: "http://h/", Header: map[string][]string{"X-Api-Key": {"one", "two"}, "Accept": {"three"}}}, "one two three", "*** *** three"},
		{"a token after its scheme", plan.Request{URL: "http://h/", Header: map[string][]string{"Authorization": {"Bearer abcdefgh"}}}, "Bearer abcdefgh, abcdefgh, Bearer", "***, ***, Bearer"},
		{"a secret by request", plan.Request{URL: "http://h/", Header: map[string][]string{"X-Mine": {"abc"}}, SecretHeaders: []string{"x-mine"}}, "abc", "***"},
		{"a body", plan.Request{URL: "http://h/", Body: []byte(" the body\n")}, "it was the body, so", "it was ***, so"},
		{"a body too short to hide", plan.Request{URL: "http://h/", Body: []byte("a")}, "a banana", "a banana"},
		{"the longer one first", plan.Request{URL: "http://abc:abcdef@h/"}, "abcdef abc", "*** ***"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := secretsOf(plan.Plan{Scenarios: []plan.Scenario{{Request: c.request}}})
			if got := s.hide(c.text, 1); got != c.want {
				t.Errorf("got %q; want %q", got, c.want)
			}
		})
	}
	t.Run("keys", func(t *testing.T) {
		s := secretsOf(plan.Plan{Network: plan.Network{TLS: plan.TLS{Certificates: []plan.ClientCertificate{{KeyPEM: "key1", Password: "pw2"}}}}})
		if got := s.hide("key1 pw2", 1); got != "*** ***" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("short ones stay", func(t *testing.T) {
		if got := (secrets{"run", "word"}).hide("The run, a word", 4); got != "The run, a ***" {
			t.Errorf("got %q", got)
		}
	})
}

// A body of the greatest size is hidden as fast as any.
func TestHideGreatBody(t *testing.T) {
	body := bytes.Repeat([]byte("x"), plan.MaxBody)
	s := secretsOf(plan.Plan{Scenarios: []plan.Scenario{{Request: plan.Request{URL: "http://h/", Body: body}}}})
	if got := s.hide("a "+string(body)+" b", 1); got != "a *** b" {
		t.Errorf("%d bytes", len(got))
	}
}
