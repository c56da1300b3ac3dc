package dashboard_test

import (
	"net/http"
	"testing"

	"github.com/nollagluiz/broadside/fleet"
)

// The guide's curl line, byte for byte but for the URL.
func TestGuideAddsATarget(t *testing.T) {
	f := newFixture(t)
	const body = `{"url":"https://example.org/","label":"Example","vus":10,"durationS":30,"runIntervalMs":60000}`
	r := f.call("POST", pathTargets, body, asAdmin).wants(http.StatusCreated)
	got := read[fleet.Target](r)
	want := fleet.NewTarget()
	want.URL, want.Label, want.VUs = "https://example.org/", "Example", 10
	want.ID, want.Revision, want.CreatedAt, want.UpdatedAt = got.ID, 1, fleet.Millis(f.clock.now()), fleet.Millis(f.clock.now())
	if got.String() != want.String() {
		t.Errorf("%+v; want %+v", got, want)
	}
}
