// Package http1 speaks HTTP/1.1 for load: requests are bytes made once, and the responses that servers give day by day
// are read by a strict parser that allocates nothing. What lies outside is carried by net/http, so that the result is
// net/http's, which is k6's, whatever comes. Two parts serve any host: NewWire and Parser do no I/O and never block, and
// a Parser holds no pointer. A Transport is their use over blocking connections: a goroutine per virtual user,
// connections kept between its iterations, no allocation, timer or context for a request.
//
// Which feature works where, and how it is told that it does not work here:
//
//	feature                                              | this package  | read by net/http, on   | carried by the
//	                                                     |               | the same connection    | other transport
//	-----------------------------------------------------+---------------+------------------------+---------------------
//	HTTP/1.1, plain and TLS, keep-alive                  | yes           |                        |
//	any method, headers, bodies of up to 16 KiB          | yes           |                        |
//	larger bodies, Expect (write while reading)          |               |                        | yes, by the request
//	CONNECT, what net/http refuses                       |               |                        | yes, by the request
//	host names beyond ASCII                              |               |                        | yes, by the request
//	HTTP/2 by ALPN                                       | handshake     |                        | yes, by the handshake
//	HTTP/2 by prior knowledge, or demanded               |               |                        | yes, by the request
//	responses: 200 to 599, Content-Length, chunks        | yes           |                        |
//	HEAD, 204, 304, redirects with cookies               | yes           |                        |
//	1xx before it, 6xx to 9xx, HTTP/1.0                  |               | yes                    |
//	until the end of the connection, trailers, bare LF,  |               |                        |
//	obs-fold, odd framing, other words in Connection     |               | yes                    |
//	heads of up to 64 KB, and of up to 128 KB            | yes           | yes                    |
//	broken responses: cut, or no HTTP                    |               | yes, for its error     |
//	a reused connection closed under a request           | sent again    |                        |
//	bytes that no request asked for                      | closed, noted | closed, noted          | closed
//	redirect hops, cookies, inflating                    | no: the Flow's, or no one's            |
//	proxies                                              | none carries them yet
//
// A Transport's phases and errors are defined in package std; tests hold the two together.
package http1
