//go:build integration && linux

package servers

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// entry is a request in an access log.
type entry struct {
	run        string // its User-Agent; "" or dashes if it is no request of a run
	status     int
	sent, rcvd int64  // bytes of the response and of the request, heads included; -1 if the server does not log them
	conn       string // tells its connection from the others; "" if the server does not log it
}

// parseEntry reads what our configurations make servers log: "run=" and the User-Agent, status, bytes sent, bytes
// received, connection. "-" stands for what the server can't log. Other lines are messages.
func parseEntry(line string) (entry, error) {
	line, ours := strings.CutPrefix(line, "run=")
	if !ours {
		return entry{}, nil
	}
	f := strings.Fields(line)
	if len(f) != 5 {
		return entry{}, fmt.Errorf("%d fields; want 5", len(f))
	}
	status, err := strconv.Atoi(f[1])
	if err != nil {
		return entry{}, err
	}
	sent, err := parseBytes(f[2])
	if err != nil {
		return entry{}, err
	}
	rcvd, err := parseBytes(f[3])
	if err != nil {
		return entry{}, err
	}
	return entry{run: f[0], status: status, sent: sent, rcvd: rcvd, conn: f[4]}, nil
}

func parseBytes(text string) (int64, error) {
	if text == "-" {
		return -1, nil
	}
	return strconv.ParseInt(text, 10, 64)
}

// parseJSON reads a line of go-httpbin's log, which knows bodies alone. Other lines are messages.
func parseJSON(line string) (entry, error) {
	if !strings.HasPrefix(line, "{") {
		return entry{}, nil
	}
	var e struct {
		Status    int
		UserAgent string `json:"user_agent"`
	}
	if err := json.Unmarshal([]byte(line), &e); err != nil {
		return entry{}, err
	}
	return entry{run: e.UserAgent, status: e.Status, sent: -1, rcvd: -1}, nil
}
