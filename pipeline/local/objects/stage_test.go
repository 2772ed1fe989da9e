package objects

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/iotest"
)

// TestStageDigestsWhatItCopies: whatever the size and the reader, the digest is that of
// the copy, and nothing is visible before it has a key.
func TestStageDigestsWhatItCopies(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, chunk - 1, chunk, chunk + 1, 3*chunk + 7} {
		content := bytes.Repeat([]byte("some content\n"), size/13+1)[:size]
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		in, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		for name, r := range map[string]io.Reader{"file": in, "reader": iotest.DataErrReader(bytes.NewReader(content))} {
			s, _ := open(t)
			b := s.Batch()
			staged, err := b.Stage(r)
			if err != nil {
				t.Fatal(err)
			}
			sum := sha256.Sum256(content)
			if staged.Digest != hex.EncodeToString(sum[:]) || staged.Bytes != int64(size) {
				t.Errorf("%s of %d bytes: %+v", name, size, staged)
			}
			b.Discard()
			if left, err := os.ReadDir(filepath.Join(s.dir, tmp)); err != nil || len(left) > 0 {
				t.Errorf("%s of %d bytes: left %v", name, size, left)
			}
		}
	}
}

// TestStageFails: a reader's error is the batch's.
func TestStageFails(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	b := s.Batch()
	defer b.Discard()
	if _, err := b.Stage(io.MultiReader(bytes.NewReader(make([]byte, 20<<20)), iotest.ErrReader(io.ErrUnexpectedEOF))); err == nil {
		t.Error("no error")
	}
}
