package dashboard

import (
	"errors"
	"maps"
	"net/http"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/nollagluiz/broadside/fleet"
)

// Whatever a body holds, a patch is an error for its sender or gives a target in which only what it names has changed,
// and which it changes no further.
func FuzzPatch(f *testing.F) {
	for _, seed := range []string{`{}`, `{"vus":5,"label":"x"}`, `{"headers":{"A":"1","B":null}}`, `{"headers":null,"enabled":null}`, `{"secretHeaders":["a"],"body":"***"}`, `{"options":{"vus":2,"tags":null}}`,
		`{"vus":1e400}`, `{"createdAt":"2026-01-01T00:00:00Z"}`, `[1]`, `{"url":{"a":[]}}`, `{"":1}`, "{\"label\":\"\xff\"}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := fleet.NewTarget()
		before.URL, before.Headers["A"], before.VUs = "https://example.org/", "0", 7
		kept := before
		kept.Headers = maps.Clone(before.Headers)
		defaults := fleet.NewTarget()
		after := before
		err := patch(&after, body, &defaults)
		if !reflect.DeepEqual(before, kept) {
			t.Fatalf("the original has changed: %+v", before)
		}
		if err != nil {
			var known *fleet.Error
			if !errors.As(err, &known) || known.Code != fleet.Malformed && known.Code != fleet.ValidationFailed {
				t.Fatalf("error %v", err)
			}
			return
		}
		again := after
		if err := patch(&again, body, &defaults); err != nil || !reflect.DeepEqual(after, again) {
			t.Fatalf("patched again: %v, %+v; want %+v", err, again, after)
		}
	})
}

// A natural order is a total one: pages hang on it.
func TestCompareNaturalIsAnOrder(t *testing.T) {
	name := rapid.StringMatching(`[a01-]{0,3}[0-9]{0,3}[a-b0-]{0,2}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := name.Draw(t, "a"), name.Draw(t, "b"), name.Draw(t, "c")
		if (compareNatural(a, b) == 0) != (a == b) {
			t.Fatalf("%q and %q: %d", a, b, compareNatural(a, b))
		}
		if sign(compareNatural(a, b)) != -sign(compareNatural(b, a)) {
			t.Fatalf("%q and %q are not ordered", a, b)
		}
		if compareNatural(a, b) <= 0 && compareNatural(b, c) <= 0 && compareNatural(a, c) > 0 {
			t.Fatalf("%q <= %q <= %q, but not the first and the last", a, b, c)
		}
	})
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}

// Each code has an HTTP status, and what a library answers has a code.
func TestEveryCodeHasAStatus(t *testing.T) {
	for _, code := range fleet.Codes() {
		if status := code.Status(); status < 400 || status == http.StatusInternalServerError {
			t.Errorf("%s is %d; want what its reader can act on", code, status)
		}
	}
	if status := internal.Status(); status != http.StatusInternalServerError {
		t.Errorf("an internal error is %d", status)
	}
	for status, want := range map[int]fleet.Code{400: fleet.Malformed, 404: fleet.NotFound, 405: fleet.Malformed, 406: fleet.Malformed, 413: fleet.TooLarge, 422: fleet.ValidationFailed,
		500: internal, 502: internal, 503: fleet.Overloaded} {
		if got := codeOf(status); got != want {
			t.Errorf("%d is %s; want %s", status, got, want)
		}
	}
}
