// Package http1 speaks HTTP/1.1 for load: requests are bytes made once, and the responses that servers give day by day
// are read by a strict parser that allocates nothing (Parser). What lies outside its subset is read by net/http, the bytes
// and the connection, for that response: so the result is net/http's, which is k6's, whatever comes.
//
// Parser does no I/O and holds no pointer; it serves any host.
package http1
