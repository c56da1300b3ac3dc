package plan_test

import (
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/nollagluiz/broadside/plan"
)

// Field reports 20, 25 and 27: what can be requested is taken as it is, and nothing else.
func TestParseURLTakes(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain", "http://example.org/", "http://example.org/"},
		{"no path", "https://example.org", "https://example.org"},
		{"upper-case scheme", "HTTPS://Example.org/A", "https://Example.org/A"},
		{"one label", "http://localhost:8080", "http://localhost:8080"},
		{"underscore", "http://my_service.local/", "http://my_service.local/"},
		{"root dot", "http://example.org./", "http://example.org./"},
		{"a number as a name", "http://081723015374/", "http://081723015374/"},
		{"IPv4", "http://127.0.0.1:1/", "http://127.0.0.1:1/"},
		{"IPv6", "http://[::1]:8080/x", "http://[::1]:8080/x"},
		{"IPv6 without port", "http://[2001:db8::1]", "http://[2001:db8::1]"},
		{"IPv4 in IPv6", "http://[::ffff:10.0.0.1]/", "http://[::ffff:10.0.0.1]/"},
		{"last port", "http://h:65535/", "http://h:65535/"},
		{"userinfo", "http://user:pass@h/", "http://user:pass@h/"},
		{"user alone", "http://user@h/", "http://user@h/"},
		{"@ in userinfo", "http://user:p@ss@h/", "http://user:p%40ss@h/"},
		{"@ in path and query", "http://h/a@b?c=d@e", "http://h/a@b?c=d@e"},
		{"international name", "http://bücher.example/", "http://b%C3%BCcher.example/"},
		{"unicode path", "http://h/größe", "http://h/gr%C3%B6%C3%9Fe"},
		{"unicode query", "http://h/?q=größe&x=<\">", "http://h/?q=gr%C3%B6%C3%9Fe&x=%3C%22%3E"},
		{"escaped space", "http://h/a%20b?c=d%20e+f", "http://h/a%20b?c=d%20e+f"},
		{"bad escape in a query", "http://h/?100%", "http://h/?100%"},
		{"semicolons", "http://h/a;b=c?d=1;e=2", "http://h/a;b=c?d=1;e=2"},
		{"fragment", "http://h/a#b", "http://h/a#b"},
		{"empty query", "http://h/?", "http://h/?"},
		{"a URL in a query", "http://h/?u=http://x:y@z/", "http://h/?u=http://x:y@z/"},
		{"as long as allowed", "http://h/" + strings.Repeat("a", plan.MaxURL-9), "http://h/" + strings.Repeat("a", plan.MaxURL-9)},
	} {
		t.Run(c.name, func(t *testing.T) {
			u, err := plan.ParseURL(c.in)
			if err != nil {
				t.Fatal(err)
			}
			if got := u.String(); got != c.want {
				t.Errorf("%q is read as %q; want %q", c.in, got, c.want)
			}
		})
	}
}

