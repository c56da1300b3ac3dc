package k6exec

import (
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// command is a program to be run, with all that it gets.
type command struct {
	path           string // absolute
	args, env      []string
	stdin          string
	stdout, stderr io.Writer
	drain, hurry   time.Duration // for its output after its end, when another process holds that open; hurry once it was told to end
}

// child is a running program and the processes that it started, as far as they stayed in its group.
type child struct {
	cmd   *exec.Cmd
	hurry time.Duration
	ended chan struct{} // closed once the program has ended and all that is to be had of its output was written

	mu     sync.Mutex    // guards the rest
	drain  time.Duration // what is left of patience with its output, as wait finds it
	reaped bool          // the id may belong to another process by now
}

// start starts a program. Its ended channel will be closed for certain once it was killed.
func start(c command) (*child, error) {
	cmd := exec.Command(c.path, c.args...)
	cmd.Env, cmd.Dir = c.env, workDir
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(c.stdin), c.stdout, c.stderr
	cmd.SysProcAttr = attributes()
	p := &child{cmd: cmd, hurry: c.hurry, ended: make(chan struct{}), drain: c.drain}
	started := make(chan error)
	go func() {
		// Linux sends the parent-death signal when the thread that forked ends, so this one has to live as long as the program.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.wait()
		}
	}()
	return p, <-started
}

func (p *child) wait() {
	defer close(p.ended)
	zombie := awaitZombie(p.cmd.Process.Pid)
	p.mu.Lock()
	if zombie {
		killGroup(p.cmd.Process) // whom it has left behind
		p.reaped = true
	}
	p.cmd.WaitDelay = p.drain
	p.mu.Unlock()
	// The error is the exit code, which state has, or that output was left unread: then the summary is cut and says so itself.
	_ = p.cmd.Wait()
}

// terminate asks the program to end.
func (p *child) terminate() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drain = p.hurry
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // an error: it has ended
}

// kill ends the program and its group.
func (p *child) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drain = p.hurry
	if !p.reaped {
		killGroup(p.cmd.Process)
	}
}

// state is how the program has ended, after ended was closed.
func (p *child) state() *os.ProcessState { return p.cmd.ProcessState }
