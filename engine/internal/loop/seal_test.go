//go:build linux

package loop

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// keyLog is a tls.Config's KeyLogWriter: lines of a label, the client's random and a secret, in hex.
type keyLog struct{ strings.Builder }

func (k *keyLog) find(t testing.TB, label string) (random, secret []byte) {
	t.Helper()
	for line := range strings.Lines(k.String()) {
		if f := strings.Fields(line); f[0] == label {
			random, err := hex.DecodeString(f[1])
			require.NoError(t, err)
			secret, err := hex.DecodeString(f[2])
			require.NoError(t, err)
			return random, secret
		}
	}
	t.Fatalf("no %s in the key log", label)
	return nil, nil
}

// sealer makes and opens the records of one side, of TLS_AES_128_GCM_SHA256 (RFC 8446 section 5.2).
type sealer struct {
	secret  []byte
	aead    cipher.AEAD
	iv      []byte
	seq     uint64
	updates int
	legacy  bool // TLS 1.2
}

func (k *keyLog) sealer(t testing.TB, label string) *sealer {
	t.Helper()
	s := &sealer{}
	_, s.secret = k.find(t, label)
	require.Len(t, s.secret, sha256.Size, "the cipher suite is another")
	s.derive()
	return s
}

// expand is HKDF-Expand-Label without a context (RFC 8446 section 7.1).
func (s *sealer) expand(label string, n int) []byte {
	label = "tls13 " + label
	info := append([]byte{byte(n >> 8), byte(n), byte(len(label))}, label...)
	out, err := hkdf.Expand(sha256.New, s.secret, string(append(info, 0)), n)
	if err != nil {
		panic(err)
	}
	return out
}

func (s *sealer) derive() {
	s.aead, s.iv, s.seq = gcm(s.expand("key", 16)), s.expand("iv", 12), 0
}

func gcm(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return aead
}

// update goes on with the next keys (section 7.2).
func (s *sealer) update() {
	s.secret = s.expand("traffic upd", sha256.Size)
	s.derive()
	s.updates++
}

// nonce is that of the next record (section 5.3).
func (s *sealer) nonce() []byte {
	n := make([]byte, 12)
	binary.BigEndian.PutUint64(n[4:], s.seq)
	s.seq++
	for i := range n {
		n[i] ^= s.iv[i]
	}
	return n
}

// seal makes a record of a content type.
func (s *sealer) seal(kind byte, text []byte) []byte {
	if s.legacy {
		return s.seal12(kind, text)
	}
	n := len(text) + 1 + s.aead.Overhead()
	header := []byte{23, 3, 3, byte(n >> 8), byte(n)}
	return append(header, s.aead.Seal(nil, s.nonce(), append(text[:len(text):len(text)], kind), header)...)
}

// open reads a record.
func (s *sealer) open(t testing.TB, from io.Reader) (kind byte, text []byte) {
	t.Helper()
	header := make([]byte, 5)
	_, err := io.ReadFull(from, header)
	require.NoError(t, err)
	body := make([]byte, binary.BigEndian.Uint16(header[3:]))
	_, err = io.ReadFull(from, body)
	require.NoError(t, err)
	text, err = s.aead.Open(nil, s.nonce(), body, header)
	require.NoError(t, err)
	last := len(text) - 1
	return text[last], text[:last]
}

// sealer12 makes the server's records of TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 in TLS 1.2 (RFC 5288); wrote is what it
// sent, which begins with its hello.
func (k *keyLog) sealer12(t testing.TB, wrote []byte) *sealer {
	t.Helper()
	client, master := k.find(t, "CLIENT_RANDOM")
	server := wrote[11:43] // after the headers of the record and the message, and the version
	keys := prf(master, append(append([]byte("key expansion"), server...), client...), 2*16+2*4)
	return &sealer{aead: gcm(keys[16:32]), iv: keys[36:40], seq: 1, legacy: true} // the first was its Finished
}

// prf is P_SHA256 (RFC 5246 section 5).
func prf(secret, seed []byte, n int) []byte {
	sum := func(b ...[]byte) []byte {
		h := hmac.New(sha256.New, secret)
		for _, p := range b {
			h.Write(p)
		}
		return h.Sum(nil)
	}
	var out []byte
	for a := sum(seed); len(out) < n; a = sum(a) {
		out = append(out, sum(a, seed)...)
	}
	return out[:n]
}

func (s *sealer) seal12(kind byte, text []byte) []byte {
	seq := binary.BigEndian.AppendUint64(nil, s.seq)
	s.seq++
	data := append(append([]byte(nil), seq...), kind, 3, 3, byte(len(text)>>8), byte(len(text)))
	body := append(append([]byte(nil), seq...), s.aead.Seal(nil, append(append([]byte(nil), s.iv...), seq...), text, data)...)
	return append([]byte{kind, 3, 3, byte(len(body) >> 8), byte(len(body))}, body...)
}
