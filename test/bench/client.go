package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
)

// client is a load generator: how it is called, and what it prints. Each gets one core.
type client struct {
	name    string
	command func(url string, vus, seconds int) []string
	parse   func(printed string) (count, error)
}

// count is what a client says that it did.
type count struct {
	requests float64
	rate     float64 // requests a second, over the time that it measured by itself
	cpu      float64 // microseconds a request, if it tells them; 0 if its process's time is to be taken
}

// broadside is `k6agent run` of a folder of binaries. args are those that choose a transport.
func broadside(bin, name string, args ...string) client {
	return client{
		name: name,
		command: func(url string, vus, seconds int) []string {
			command := []string{filepath.Join(bin, "k6agent"), "run", "--quiet", "--no-color", "--insecure", "--http-version", "1.1",
				"--vus", strconv.Itoa(vus), "--duration", fmt.Sprintf("%ds", seconds)}
			return append(append(command, args...), url)
		},
		parse: parseReport,
	}
}

func wrk() client {
	return client{
		name: "wrk",
		command: func(url string, vus, seconds int) []string {
			return []string{"wrk", "-t", "1", "-c", strconv.Itoa(vus), "-d", fmt.Sprintf("%ds", seconds), url}
		},
		parse: parseWrk,
	}
}

func hey() client {
	return client{
		name: "hey",
		command: func(url string, vus, seconds int) []string {
			return []string{"hey", "-cpus", "1", "-c", strconv.Itoa(vus), "-z", fmt.Sprintf("%ds", seconds), url}
		},
		parse: parseHey,
	}
}

// exchanger is this program as the floor of what a client can cost: see exchange.
func exchanger() (client, error) {
	self, err := os.Executable()
	if err != nil {
		return client{}, err
	}
	return client{
		name: "one write and one read",
		command: func(url string, vus, seconds int) []string {
			return []string{self, exchangeArg, url, strconv.Itoa(vus), strconv.Itoa(seconds)}
		},
		parse: parseExchange,
	}, nil
}

// findText gives what a pattern's groups match.
func findText(pattern, printed string) ([]string, error) {
	m := regexp.MustCompile(pattern).FindStringSubmatch(printed)
	if m == nil {
		return nil, fmt.Errorf("no %q in %.2000q", pattern, printed)
	}
	return m[1:], nil
}

// find reads the numbers of a pattern's groups.
func find(pattern, printed string) ([]float64, error) {
	texts, err := findText(pattern, printed)
	if err != nil {
		return nil, err
	}
	numbers := make([]float64, len(texts))
	for i, text := range texts {
		if numbers[i], err = strconv.ParseFloat(text, 64); err != nil {
			return nil, err
		}
	}
	return numbers, nil
}

// parseReport reads the report of `k6agent run`. A run with failures is no measurement.
func parseReport(printed string) (count, error) {
	failed, err := find(`http_req_failed\.*: \S+ +(\d+) out of`, printed)
	if err != nil {
		return count{}, err
	}
	if failed[0] > 0 {
		return count{}, fmt.Errorf("%.0f requests failed:\n%s", failed[0], printed)
	}
	n, err := find(`http_reqs\.*: (\d+) +([\d.]+)/s`, printed)
	if err != nil {
		return count{}, err
	}
	return count{requests: n[0], rate: n[1]}, nil
}

func parseWrk(printed string) (count, error) {
	if bad := regexp.MustCompile(`Socket errors.*|Non-2xx.*`).FindString(printed); bad != "" {
		return count{}, errors.New(bad)
	}
	n, err := find(`(\d+) requests in`, printed)
	if err != nil {
		return count{}, err
	}
	rate, err := find(`Requests/sec: +([\d.]+)`, printed)
	if err != nil {
		return count{}, err
	}
	return count{requests: n[0], rate: rate[0]}, nil
}

func parseHey(printed string) (count, error) {
	if regexp.MustCompile(`Error distribution:`).MatchString(printed) {
		return count{}, fmt.Errorf("requests failed: %.2000s", printed)
	}
	rate, err := find(`Requests/sec:\s+([\d.]+)`, printed)
	if err != nil {
		return count{}, err
	}
	n, err := find(`\[200\]\s+(\d+) responses`, printed)
	if err != nil {
		return count{}, err
	}
	return count{requests: n[0], rate: rate[0]}, nil
}

func parseExchange(printed string) (count, error) {
	n, err := find(`^(\d+) exchanges in ([\d.]+) s, ([\d.]+) µs`, printed)
	if err != nil {
		return count{}, err
	}
	return count{requests: n[0], rate: n[0] / n[1], cpu: n[2]}, nil
}
