package agent

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"time"
)

// newRunID makes a UUIDv7 (RFC 9562 section 5.7) of the server's time: 48 bits of Unix milliseconds, the rest random.
// A library's would take the machine's own clock, which may be wrong by years.
func newRunID(serverTime time.Time) string {
	var id [16]byte
	rand.Read(id[:])
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(max(serverTime.UnixMilli(), 0)))
	copy(id[:6], ms[2:])
	id[6] = id[6]&0x0f | 0x70 // version 7
	id[8] = id[8]&0x3f | 0x80 // the RFC's variant
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
