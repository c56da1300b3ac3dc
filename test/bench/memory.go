package main

import (
	"bytes"
	"context"
	"fmt"
	"time"
)

// peaks measures the most memory that `k6agent run` has, and what a VU costs beyond the first thousand.
func peaks(ctx context.Context, l *lab) ([]figure, error) {
	var figures []figure
	peak := map[int]float64{} // MB
	for _, row := range []struct {
		vus       int
		must, aim float64
	}{{1, none, none}, {10, 14, 12}, {100, none, none}, {1000, 16, 13}, {10_000, 24, 16}} {
		bytes, err := l.peak(ctx, l.server.plain, row.vus)
		if err != nil {
			return nil, err
		}
		peak[row.vus] = bytes / 1e6
		figures = append(figures, figure{name: fmt.Sprintf("peak RSS, plain, %d VUs", row.vus), value: peak[row.vus], unit: "MB", must: row.must, aim: row.aim})
	}
	plain := figure{name: "memory of a VU beyond 1,000, plain", value: (peak[10_000] - peak[1000]) / 9, unit: "kB", must: 0.5, aim: 0.3}

	low, err := l.peak(ctx, l.server.tls, 1000)
	if err != nil {
		return nil, err
	}
	high, err := l.peak(ctx, l.server.tls, 10_000)
	if err != nil {
		return nil, err
	}
	return append(figures, plain,
		figure{name: "peak RSS, TLS 1.3, 1000 VUs", value: low / 1e6, unit: "MB", must: none, aim: none},
		figure{name: "memory of a VU beyond 1,000, TLS 1.3", value: (high - low) / 9000 / 1000, unit: "kB", must: 16, aim: 10}), nil
}

// peak is the most memory of a run in bytes; it lasts long enough for every VU to connect. It is read while the run goes on: what the kernel says afterwards holds the
// memory of the process that started it, too.
func (l *lab) peak(ctx context.Context, url string, vus int) (float64, error) {
	c := l.engine()
	cmd, err := pinned(ctx, clientCore, c.command(url, vus, 2+vus/1000)...)
	if err != nil {
		return 0, err
	}
	var printed bytes.Buffer
	cmd.Stdout, cmd.Stderr = &printed, &printed
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var most int64
	for {
		select {
		case <-time.After(5 * time.Millisecond):
			if now, err := memory(cmd.Process.Pid, "VmHWM"); err == nil { // at its end it has none any more
				most = max(most, now)
			}
		case err := <-ended:
			if err != nil {
				return 0, fmt.Errorf("%d VUs: %w\n%s", vus, err, printed.String())
			}
			n, err := c.parse(printed.String())
			if err == nil && n.requests < float64(vus) {
				err = fmt.Errorf("%.0f requests: not each VU had its turn", n.requests)
			}
			if err != nil {
				return 0, fmt.Errorf("%d VUs: %w", vus, err)
			}
			return float64(most), nil
		}
	}
}
