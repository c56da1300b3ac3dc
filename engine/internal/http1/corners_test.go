package http1

import edge "github.com/nollagluiz/broadside/engine/internal/corners"

// corner is a Corner of package corners, in short.
type corner struct {
	name   string
	answer string
	status int
	odd    bool
}

func corners() []corner {
	var out []corner
	for _, c := range edge.All() {
		out = append(out, corner{c.Name, c.Answer, c.Status, c.Odd})
	}
	return out
}
