package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// ticks of the kernel in a second, as /proc counts them (USER_HZ, 100 on every Linux of Go's).
const ticks = 100

// coreTime is what a core has done since the machine started, in seconds.
type coreTime struct{ idle, total float64 }

// readCore reads a core's line of /proc/stat (proc(5)): user, nice, system, idle, iowait, irq, softirq, steal, and two
// that user and nice hold already.
func readCore(stat string, core int) (coreTime, error) {
	name := "cpu" + strconv.Itoa(core)
	for line := range strings.Lines(stat) {
		f := strings.Fields(line)
		if len(f) < 9 || f[0] != name {
			continue
		}
		var c coreTime
		for i, text := range f[1:9] {
			v, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return coreTime{}, fmt.Errorf("/proc/stat: %w", err)
			}
			c.total += v / ticks
			if i == 3 || i == 4 {
				c.idle += v / ticks
			}
		}
		return c, nil
	}
	return coreTime{}, fmt.Errorf("no %s in /proc/stat: two cores are needed, one for the server and one for its client", name)
}

// timesOfCores reads those of the server's and the client's core.
func timesOfCores() (times [2]coreTime, err error) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return times, err
	}
	for core := range times {
		if times[core], err = readCore(string(stat), core); err != nil {
			return times, err
		}
	}
	return times, nil
}

// busy is the share of time, 0..1, that a core was not idle between two readings.
func busy(before, after coreTime) float64 {
	if after.total <= before.total {
		return 0
	}
	return 1 - (after.idle-before.idle)/(after.total-before.total)
}
