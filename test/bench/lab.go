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

// experiments are the table's, in its order. must is what docs/benchmarks.md promises now, aim what comes next.
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
		{"start", startUp},
		{"agent", agentMemory},
	}
}

// engine is the client under test: the engine chooses the transport. std is the same over net/http.
func (l *lab) engine() client { return broadside(l.bin, "k6agent run") }
func (l *lab) std() client    { return broadside(l.bin, "k6agent run, std", "--transport", "std") }
