package main

import (
	"bufio"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
)

// interrupt is a program for the scripts: `interrupt EVENT... -- COMMAND...` runs the command, and sends it SIGINT after
// each event: a URL that is answered when it is time, or a text on the command's standard output. Its outputs and its
// exit code are the command's.
func interrupt() {
	code, err := interrupted(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "interrupt:", err)
	}
	os.Exit(code)
}

func interrupted(args []string) (code int, err error) {
	at := slices.Index(args, "--")
	if at < 1 || at+1 == len(args) {
		return 1, errors.New("usage: interrupt EVENT... -- COMMAND...")
	}
	cmd := exec.Command(args[at+1], args[at+2:]...)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return 1, err
	}
	if err := cmd.Start(); err != nil {
		return 1, err
	}
	lines := bufio.NewScanner(stdout)
	for _, event := range args[:at] {
		if err := await(event, lines); err != nil {
			cmd.Process.Kill()
			return 1, err
		}
		if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
			return 1, err
		}
	}
	for lines.Scan() {
		fmt.Println(lines.Text())
	}
	err = cmd.Wait()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	return 0, err
}

func await(event string, lines *bufio.Scanner) error {
	if strings.HasPrefix(event, "http://") {
		res, err := http.Get(event)
		if err != nil {
			return err
		}
		return res.Body.Close()
	}
	for lines.Scan() {
		fmt.Println(lines.Text())
		if strings.Contains(lines.Text(), event) {
			return nil
		}
	}
	return fmt.Errorf("no %q on standard output", event)
}
