package plan_test

import (
	"testing"
	"time"

	"github.com/nollagluiz/broadside/plan"
)

func TestIsSecretName(t *testing.T) {
	for _, name := range []string{"Authorization", "X-Jwt", "X-Key", "X-Api-Key-Id", "access_token", "db_pass", "passphrase", "PIN", "sid", "X-Session-Id"} {
		if !plan.IsSecretName(name) {
			t.Errorf("%s is taken for no secret", name)
		}
	}
	for _, name := range []string{"Accept", "User-Agent", "passenger", "signal", "page", "pinned", "keyword"} {
		if plan.IsSecretName(name) {
			t.Errorf("%s is taken for a secret", name)
		}
	}
}

func TestOrNone(t *testing.T) {
	if a, b, c := plan.OrNone(0), plan.OrNone(3), plan.OrNone(time.Duration(0)); a != -1 || b != 3 || c != -1 {
		t.Errorf("%d, %d, %d; want -1, 3, -1", a, b, c)
	}
}
