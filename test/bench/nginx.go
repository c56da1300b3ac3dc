package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// nginxConfig answers 128 bytes from memory and writes nothing. Both ends of a TLS contest use one cipher, since
// OpenSSL and crypto/tls prefer different ones.
const nginxConfig = `
daemon off;
master_process off;
pid nginx.pid;
error_log stderr crit;
worker_rlimit_nofile 20000;
events { worker_connections 12000; }
http {
	access_log off;
	keepalive_requests 1000000000;
	client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
	default_type text/plain;
	ssl_certificate cert.pem; ssl_certificate_key key.pem;
	ssl_protocols TLSv1.3;
	ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
	server {
		listen %s backlog=4096;
		listen %s ssl backlog=4096;
		return 200 "%s";
	}
}
`

// server is an nginx of our own on the server's core.
type server struct {
	plain, tls string // URLs
	dir        string
	cmd        *exec.Cmd
}

func startServer(ctx context.Context) (*server, error) {
	dir, err := os.MkdirTemp("", "broadside-bench-")
	if err != nil {
		return nil, err
	}
	s := &server{dir: dir}
	if err := s.start(ctx); err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("nginx: %w", err)
	}
	return s, nil
}

func (s *server) start(ctx context.Context) error {
	plain, err := freeAddress()
	if err != nil {
		return err
	}
	secure, err := freeAddress()
	if err != nil {
		return err
	}
	s.plain, s.tls = "http://"+plain+"/", "https://"+secure+"/"
	if err := writeCertificate(s.dir); err != nil {
		return err
	}
	config := fmt.Sprintf(nginxConfig, plain, secure, strings.Repeat("x", 128))
	if err := os.WriteFile(filepath.Join(s.dir, "nginx.conf"), []byte(config), 0o600); err != nil {
		return err
	}
	if s.cmd, err = pinned(ctx, serverCore, "nginx", "-p", s.dir, "-c", "nginx.conf", "-e", "stderr"); err != nil {
		return err
	}
	s.cmd.Stderr = os.Stderr
	if err := s.cmd.Start(); err != nil {
		return err
	}
	for range 100 {
		if c, err := net.Dial("tcp", secure); err == nil {
			return c.Close()
		}
		if err := wait(ctx, 20*time.Millisecond); err != nil {
			break
		}
	}
	end(s.cmd, syscall.SIGTERM)
	return fmt.Errorf("does not listen on %s", secure)
}

func (s *server) stop() {
	end(s.cmd, syscall.SIGTERM)
	os.RemoveAll(s.dir)
}

// freeAddress is one on which nobody listens now.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// writeCertificate writes cert.pem and key.pem for 127.0.0.1.
func writeCertificate(dir string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	for name, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: cert},
		"key.pem":  {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			return err
		}
	}
	return nil
}
