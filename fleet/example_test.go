package fleet_test

import (
	"encoding/json"
	"fmt"

	"github.com/nollagluiz/broadside/fleet"
)

// A target as a form or a program sends it: what it leaves out has its default, its faults have the names that it used,
// and what it keeps secret is shown to nobody.
func ExampleTarget() {
	t := fleet.NewTarget()
	if err := json.Unmarshal([]byte(`{"url":"https://user:pass@example.org/?token=abc","vus":0}`), &t); err != nil {
		fmt.Println(err)
	}
	fmt.Println(t.Validate())

	t.VUs = 10
	fmt.Println(t.Validate(), t.DurationS, t.RunInterval())
	fmt.Println(t.Redacted().URL)
	fmt.Println(t.Redacted().Restore(t).URL)
	// Output:
	// vus: must be 1 to 10000, not 0
	// <nil> 30 1m0s
	// https://***@example.org/?token=***
	// https://user:pass@example.org/?token=abc
}
