package k6exec

import (
	"bytes"
	"strconv"
	"strings"
	"sync"
)

// maxLine bounds a line of k6's log, in bytes; what is over is dropped. It holds the message of any exception.
const maxLine = 16 << 10

// log reads what k6 writes to standard error, and keeps of it what says how a run went: three lines, however much
// comes. Its methods may be called concurrently.
type log struct {
	mu      sync.Mutex // guards the rest
	line    []byte     // the one that is being written
	started bool       // k6 is past loading the script
	failure string     // the last error that was not a script's console.error
	request string     // why the last request that failed without a response did
	plain   string     // the first line that is none of k6's log: a crash begins so
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for rest := p; len(rest) > 0; {
		part, after, ends := bytes.Cut(rest, []byte{'\n'})
		l.line = append(l.line, part[:min(len(part), maxLine-len(l.line))]...)
		if ends {
			l.take()
		}
		rest = after
	}
	return len(p), nil
}

// take takes the line that has ended.
func (l *log) take() {
	line := bytes.TrimSpace(l.line)
	l.line = l.line[:0]
	if l.plain != "" && !bytes.Contains(line, []byte("level=")) {
		return
	}
	text := string(line)
	e := parseEntry(text)
	switch e.level {
	case "":
		if l.plain == "" {
			l.plain = text
		}
	case "debug":
		l.started = !e.loading()
	case "warning":
		if e.message == "Request Failed" {
			l.request = e.err
		}
	case "error", "fatal", "panic":
		if e.source != "console" {
			l.failure = e.message
		}
	}
}

// loading tells whether k6 may still be loading the script. k6 says nowhere that it hangs there, as it does on some
// syntax; but its debug log says what it is about to do, and loading is the first of it.
func (l *log) loading() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.started
}

// words are k6's own on why it failed, for people; "" if it has said nothing of the kind.
func (l *log) words() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.line) > 0 {
		l.take()
	}
	text := l.failure
	if text == "" {
		text = l.plain
	}
	text = strings.NewReplacer("could not initialize '-': ", "", "could not load JS test 'file:///-': ", "", "file:///-", "script").Replace(text)
	return strings.TrimRight(strings.Join(strings.Fields(text), " "), ".")
}

// lastRequest says why a request failed, without its method and URL; "" if none did without a response.
func (l *log) lastRequest() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, why, ok := strings.Cut(l.request, `": `); ok { // Get "http://example.org/": dial tcp: ...
		return why
	}
	return l.request
}

// entry is a line of k6's log: time="..." level=error msg="..." error="..." source=console.
type entry struct{ level, message, err, source string }

// parseEntry reads a line in logfmt. What is none has no level.
func parseEntry(line string) entry {
	var e entry
	for rest := line; rest != ""; {
		name, value, ok := strings.Cut(strings.TrimLeft(rest, " "), "=")
		if !ok || name == "" || strings.ContainsAny(name, " \"\t") {
			break
		}
		value, rest = cutValue(value)
		switch name {
		case "level":
			e.level = value
		case "msg":
			e.message = value
		case "error":
			e.err = value
		case "source":
			e.source = value
		}
	}
	return e
}

// cutValue cuts the value, quoted as Go does or up to a space, from the front of text. A quote that was cut off is taken as it is.
func cutValue(text string) (value, rest string) {
	if !strings.HasPrefix(text, `"`) {
		value, rest, _ = strings.Cut(text, " ")
		return value, rest
	}
	quoted, err := strconv.QuotedPrefix(text)
	if err != nil {
		return text[1:], ""
	}
	value, _ = strconv.Unquote(quoted) // never fails on a quoted prefix
	return value, text[len(quoted):]
}

// loading tells whether a line of the debug log stands before the end of k6's loading of the script (k6 v2.2, which
// was observed; the line "Initializing the runner" is of older ones). What is not known here is taken for later, so that
// no newer k6 is stopped for its words.
func (e entry) loading() bool {
	for _, before := range []string{"Logger format", "k6 version", "Resolving and reading test", "resolved to", "Gathering k6 runtime options", "Detecting test type", "Trying to load", "Initializing the runner", "Initializing k6 runner"} {
		if strings.Contains(e.message, before) {
			return true
		}
	}
	return false
}
