package k6exec_test

import (
	"context"
	"fmt"

	"github.com/nollagluiz/broadside/agent/k6exec"
)

// A k6 that can't be used is reported at once, and by the heartbeats that show its Status.
func ExampleRunner_Probe() {
	r, err := k6exec.New(k6exec.Config{Path: "/nowhere/k6"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Probe(context.Background()))
	fmt.Printf("%+v\n", r.Status())
	// Output:
	// k6 at /nowhere/k6: file does not exist
	// {Path:/nowhere/k6 Version: Error:k6 at /nowhere/k6: file does not exist}
}
