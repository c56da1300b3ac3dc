package hist_test

import (
	"fmt"
	"time"

	"github.com/nollagluiz/broadside/summary/hist"
)

// The percentile of a fleet comes from its merged distributions. The average of its agents' percentiles is another
// number, and a wrong one.
func Example() {
	var near, far hist.Histogram
	near.RecordN(int64(10*time.Millisecond), 9900) // a busy agent beside the target
	far.RecordN(int64(300*time.Millisecond), 100)  // a slow one on another continent

	average := (near.Quantile(0.95) + far.Quantile(0.95)) / 2
	near.Merge(&far)
	fmt.Println("p95 of all samples:", time.Duration(near.Quantile(0.95)).Round(time.Millisecond))
	fmt.Println("average of the p95s:", time.Duration(average).Round(time.Millisecond))
	fmt.Println("samples:", near.Count(), "max:", time.Duration(near.Max()))
	// Output:
	// p95 of all samples: 10ms
	// average of the p95s: 155ms
	// samples: 10000 max: 300ms
}
