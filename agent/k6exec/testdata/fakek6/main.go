// Command fakek6 stands in for k6: it does what the file next to it, its own name with ".json", says. It is built by the
// tests.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

// Behaviour is what the fake does. The zero value prints nothing and ends with 0.
type Behaviour struct {
	Version     string // what "version" prints
	VersionExit int
	VersionHang bool

	Report      string   // host:port that gets "NAME PID" at the start of a run; the connection ends with the process
	Record      string   // file that gets the Call
	Log         []string // messages of the debug log
	Stderr      string   // file to print to stderr
	Stdout      string   // file to export as the summary
	FloodStdout int      // MiB
	FloodStderr int      // MiB
	Grandchild  string   // "group" or "session": leaves a process that holds stdout open, there
	Hang        bool     // until SIGTERM
	OnTerm      string   // "ignore"; "summary": export and exit; else it is ended by the signal
	Signal      int      // that it sends itself
	Exit        int
}

// Call is how the fake was called.
type Call struct {
	Args, Env  []string
	Dir, Stdin string
	Files      map[string]string // mode and content of each file named by an argument
}

func main() {
	if os.Args[1] == "grandchild" {
		report(os.Args[2], "grandchild")
		select {}
	}
	var b Behaviour
	text, err := os.ReadFile(os.Args[0] + ".json")
	check(err)
	check(json.Unmarshal(text, &b))
	if os.Args[1] == "version" {
		fmt.Println(b.Version)
		if b.VersionHang {
			select {}
		}
		os.Exit(b.VersionExit)
	}
	run(b)
}

func run(b Behaviour) {
	term := make(chan os.Signal, 1)
	if b.OnTerm != "" {
		signal.Notify(term, syscall.SIGTERM)
	}
	if b.Report != "" {
		report(b.Report, "k6")
	}
	record(b.Record)
	for _, message := range b.Log {
		fmt.Fprintf(os.Stderr, "time=\"2026-11-25T10:15:35Z\" level=debug msg=%q\n", message)
	}
	flood(os.Stderr, b.FloodStderr)
	if b.Stderr != "" {
		text, err := os.ReadFile(b.Stderr)
		check(err)
		os.Stderr.Write(text)
	}
	if b.Grandchild != "" {
		c := exec.Command(os.Args[0], "grandchild", b.Report)
		c.Stdout, c.Stderr = os.Stdout, os.Stderr
		c.SysProcAttr = &syscall.SysProcAttr{Setsid: b.Grandchild == "session"}
		check(c.Start())
	}
	if b.Signal != 0 {
		check(syscall.Kill(os.Getpid(), syscall.Signal(b.Signal)))
		select {}
	}
	if b.Hang {
		for range term {
			if b.OnTerm != "ignore" {
				break
			}
		}
	}
	export(b.Stdout)
	flood(os.Stdout, b.FloodStdout)
	os.Exit(b.Exit)
}

// report tells the test that the process lives, for as long as it does.
func report(address, name string) {
	conn, err := net.Dial("tcp", address)
	check(err)
	fmt.Fprintf(conn, "%s %d\n", name, os.Getpid())
}

func record(path string) {
	if path == "" {
		return
	}
	stdin, err := io.ReadAll(os.Stdin)
	check(err)
	dir, err := os.Getwd()
	check(err)
	call := Call{Args: os.Args[1:], Env: os.Environ(), Dir: dir, Stdin: string(stdin), Files: map[string]string{}}
	for _, arg := range os.Args[1:] {
		if text, err := os.ReadFile(arg); err == nil {
			info, err := os.Stat(arg)
			check(err)
			call.Files[arg] = info.Mode().String() + " " + string(text)
		}
	}
	text, err := json.Marshal(call)
	check(err)
	check(os.WriteFile(path, text, 0o600))
}

// export writes the summary where the arguments want it.
func export(path string) {
	if path == "" {
		return
	}
	text, err := os.ReadFile(path)
	check(err)
	to := os.Args[slices.Index(os.Args, "--summary-export")+1]
	if to == "stdout" {
		_, err = os.Stdout.Write(text)
	} else {
		err = os.WriteFile(to, text, 0o600)
	}
	check(err)
}

func flood(w io.Writer, mebibytes int) {
	line := strings.Repeat("x", 127) + "\n"
	for range mebibytes {
		if _, err := io.WriteString(w, strings.Repeat(line, 1<<13)); err != nil {
			return
		}
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "fakek6:", err)
		os.Exit(42)
	}
}
