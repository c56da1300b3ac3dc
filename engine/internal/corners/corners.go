// Package corners holds what servers may answer at the edges of HTTP/1.1, for the tests that hold transports to one
// another.
package corners

import "strings"

// Corner is an answer of a server that closes after it, and what comes of it: a status, or 0 and an error.
type Corner struct {
	Name   string
	Answer string
	Status int
	Odd    bool // outside the subset of http1's parser
}

// All are the answers of research on how clients differ (fast clients reuse a connection whose end they lost), of the
// field reports, and of reading net/http.
func All() []Corner {
	const (
		ok      = "HTTP/1.1 200 OK\r\n"
		chunked = ok + "Transfer-Encoding: chunked\r\n\r\n"
	)
	long := strings.Repeat("y", 1000)
	return []Corner{
		{"content length", ok + "Content-Length: 2\r\n\r\nhi", 200, false},
		{"no body", ok + "Content-Length: 0\r\n\r\n", 200, false},
		{"names in any case", ok + "cOnTent-LENGTH: 2\r\nCONNECTION: Keep-Alive\r\n\r\nhi", 200, false},
		{"blanks around a value", ok + "Content-Length: \t 2 \t\r\nX:\r\nY: \t\r\n\r\nhi", 200, false},
		{"to close", ok + "Connection: close\r\nContent-Length: 2\r\n\r\nhi", 200, false},
		{"bytes beyond ASCII in a value", ok + "Content-Length: 0\r\nX: \xff\x80 \t~\r\n\r\n", 200, false},
		{"chunks", chunked + "2\r\nhi\r\n003\r\n\r\n!\r\n0\r\n\r\n", 200, false},
		{"chunks in capitals", chunked + "A\r\n0123456789\r\n0\r\n\r\n", 200, false},
		{"chunk extension", chunked + "2;a=\"b\"\r\nhi\r\n0;z\r\n\r\n", 200, false},
		{"an announced chunk of nothing", chunked + "0\r\n\r\n", 200, false},
		{"204", "HTTP/1.1 204 No Content\r\n\r\n", 204, false},
		{"204 with a length", "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", 204, false},
		{"304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304, false},
		{"304 in chunks", "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", 304, false},
		{"503", "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", 503, false},
		{"a reason of nothing", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", 200, false},
		{"a reason that lies", "HTTP/1.1 200 Not \x01Found\r\nContent-Length: 0\r\n\r\n", 200, false},
		{"more than it says", ok + "Content-Length: 2\r\n\r\nhi, and more", 200, false},
		{"a response too many", ok + "Content-Length: 2\r\n\r\nhi" + ok + "Content-Length: 2\r\n\r\nho", 200, false},
		{"gzip that is none", ok + "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nhi", 200, false},
		{"a head of 60 KB", ok + strings.Repeat("X: "+long+"\r\n", 60) + "Content-Length: 2\r\n\r\nhi", 200, false},
		{"a body of 200 KB", ok + "Content-Length: 200000\r\n\r\n" + strings.Repeat(long, 200), 200, false},
		{"many small chunks", chunked + strings.Repeat("1\r\nx\r\n", 3000) + "0\r\n\r\n", 200, false},
		{"a trailer without chunks", ok + "Trailer: X\r\nContent-Length: 2\r\n\r\nhi", 200, false},
		{"a redirect", "HTTP/1.1 302 Found\r\nset-cookie: a=1\r\nLocation:  /next \r\nSet-Cookie: b=2\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n", 302, false},
		{"a redirect to nothing", "HTTP/1.1 302 Found\r\nLocation:\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n", 302, false},

		{"a trailer", chunked + "2\r\nhi\r\n0\r\nX: 1\r\n\r\n", 200, true},
		{"an announced trailer", ok + "Trailer: X\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nhi\r\n0\r\nX: 1\r\n\r\n", 200, true},
		{"a forbidden trailer", ok + "Trailer: Content-Length\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, true},
		{"a trailer of 5 KB", chunked + "0\r\n" + strings.Repeat("X: "+long+"\r\n", 5) + "\r\n", 0, true},
		{"blanks after a chunk's size", chunked + "2 \t\r\nhi\r\n0\r\n\r\n", 200, true},
		{"extensions of 3 KB", chunked + "2;" + long + long + long + "\r\nhi\r\n0\r\n\r\n", 200, true},
		{"extensions of 5 KB", chunked + "2;" + strings.Repeat(long, 5) + "\r\nhi\r\n0\r\n\r\n", 0, true},
		{"little but extensions", chunked + strings.Repeat("1;"+long[:200]+"\r\nx\r\n", 200) + "0\r\n\r\n", 0, true},
		{"many extensions", chunked + strings.Repeat("1;"+long[:200]+"\r\nx\r\n", 80) + "0\r\n\r\n", 200, true},
		{"until the end of the connection", ok + "\r\nhi", 200, true},
		{"200 KB until the end of the connection", ok + "\r\n" + strings.Repeat(long, 200), 200, true},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nhi", 200, true},
		{"HTTP/1.0 that keeps alive", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi", 200, true},
		{"HTTP/2.0", "HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200, true},
		{"bare line feeds", "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", 200, true},
		{"one bare line feed", ok + "Content-Length: 2\n\r\nhi", 200, true},
		{"no reason", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 200, true},
		{"two spaces", "HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n", 200, true},
		{"status 999", "HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n", 999, true},
		{"folded", ok + "X: a\r\n b\r\nContent-Length: 2\r\n\r\nhi", 200, true},
		{"a folded length", ok + "Content-Length:\r\n 2\r\n\r\nhi", 200, true},
		{"a space before the colon", ok + "Content-Length : 2\r\n\r\nhi", 200, true},
		{"the same length twice", ok + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi", 200, true},
		{"a length and chunks", ok + "Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 200, true},
		{"another word in Connection", ok + "Connection: foo, close\r\nContent-Length: 2\r\n\r\nhi", 200, true},
		{"Connection twice", ok + "Connection: foo\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", 200, true},
		{"Connection to close, then to keep", ok + "Connection: close\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi", 200, true},
		{"a trailer, to close", ok + "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX: 1\r\n\r\n", 200, true},
		{"a chunk's size in 16 digits", chunked + "0000000000000002\r\nhi\r\n0\r\n\r\n", 200, true},
		{"a chunk's size in 17 digits", chunked + "00000000000000002\r\nhi\r\n0\r\n\r\n", 0, true},
		{"100 before it", "HTTP/1.1 100 Continue\r\n\r\n" + ok + "Content-Length: 2\r\n\r\nhi", 200, true},
		{"100 and 103 before it", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + ok + "Content-Length: 2\r\n\r\nhi", 200, true},
		{"a head of 100 KB", ok + strings.Repeat("X: "+long+"\r\n", 100) + "Content-Length: 2\r\n\r\nhi", 200, true},

		{"short body", ok + "Content-Length: 20\r\n\r\nhi", 0, false},
		{"cut chunk", chunked + "9\r\nhi", 0, false},
		{"cut after a chunk", chunked + "2\r\nhi", 0, false},
		{"cut in a chunk's line", chunked + "2\r\nhi\r\n1", 0, false},
		{"chunks without end", chunked + "2\r\nhi\r\n", 0, false},
		{"cut after the last chunk", chunked + "2\r\nhi\r\n0\r\n", 0, false},
		{"cut in the end of chunks", chunked + "2\r\nhi\r\n0\r\n\r", 0, false},
		{"cut head", ok + "Content-Length: 2\r\n", 0, false},
		{"cut in the first line", "HTTP/1.1 2", 0, false},
		{"bad chunk size", chunked + "zz\r\nhi\r\n", 0, true},
		{"no chunk size", chunked + "\r\nhi\r\n", 0, true},
		{"a chunk of 2^64", chunked + "10000000000000000\r\nhi\r\n", 0, true},
		{"a chunk's line with a bare line feed", chunked + "2\nhi\r\n0\r\n\r\n", 0, true},
		{"a chunk's line of a bare line feed", chunked + "\n", 0, true},
		{"a chunk's line with a carriage return", chunked + "2;\ra\r\nhi\r\n0\r\n\r\n", 0, true},
		{"a chunk longer than it says", chunked + "2\r\nhi!\r\n0\r\n\r\n", 0, true},
		{"no HTTP", "SSH-2.0-s3cret\r\n", 0, true},
		{"bad status", "HTTP/1.1 2x0 OK s3cret\r\n\r\n", 0, true},
		{"a status below 100", "HTTP/1.1 099 s3cret\r\nContent-Length: 0\r\n\r\n", 0, true},
		{"a status of zero", "HTTP/1.1 000 s3cret\r\nContent-Length: 0\r\n\r\n", 0, true},
		{"a protocol not asked for", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", 0, true},
		{"bad header", ok + "no colon s3cret\r\n\r\n", 0, true},
		{"no name", ok + ": s3cret\r\n\r\n", 0, true},
		{"a control character in a value", ok + "X: s3\x01cret\r\nContent-Length: 0\r\n\r\n", 0, true},
		{"a DEL in a value", ok + "X: aaaaaaaa\x7fs3cretbbbbbbb\r\nContent-Length: 0\r\n\r\n", 0, true},
		{"a carriage return in a value", ok + "X: s3\rcret\r\nContent-Length: 0\r\n\r\n", 0, true},
		{"two lengths", ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nhi", 0, true},
		{"a signed length", ok + "Content-Length: +2\r\n\r\nhi", 0, true},
		{"a negative length", ok + "Content-Length: -1\r\n\r\nhi", 0, true},
		{"an empty length", ok + "Content-Length:\r\n\r\nhi", 0, true},
		{"a length of 2^64", ok + "Content-Length: 18446744073709551616\r\n\r\nhi", 0, true},
		{"another encoding", ok + "Transfer-Encoding: gzip\r\n\r\nhi", 0, true},
		{"two encodings", ok + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 0, true},
		{"an endless head", ok + strings.Repeat("X: "+long+"\r\n", 200) + "\r\n", 0, true},
		{"an endless line", ok + "X: " + strings.Repeat(long, 200) + "\r\n\r\n", 0, true},
		{"endless hints", strings.Repeat("HTTP/1.1 103 Early Hints\r\nX: "+long+"\r\n\r\n", 200) + ok + "Content-Length: 0\r\n\r\n", 0, true},
	}
}
