//go:build !linux

package agent

import (
	"runtime/metrics"
	"time"
)

// residentBytes is about the process's resident memory: what the Go runtime has from the system and not given back.
func residentBytes() int64 {
	s := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64() - s[1].Value.Uint64())
}

// cpuTime is the processor time that the process has used, as the Go runtime estimates it at each collection.
func cpuTime() time.Duration {
	s := []metrics.Sample{{Name: "/cpu/classes/total:cpu-seconds"}, {Name: "/cpu/classes/idle:cpu-seconds"}}
	metrics.Read(s)
	return time.Duration((s[0].Value.Float64() - s[1].Value.Float64()) * float64(time.Second))
}

// memoryBytes is the memory that the process may use; 0, since it is not known.
func memoryBytes() int64 { return 0 }