func TestParseURLRefuses(t *testing.T) {
	for _, c := range []struct{ name, in, why string }{
		{"nothing", "", "a URL is needed"},
		{"blank", " \t\n", "a URL is needed"},
		{"a word", "example.org", "needs a scheme"},
		{"a path", "/index.html", "needs a scheme"},
		{"no scheme", "//example.org/", "needs a scheme"},
		{"host and port", "localhost:8080", "needs a scheme"},
		{"address and port", "127.0.0.1:8080/x", "needs a scheme"},
		{"a URL behind a path", "example.org/?u=http://x", "needs a scheme"},
		{"no slashes", "http:example.org", "needs a scheme"},
		{"one slash", "http:/example.org", "needs a scheme"},
		{"backslashes", `http:\\example.org`, "needs a scheme"},
		{"ftp", "ftp://example.org/", "must begin with http"},
		{"file", "file:///etc/passwd", "must begin with http"},
		{"websocket", "wss://example.org/", "must begin with http"},
		{"javascript", "javascript:alert(1)", "needs a scheme"},
		{"byte order mark", "\ufeffhttp://example.org", "must begin with http"},
		{"scheme alone", "http://", "needs a host"},
		{"no host, a path", "http:///path", "needs a host"},
		{"no host, a query", "https://?q", "needs a host"},
		{"no host, a port", "http://:80/", "needs a host"},
		{"no host, a user", "http://user:pass@/", "needs a host"},
		{"port 0", "http://h:0/", "port must be 1 to 65535"},
		{"port 65536", "http://h:65536/", "port must be 1 to 65535"},
		{"a port of 30 digits", "http://h:" + strings.Repeat("9", 30), "port must be 1 to 65535"},
		{"negative port", "http://h:-1/", "is no URL"},
		{"a word as port", "http://h:http/", "is no URL"},
		{"empty port", "http://h:/", "has an empty port"},
		{"two ports", "http://h:1:2/", "is no URL"},
		{"IPv6 without brackets", "http://::1/", "is no URL"},
		{"IPv6 with a zone", "http://[fe80::1%25eth0]/", "zone"},
		{"IPv4 in brackets", "http://[127.0.0.1]/", "is no URL"},
		{"a name in brackets", "http://[example.org]/", "is no URL"},
		{"half a bracket", "http://[::1/", "is no URL"},
		{"three numbers", "http://1.2.3/", "no IPv4 address"},
		{"too large a number", "http://256.1.1.1/", "no IPv4 address"},
		{"space in host", "http://exam ple.org/", "byte 11"},
		{"escaped space in host", "http://exam%20ple.org/", "is no URL"},
		{"space before", " http://h/", "byte 0"},
		{"space after", "http://h/ ", "byte 9"},
		{"space in query", "http://h/?a b", "byte 11; write a space as %20"},
		{"tab", "http://h/\t", "byte 9"},
		{"new line", "http://h/\r\nHost: x", "byte 9"},
		{"NUL", "http://h/\x00", "byte 9"},
		{"DEL", "http://h/\x7f", "byte 9"},
		{"no UTF-8", "http://h/\xff", "UTF-8"},
		{"bad escape", "http://h/100%/x", "byte 12 that begins no escape"},
		{"half an escape", "http://h/%4", "byte 9 that begins no escape"},
		{"bad escape in userinfo", "http://u:p%@h/", "byte 10 that begins no escape"},
		{"a no-break space in the host", "http://a\u00a0b/", "no name or address"},
		{"a zero-width space in the host", "http://a\u200bb/", "no name or address"},
		{"a direction override in the host", "http://a\u202eb/", "no name or address"},
		{"a star", "http://*.example.org/", "no name or address"},
		{"a backslash in the host", `http://h\@example.org/`, "is no URL"},
		{"empty part of a name", "http://a..b/", "1 to 63 characters"},
		{"a dot", "http://./", "1 to 63 characters"},
		{"long part of a name", "http://" + strings.Repeat("a", 64) + ".org/", "1 to 63 characters"},
		{"long name", "http://" + strings.Repeat("a.", 127) + "org/", "at most 253"},
		{"5 KB", "http://h/" + strings.Repeat("a", 5000), "at most 4096 bytes, not 5009"},
		{"a byte too long", "http://h/" + strings.Repeat("a", plan.MaxURL-8), "at most 4096"},
	} {
		t.Run(c.name, func(t *testing.T) {
			u, err := plan.ParseURL(c.in)
			if err == nil {
				t.Fatalf("%q was taken as %q", c.in, u)
			}
			if !strings.Contains(err.Error(), c.why) {
				t.Errorf("error %q; want one that says %q", err, c.why)
			}
		})
	}
}

// Field report 22: whatever is wrong with a URL, its error repeats no credential, wherever a person put one.
func TestParseURLKeepsSecrets(t *testing.T) {
	const secret = "hunter2"
	for _, in := range []string{
		"ftp://user:" + secret + "@h/",
		secret + "://h/",
		secret + ":x@h/",
		"user:" + secret + "@h",
		"http://user:" + secret + "@",
		"http://user:" + secret + "@h:0/",
		"http://user:" + secret + "%zz@h/",
		"http://user:" + secret + "/x@h/",
		"http://user:^" + secret + "/@h/",
		"http://" + secret + "^x/@h/",
		"http://" + secret + "..x/",
		"http://h:" + secret + "/",
		"http://[" + secret + "]/",
		"http://h/?token=" + secret + " x",
		"http://h/%zz?token=" + secret,
		secret + strings.Repeat("x", plan.MaxURL),
	} {
		if _, err := plan.ParseURL(in); err == nil {
			t.Errorf("%q was taken", in)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("the error of %q is %q", in, err)
		}
	}
}

// FuzzParseURL: what is taken has a scheme, a host and a port that can be dialled, and can be written out and read again.
func FuzzParseURL(f *testing.F) {
	for _, s := range []string{"http://example.org/", "https://u:p@[::1]:8080/a;b?c=d#e", "http://bücher.example/ä?ö", "http://h/%zz", "localhost:8080", "http://1.2.3/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := plan.ParseURL(text)
		if err != nil {
			if len(err.Error()) > 200 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || strings.ContainsAny(u.Hostname(), " /@%") {
			t.Errorf("%q was taken as scheme %q, host %q", text, u.Scheme, u.Host)
		}
		for _, c := range u.RequestURI() {
			if c <= ' ' || c >= utf8.RuneSelf {
				t.Errorf("%q is requested as %q", text, u.RequestURI())
				break
			}
		}
		again, err := url.Parse(u.String())
		if err != nil {
			t.Fatalf("%q is written as %q, which can't be read: %v", text, u, err)
		}
		if again.Host != u.Host || again.RequestURI() != u.RequestURI() {
			t.Errorf("%q is written as %q, which asks %q for %q", text, u, again.Host, again.RequestURI())
		}
	})
}
