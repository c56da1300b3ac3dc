//go:build !race

package http1

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/engine/internal/dial"
)

// In steady state a request allocates nothing, and over TLS what crypto/tls does for each record. The race detector
// allocates for itself.
func TestAllocations(t *testing.T) {
	for _, tc := range []struct {
		name   string
		secure bool
		most   float64
	}{{"plain", false, 0}, {"TLS", true, 1}} {
		t.Run(tc.name, func(t *testing.T) {
			url := cannedServer(t, tc.secure)
			c := newClient(t, dial.Config{})
			r := get(url)
			r.Deadline = time.Hour
			var x core.Exchange
			exchange := func() {
				x = core.Exchange{}
				c.do(t.Context(), 0, r, &x)
			}
			exchange() // connects
			runs := []float64{}
			for range 5 { // the server's, and other tests', are counted too
				runs = append(runs, testing.AllocsPerRun(500, exchange))
				require.Equal(t, 200, x.Status, x.Err)
			}
			server := 0.0
			if tc.secure {
				server = 1 // its own record
			}
			require.LessOrEqual(t, slices.Min(runs), tc.most+server)
		})
	}
}
