package http1

import (
	"bytes"
	"strconv"
	"strings"
)

// State is what a Feed came to.
type State uint8

// The states. After Head and Body, Feed wants b[n:] at once; after More, b[n:] and what follows it.
const (
	More State = iota
	Head       // the head ended with b[:n]; Status and Close are known
	Body       // a piece of the body came
	Done       // the last byte was consumed; b[n:] are bytes that no request asked for
	Odd        // from b[n:] on it is for net/http to read: see Resume
)

// Bounds of what the parser takes, in bytes; what is longer is odd.
const (
	maxHead      = 64 << 10
	maxChunkLine = 256
	maxExcess    = 1 << 10 // chunk lines beyond 16 bytes a chunk and two a byte of data: how net/http counts them
)

// Parser reads one response, as its bytes come, without I/O, memory or a copy of them: it holds no pointer, so a virtual
// user's state is as small as this struct. It takes the strict subset of HTTP/1.1 that servers speak day by day, in which
// it and net/http agree to the byte, and calls everything else odd. Reset begins a response.
type Parser struct {
	Status int  // of the status line, 200 to 599
	Close  bool // the server will close the connection

	stage      stage
	bodiless   bool // it answers a HEAD
	chunked    bool
	lengths    bool // a Content-Length came
	connection bool // likewise
	trailer    bool // likewise
	ended      bool // a chunk's data ended: its CRLF comes before the next chunk's line
	line       int  // where the head's current line begins
	left       int64
	excess     int64
}

type stage uint8

const (
	inHead   stage = iota
	inBody         // left bytes of it to come, or of a chunk if chunked
	inChunks       // before a chunk's line
	atEnd
)

// Reset makes the parser ready for the response to a request; head tells whether that was a HEAD.
func (p *Parser) Reset(head bool) { *p = Parser{bodiless: head} }

// Feed reads on: it consumes b[:n], never a part of a head or of a chunk's line, and gives the piece of the body in it.
func (p *Parser) Feed(b []byte) (n int, body []byte, s State) {
	if p.stage == inHead {
		if s = p.head(b); s == Head {
			n = p.line
		}
		return n, nil, s
	}
	if p.stage == inChunks {
		if n, s = p.chunkLine(b); s != Body {
			return n, nil, s
		}
	}
	if p.stage == inBody {
		k := n + int(min(int64(len(b)-n), p.left))
		p.left -= int64(k - n)
		if p.left == 0 {
			p.stage = atEnd
			if p.chunked {
				p.stage, p.ended = inChunks, true
			}
		}
		if k > n {
			return k, b[n:k], Body
		}
		if p.left > 0 {
			return n, nil, More
		}
	}
	return n, nil, Done
}

// InHead tells whether the head is still to come, whole.
func (p *Parser) InHead() bool { return p.stage == inHead }

// Resume is the beginning of a response that brings net/http's reader to where the parser stands: it goes before the
// bytes not consumed. It is empty while the head is to come, as then all bytes are there to be read again.
func (p *Parser) Resume() string {
	const (
		head    = "HTTP/1.1 200 OK\r\n"
		chunked = "Transfer-Encoding: chunked\r\n\r\n"
	)
	switch {
	case p.stage == inHead:
		return ""
	case !p.chunked:
		return head + "Content-Length: " + strconv.FormatInt(p.left, 10) + "\r\n\r\n"
	case p.stage == inBody:
		return head + chunked + strconv.FormatInt(p.left+1, 16) + "\r\nX"
	case p.ended:
		// The extension gives net/http's reader the parser's excess.
		return head + chunked + "1;" + strings.Repeat("x", int(p.excess)+14) + "\r\nX"
	}
	return head + chunked
}

// head reads the lines of the head that are whole.
func (p *Parser) head(b []byte) State {
	for {
		i := bytes.IndexByte(b[p.line:], '\n')
		if i < 0 {
			if len(b) >= maxHead {
				return Odd
			}
			return More
		}
		if i == 0 || b[p.line+i-1] != '\r' || p.line+i >= maxHead {
			return Odd
		}
		line := b[p.line : p.line+i-1]
		ok := false
		switch {
		case p.line == 0:
			ok = p.statusLine(line)
		case len(line) == 0:
			ok = p.endHead()
		default:
			ok = p.field(line)
		}
		if !ok {
			return Odd
		}
		p.line += i + 1
		if len(line) == 0 {
			return Head
		}
	}
}

