//go:build linux

package loop

import (
	"fmt"
	"math"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	never     = time.Duration(math.MaxInt64)
	maxEvents = 256 // taken from the kernel at once
)

// poller is an edge-triggered epoll set and the eventfd that wakes who waits for it. Its sockets tell of both directions
// from the first on, so a connection costs one epoll_ctl in its life: the kernel tells of room to write only after a
// write found none.
type poller struct {
	epoll  int
	bell   int // the eventfd. It is never read: each write to it is an edge of its own
	events [maxEvents]unix.EpollEvent

	precise bool       // epoll_pwait2 is there: Linux 5.11
	timeout kernelTime // of the call under way
	sharp   int        // the thread whose timers were made sharp last

	file  *os.File // the epoll set, as the Go runtime's own poller knows it
	raw   syscall.RawConn
	ready func(uintptr) bool // poll, for raw
	found int                // by ready
}

// kernelTime is a struct __kernel_timespec: 64 bits on every architecture.
type kernelTime struct{ sec, nsec int64 }

func (p *poller) open() error {
	var err error
	if p.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return fmt.Errorf("create epoll: %w", err)
	}
	_ = unix.SetNonblock(p.epoll, true) // so that os takes it to the runtime's poller; else parking fails, and says so
	p.file = os.NewFile(uintptr(p.epoll), "epoll")
	if p.bell, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		_ = p.file.Close() // the first error is the one to tell
		return fmt.Errorf("create eventfd: %w", err)
	}
	if err = p.add(p.bell, 0); err == nil {
		p.raw, err = p.file.SyscallConn()
	}
	if err != nil {
		p.close()
		return err
	}
	p.ready = func(uintptr) bool {
		p.found = p.poll()
		return p.found > 0
	}
	p.precise = true
	return nil
}

func (p *poller) close() {
	_ = unix.Close(p.bell) // nothing is left to do when a close fails
	_ = p.file.Close()
}

// add tells of fd from now on, in events that carry it and mark, until it is closed.
func (p *poller) add(fd int, mark int32) error {
	event := unix.EpollEvent{
		Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET, Fd: int32(fd), Pad: mark,
	}
	if err := unix.EpollCtl(p.epoll, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
		return fmt.Errorf("add to epoll: %w", err)
	}
	return nil
}

// ring wakes who waits. Any goroutine may call it.
func (p *poller) ring() {
	one := [8]byte{1}
	_, _ = unix.Write(p.bell, one[:]) // it fails when 2^64 rings are unread, which would wake as well
}

// poll gives the number of events that are there, in p.events, without blocking: so the scheduler need not know.
func (p *poller) poll() int {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.epoll), uintptr(unsafe.Pointer(&p.events[0])), maxEvents, 0, 0, 0)
	if errno != 0 { // EINTR
		return 0
	}
	return int(n)
}

// park is poll, but lets the goroutine sleep until there is an event, or for d at the most, give or take a millisecond: the
// Go runtime's poller watches the epoll set, as it would any descriptor. Until then the P is free for others.
func (p *poller) park(d time.Duration) int {
	until := time.Time{} // for ever
	if d != never {
		until = time.Now().Add(d)
	}
	p.found = 0
	if err := p.file.SetReadDeadline(until); err != nil {
		return p.wait(min(d, time.Millisecond), false)
	}
	_ = p.raw.Read(p.ready) // the error is that the time is over
	return p.found
}

// wait is poll, but blocks until there is an event, or for d at the most, to the nanosecond if sharp. The P stays with the
// thread meanwhile, so it is for short times.
func (p *poller) wait(d time.Duration, sharp bool) int {
	if sharp {
		p.sharpen()
	}
	if p.precise {
		if n, ok := p.waitPrecisely(d); ok {
			return n
		}
		p.precise = false
	}
	ms := -1
	if d != never {
		ms = int(min((d+time.Millisecond-1)/time.Millisecond, math.MaxInt32))
	}
	n, err := unix.EpollWait(p.epoll, p.events[:], ms)
	if err != nil { // EINTR
		return 0
	}
	return n
}

func (p *poller) waitPrecisely(d time.Duration) (n int, ok bool) {
	var timeout *kernelTime
	if d != never {
		p.timeout = kernelTime{int64(d / time.Second), int64(d % time.Second)}
		timeout = &p.timeout
	}
	r, _, errno := unix.Syscall6(unix.SYS_EPOLL_PWAIT2, uintptr(p.epoll), uintptr(unsafe.Pointer(&p.events[0])), maxEvents,
		uintptr(unsafe.Pointer(timeout)), 0, 0)
	switch errno {
	case 0:
		return int(r), true
	case unix.ENOSYS, unix.EPERM: // an old kernel, or a sandbox that is older than the call
		return 0, false
	}
	return 0, true // EINTR
}

// sharpen lets this thread's waits end when they are to, not up to 50 us later as the kernel likes to. A goroutine seldom
// moves to another thread, so this is one cheap system call before a wait.
func (p *poller) sharpen() {
	if thread := unix.Gettid(); thread != p.sharp {
		p.sharp = thread
		_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // in ns; without it waits end later
	}
}
