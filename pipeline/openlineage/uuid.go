package openlineage

import (
	"crypto/sha1" //nolint:gosec // RFC 9562 makes UUIDs of version 5 with it; nothing is protected by it
	"encoding/hex"
	"strconv"
)

// namespace is the UUID that this project's names are made in: version 5 of producer
// in the RFC's namespace for URLs.
var namespace = uuid([16]byte{0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}, producer)

// uuid is the UUID of version 5 of a name (RFC 9562, section 5.5).
func uuid(space [16]byte, name string) (id [16]byte) {
	sum := sha1.Sum(append(space[:], name...)) //nolint:gosec // see above
	copy(id[:], sum[:])
	id[6] = id[6]&0x0f | 0x50
	id[8] = id[8]&0x3f | 0x80
	return id
}

// text is a UUID as it is written.
func text(id [16]byte) string {
	b := make([]byte, 0, 36)
	for i, part := range [][]byte{id[:4], id[4:6], id[6:8], id[8:10], id[10:]} {
		if i > 0 {
			b = append(b, '-')
		}
		b = hex.AppendEncode(b, part)
	}
	return string(b)
}

// RunUUID is the id of a pipeline's run.
func RunUUID(run string) string { return text(uuid(namespace, run)) }

// StepUUID is the id of a step's try, from 0.
func StepUUID(run, step string, attempt int) string {
	return text(uuid(namespace, run+"/"+step+"/"+strconv.Itoa(attempt)))
}
