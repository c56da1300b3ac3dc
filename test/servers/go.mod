module github.com/nollagluiz/broadside/test/servers

go 1.26.0

require github.com/nollagluiz/broadside v0.0.0

require (
	github.com/mccutchen/go-httpbin/v2 v2.26.0 // indirect
	golang.org/x/sys v0.50.0 // indirect
)

replace github.com/nollagluiz/broadside => ../..

tool github.com/mccutchen/go-httpbin/v2/cmd/go-httpbin
