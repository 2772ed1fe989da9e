package pipeline

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
)

// FolderDigest is the digest by which a folder of data is known, here and on AWS: the hex
// SHA-256 of a line a file, in order of paths, with the SHA-256 of its content and its path
// in the folder as a quoted Go string. In goes the hex digest of each file, by its slash path.
func FolderDigest(files map[string]string) string {
	sum := sha256.New()
	for _, path := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(sum, "%s %q\n", files[path], path)
	}
	return hex.EncodeToString(sum.Sum(nil))
}