// statusLine reads "HTTP/1.1 200 OK": RFC 9112 section 4, statuses 200 to 599, a space before the reason.
func (p *Parser) statusLine(line []byte) bool {
	const version = "HTTP/1.1 "
	if len(line) < len(version)+4 || string(line[:len(version)]) != version || line[len(version)+3] != ' ' {
		return false
	}
	for _, c := range line[len(version) : len(version)+3] {
		if c < '0' || c > '9' {
			return false
		}
		p.Status = 10*p.Status + int(c-'0')
	}
	return p.Status >= 200 && p.Status <= 599
}

// field reads "Name: value": RFC 9112 section 5, without obs-fold.
func (p *Parser) field(line []byte) bool {
	name, value, ok := splitField(line)
	if !ok || !validValue(value) {
		return false
	}
	switch len(name) {
	case len("trailer"):
		p.trailer = p.trailer || is(name, "trailer")
	case len("connection"):
		if is(name, "connection") {
			ok = !p.connection && (is(value, "close") || is(value, "keep-alive"))
			p.connection, p.Close = true, is(value, "close")
		}
	case len("content-length"):
		if is(name, "content-length") {
			ok = !p.lengths && p.length(value)
			p.lengths = true
		}
	case len("transfer-encoding"):
		if is(name, "transfer-encoding") {
			ok = !p.chunked && is(value, "chunked")
			p.chunked = true
		}
	}
	return ok
}

// length reads a Content-Length of 1 to 18 digits.
func (p *Parser) length(value []byte) bool {
	for _, c := range value {
		if c < '0' || c > '9' {
			return false
		}
		p.left = 10*p.left + int64(c-'0')
	}
	return len(value) >= 1 && len(value) <= 18
}

// endHead settles how the body goes: RFC 9112 section 6.3.
func (p *Parser) endHead() bool {
	switch {
	case p.chunked && (p.lengths || p.trailer):
		return false
	case p.bodiless, p.Status == 204, p.Status == 304:
		p.stage, p.left, p.chunked = inBody, 0, false
	case p.chunked:
		p.stage = inChunks
	case p.lengths:
		p.stage = inBody
	default:
		return false // it goes until the connection ends
	}
	return true
}

// chunkLine reads a chunk's line, "1*HEX [;extension]", with the CRLF of the chunk before it and, if it is the last,
// the CRLF after it: RFC 9112 section 7.1, without trailers. Body says that data follow.
func (p *Parser) chunkLine(b []byte) (n int, s State) {
	begin := 0
	if p.ended {
		if len(b) < 2 {
			return 0, More
		}
		if b[0] != '\r' || b[1] != '\n' {
			return 0, Odd
		}
		begin = 2
	}
	i := bytes.IndexByte(b[begin:], '\n')
	switch {
	case i < 0 && len(b) > maxChunkLine, i >= maxChunkLine:
		return 0, Odd
	case i < 0:
		return 0, More
	case i == 0 || bytes.IndexByte(b[begin:begin+i], '\r') != i-1:
		return 0, Odd
	}
	size, ok := chunkSize(b[begin : begin+i-1])
	if !ok {
		return 0, Odd
	}
	excess := max(0, p.excess+int64(i+1)-16-2*size) // of the line, as net/http: without its CRLF, with the data's
	if excess > maxExcess {
		return 0, Odd
	}
	n = begin + i + 1
	if size == 0 {
		if len(b) < n+2 {
			return 0, More
		}
		if b[n] != '\r' || b[n+1] != '\n' {
			return 0, Odd // a trailer
		}
		p.stage = atEnd
		return n + 2, Done
	}
	p.stage, p.left, p.excess, p.ended = inBody, size, excess, false
	return n, Body
}

func chunkSize(line []byte) (size int64, ok bool) {
	digits, _, _ := bytes.Cut(line, []byte{';'})
	if len(digits) < 1 || len(digits) > 15 {
		return 0, false
	}
	for _, c := range digits {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		size = size<<4 | int64(c)
	}
	return size, true
}
