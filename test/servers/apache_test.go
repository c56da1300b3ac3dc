//go:build integration && linux

package servers

import (
	"bytes"
	"fmt"
	"net/http"
	"os/user"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nollagluiz/broadside/plan"
)

// apacheConfig logs no bytes received: %I of httpd 2.4 is a few hundred above what was sent, now and then.
const apacheConfig = `
ServerRoot %[1]s
ServerName 127.0.0.1
PidFile apache.pid
DefaultRuntimeDir .
Mutex pthread
ErrorLog /dev/stderr
LogLevel warn
LoadModule mpm_event_module %[2]s/mod_mpm_event.so
LoadModule authz_core_module %[2]s/mod_authz_core.so
LoadModule alias_module %[2]s/mod_alias.so
LoadModule mime_module %[2]s/mod_mime.so
LoadModule filter_module %[2]s/mod_filter.so
LoadModule deflate_module %[2]s/mod_deflate.so
LoadModule include_module %[2]s/mod_include.so
LoadModule socache_shmcb_module %[2]s/mod_socache_shmcb.so
LoadModule ssl_module %[2]s/mod_ssl.so
LoadModule http2_module %[2]s/mod_http2.so
User %[3]s
ThreadsPerChild 16
ServerLimit 1
MaxRequestWorkers 16
KeepAlive On
KeepAliveTimeout 5
MaxKeepAliveRequests 0
TypesConfig /dev/null
AddType text/plain .txt
AddType text/html .shtml
AddOutputFilter INCLUDES .shtml
LogFormat "run=%%{User-Agent}i %%>s %%O - %%{remote}p" run
CustomLog access.log run
DocumentRoot %[1]s/docs
<Directory %[1]s/docs>
	Options +Includes
</Directory>
<Location /zipped>
	SetOutputFilter DEFLATE
</Location>
Alias /zipped %[1]s/docs
Redirect 302 /redirect /page.txt
Redirect 503 /broken
SSLCertificateFile cert.pem
SSLCertificateKeyFile key.pem
Listen %[4]s
Listen %[5]s
Listen %[6]s
Listen %[7]s
Listen %[8]s
<VirtualHost %[4]s>
</VirtualHost>
<VirtualHost %[5]s>
	MaxKeepAliveRequests 7
</VirtualHost>
<VirtualHost %[6]s>
	KeepAliveTimeout 3ms
</VirtualHost>
<VirtualHost %[7]s>
	SSLEngine on
</VirtualHost>
<VirtualHost %[8]s>
	SSLEngine on
	Protocols h2
</VirtualHost>
`

// apacheModules is where Debian's apache2-bin keeps them.
const apacheModules = "/usr/lib/apache2/modules"

func apache() product {
	gzip := http.Header{"Accept-Encoding": {"gzip"}}
	return product{
		name: "httpd",
		program: program{
			command: "apache2",
			pkg:     "apache2-bin",
			clear:   []string{"clear", "limited", "idle"},
			secure:  []string{"tls", "h2"},
			args: func(t *testing.T, dir string, at map[string]string) []string {
				nobody := "nobody" // counts only if root starts the server
				if _, err := user.Lookup(nobody); err != nil {
					t.Fatal(err)
				}
				writeCertificate(t, dir)
				page := strings.Repeat("A line of a page that is worth to be compressed.\n", 400)
				write(t, dir, "docs/page.txt", page)
				write(t, dir, "docs/page.shtml", page)
				write(t, dir, "apache.conf", fmt.Sprintf(apacheConfig, dir, apacheModules, nobody, at["clear"], at["limited"], at["idle"], at["tls"], at["h2"]))
				return []string{"-f", dir + "/apache.conf", "-DFOREGROUND"}
			},
			log:   "access.log",
			parse: parseEntry,
			quit:  syscall.SIGWINCH,
		},
		loads: []load{
			{name: "sustained", base: "clear", request: plan.Request{URL: "/page.txt"}, seconds: 1, exact: true},
			{name: "page", base: "clear", request: plan.Request{URL: "/page.txt"}, exact: true},
			{name: "gzip", base: "clear", request: plan.Request{URL: "/zipped/page.txt", Header: gzip}, exact: true},
			{name: "chunked", base: "clear", request: plan.Request{URL: "/page.shtml"}, exact: true},
			{name: "post", base: "clear", request: plan.Request{URL: "/page.shtml", Method: http.MethodPost, Body: bytes.Repeat([]byte("body"), 3000)}, exact: true},
			{name: "redirects", base: "clear", request: plan.Request{URL: "/redirect"}, hops: 2, exact: true},
			{name: "broken", base: "clear", request: plan.Request{URL: "/broken"}, fails: true, limit: 1, exact: true},
			// httpd keeps a connection for MaxKeepAliveRequests after its first one.
			{name: "limited", base: "limited", request: plan.Request{URL: "/page.txt"}, limit: 8, exact: true},
			{name: "idle", base: "idle", request: plan.Request{URL: "/page.txt"}, pause: 3 * time.Millisecond, idle: true, exact: true},
			{name: "tls", base: "tls", request: plan.Request{URL: "/page.txt"}},
			{name: "h2", base: "h2", request: plan.Request{URL: "/zipped/page.txt", Header: gzip}, http2: true},
		},
	}
}
