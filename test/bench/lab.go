package main

import "context"

// lab is what experiments share.
type lab struct {
	bin     string // folder of k6agent and broadside
	rounds  int
	seconds int // of one client's turn
	server  *server
}

// experiment measures figures that belong together.
type experiment struct {
	name    string // chosen by -rows
	measure func(context.Context, *lab) ([]figure, error)
}

// structural matches the experiments whose figures are counts and sizes.
const structural = "^(syscalls|allocations|memory|agent)$"

// experiments are the table's, in its order.
func experiments() []experiment {
	return []experiment{
		{"plain-10", versusWrk(false, 10)},
		{"plain-100", versusWrk(false, 100)},
		{"tls-10", versusWrk(true, 10)},
		{"tls-100", versusWrk(true, 100)},
		{"std", versusHey},
		{"syscalls", systemCalls},
		{"allocations", allocations},
		{"memory", peaks},
		{"arrivals", arrivals},
		{"start", startUp},
		{"agent", agentMemory},
	}
}

// engine is the client under test: event loops carry it. http1 is a goroutine per VU, std the same over net/http.
func (l *lab) engine() client { return broadside(l.bin, "k6agent run") }
func (l *lab) http1() client  { return broadside(l.bin, "k6agent run, http1", "--transport", "http1") }
func (l *lab) std() client    { return broadside(l.bin, "k6agent run, std", "--transport", "std") }
