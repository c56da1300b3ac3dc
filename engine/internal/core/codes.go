package core

// Error codes of an Exchange, by k6's numbers (k6 v2.2, its documentation of "Error codes"); those marked ours lie in
// gaps of its table. summary.CodeGenerator is one more of ours.
const (
	CodeGeneric          = 1000 // end of file, a cut body, no HTTP
	CodeNonTCP           = 1010
	CodeInvalidURL       = 1020 // a redirect that leads to no http or https URL
	CodeRedirectLoop     = 1030 // ours: more redirects than allowed; k6 calls that a success
	CodeTimeout          = 1050 // the request's own time-out
	CodeInterrupted      = 1060 // ours: cut by the hard stop or an abort; k6 drops such a request
	CodeDNS              = 1100
	CodeNoSuchHost       = 1101
	CodeDenied           = 1110 // an address on the deny-list
	CodeBlocked          = 1111 // a name that the plan blocks
	CodeTCP              = 1200
	CodeBrokenPipe       = 1201
	CodeTCPErrno         = 1202 // another error of the operating system
	CodeDial             = 1210
	CodeDialTimeout      = 1211
	CodeRefused          = 1212
	CodeDialErrno        = 1213
	CodeReset            = 1220
	CodeTLS              = 1300
	CodeTLSHeader        = 1301 // what came is no TLS
	CodeUnknownAuthority = 1310
	CodeHostname         = 1311 // the certificate is for another name
	CodeStatus           = 1000 // + status, of an unexpected status >= 400
	CodeHTTP2GoAway      = 1610 // unknown; 1611 + n by the code of RFC 9113 section 7
	CodeHTTP2Stream      = 1630 // likewise
	CodeHTTP2Connection  = 1650 // likewise
)
