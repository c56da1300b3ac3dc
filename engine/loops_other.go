//go:build !linux

package engine

import (
	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/engine/internal/dial"
	"github.com/nollagluiz/broadside/engine/internal/pace"
)

// haveLoops tells that there are no event loops here: goroutines carry all VUs.
const haveLoops = false

// loops are none.
type loops struct{}

func (*loops) open() (int, error) { return 0, nil }
func (*loops) close()             {}

func (r *run) onLoop(executor pace.Executor, flow func(int) core.Flow, dialer *dial.Dialer, shard *core.Shard) part {
	return r.onGoroutines(executor, flow, dialer, shard)
}
