package main

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"slices"
	"time"
)

// starts is how often each client is started.
const starts = 15

// startUp measures the time from the start of a process to the first byte of its first request, interleaved with wrk.
func startUp(ctx context.Context, l *lab) ([]figure, error) {
	clients := []client{l.engine(), wrk()}
	times := make([][]float64, len(clients))
	for range starts {
		for i, c := range clients {
			d, err := firstByte(ctx, c)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			times[i] = append(times[i], d.Seconds()*1000)
		}
	}
	return []figure{
		{name: "start to first request / wrk's", value: median(ratios(times[0], times[1])), must: 2, aim: none, detail: fmt.Sprintf("%d pairs", starts)},
		{name: "start to first request, the best", value: slices.Min(times[0]), unit: "ms", must: 10, aim: 5,
			detail: fmt.Sprintf("median %.1f; wrk %.1f, median %.1f", median(times[0]), slices.Min(times[1]), median(times[1]))},
	}, nil
}

// firstByte starts a client against a server that never answers, and ends it when its first byte has come.
func firstByte(ctx context.Context, c client) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	defer context.AfterFunc(ctx, func() { _ = l.Close() })() // ends Accept
	command := c.command(fmt.Sprintf("http://%s/", l.Addr()), 1, 1)
	path, err := lookUp(command[0])
	if err != nil {
		return 0, err
	}
	cmd := exec.Command(path, command[1:]...)
	cmd.Env = []string{"GOMAXPROCS=1"}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	defer func() {
		_ = cmd.Process.Kill() // it would wait for its answer
		_ = cmd.Wait()
	}()
	conn, err := l.Accept()
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	for { // wrk makes a connection only to see whether it can
		if deadline, ok := ctx.Deadline(); ok {
			_ = conn.SetDeadline(deadline)
		}
		if _, err = conn.Read(make([]byte, 1)); err == nil {
			return time.Since(began), nil
		}
		conn.Close()
		if conn, err = l.Accept(); err != nil {
			return 0, err
		}
	}
}
