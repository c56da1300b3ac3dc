package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// exchangeArg re-executes this program as the floor of what a client can cost.
const exchangeArg = "exchange"

// pace is how long the server is given for a request, more than it needs.
const pace = 30 * time.Microsecond

// exchange costs what no HTTP client can go below: one write and one read a request, without a parser or a clock. It
// writes a request on each connection, waits, then reads a response from each, for so long. It tells the CPU time of
// writes and reads alone: waiting costs more than either.
func exchange(ctx context.Context, out io.Writer, target string, conns int, d time.Duration) error {
	u, err := url.Parse(target)
	if err != nil {
		return err
	}
	request := []byte("GET / HTTP/1.1\r\nHost: " + u.Host + "\r\nUser-Agent: exchange\r\n\r\n")
	response := make([]byte, 64<<10)
	fds := make([]int, conns)
	for i := range fds {
		if fds[i], err = connect(u.Host); err != nil {
			return fmt.Errorf("connect: %w", err)
		}
		defer syscall.Close(fds[i])
	}
	runtime.LockOSThread() // whose CPU time is measured
	defer runtime.UnlockOSThread()
	length, cpu := 0, time.Duration(0)
	began := time.Now()
	for n := 0; ; n += conns {
		if elapsed := time.Since(began); elapsed >= d || ctx.Err() != nil {
			_, err := fmt.Fprintf(out, "%d exchanges in %.6f s, %.3f µs of CPU each\n", n, elapsed.Seconds(), cpu.Seconds()*1e6/float64(n))
			return err
		}
		start := threadTime()
		for _, fd := range fds {
			if _, err := syscall.Write(fd, request); err != nil {
				return fmt.Errorf("write: %w", err)
			}
		}
		cpu += threadTime() - start
		// Every response is there before the first is read, or the read would wait.
		if err := wait(ctx, time.Duration(conns)*pace); err != nil {
			return err
		}
		start = threadTime()
		for _, fd := range fds {
			got, err := syscall.Read(fd, response)
			if err != nil {
				return fmt.Errorf("read: %w", err)
			}
			if length == 0 {
				length = got
			}
			if got == 0 || got != length {
				return fmt.Errorf("a response of %d bytes, after one of %d", got, length)
			}
		}
		cpu += threadTime() - start
	}
}

// threadTime is the CPU time of the thread.
func threadTime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		panic(err) // no such clock: no Linux of Go's
	}
	return time.Duration(t.Nano())
}

// connect makes a blocking socket.
func connect(address string) (int, error) {
	a, err := net.ResolveTCPAddr("tcp4", address)
	if err != nil {
		return 0, err
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	to := &syscall.SockaddrInet4{Port: a.Port}
	copy(to.Addr[:], a.IP.To4())
	err = errors.Join(
		syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1),
		syscall.Connect(fd, to))
	if err != nil {
		syscall.Close(fd)
		return 0, err
	}
	return fd, nil
}
